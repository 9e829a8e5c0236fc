"""Hand-written questions over papers that the selector was not trained on, and hand-written lists, for fitting.

The papers are the kept-back tenth of `assistant/training/written` and the whole of `evals/datasets/unseen`. Of the
questions that no paper of a training set is about every other one is taken: they name no paper to keep back.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from assistant import Library
from assistant.training import handwritten
from assistant.training.documents import held_out, rows
from assistant.training.handwritten import WrittenSet
from evals.cases import Case, Kind
from evals.libraries import cache_folder, library_for

_TRAINED = Path(str(files("assistant.training"))) / "written"
_UNSEEN = Path(str(files("evals"))) / "datasets" / "unseen"
_LEFT_OUT = ("list", "comparison", "summary")  # of the refusal decision; the form alone tells what they ask
_KINDS: dict[str, Kind] = {"fact": "fact", "why": "fact", "yes_no": "yes_no", "paraphrase": "paraphrase"}


@dataclass(frozen=True)
class Field:
    """A written set, where it lies, and whether the selector learns from it."""

    written: WrittenSet
    folder: Path
    trained: bool

    @property
    def name(self) -> str:
        return self.written.name


@dataclass(frozen=True)
class ListQuestion:
    """A question for several papers, and the titles of all that belong."""

    text: str
    titles: frozenset[str]


def fields_of(trained: Path = _TRAINED, unseen: Path = _UNSEEN) -> tuple[Field, ...]:
    """The written sets, those that the selector learns from first."""
    return tuple(
        Field(written, folder / written.name, folder == trained)
        for folder in (trained, unseen)
        for written in handwritten.load_all(folder)
    )


def cases_of(field: Field) -> list[Case]:
    """The questions over one paper, or none, whose papers the selector has not seen; as cases of the dev split."""
    cases, papers = [], field.written.papers
    for number, asked in enumerate(field.written.asked):
        if asked.kind in _LEFT_OUT:
            continue
        own = next(iter(asked.answers), None)
        if field.trained and not (held_out(papers[own].title) if own else number % 2 == 0):
            continue
        kind = _KINDS.get(asked.kind)
        cases.append(
            Case(
                id=f"{field.name}-{number}",
                group=f"{field.name}-{own or number}",
                split="dev",
                kind=kind or "unanswerable",
                turns=(asked.question,),
                papers=(papers[own].title,) if own else (),
                answerable=kind is not None,
                reason=None if kind else "not_stated" if own else "nothing_relevant",
            )
        )
    return cases


def lists_of(field: Field) -> list[ListQuestion]:
    """Its questions for several papers. Lists are chosen without the selector, so all papers may be asked for."""
    papers = field.written.papers
    return [
        ListQuestion(asked.question, frozenset(papers[name].title for name in asked.answers))
        for asked in field.written.asked
        if asked.kind == "list"
    ]


def library_of(field: Field, root: Path | None = None) -> Library:
    """The library of the set's papers, made in the cache when absent."""
    root = root or cache_folder()
    corpus = root / f"written-{field.name}.jsonl"
    lines = _titles_and_abstracts(field.folder / "papers.jsonl")
    root.mkdir(parents=True, exist_ok=True)
    corpus.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return library_for(corpus, root)


def _titles_and_abstracts(file: Path) -> Sequence[str]:
    return [json.dumps({"title": row["title"], "abstract": row["abstract"]}) for row in rows(file)]
