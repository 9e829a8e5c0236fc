"""Cases: what one eval item asks and what a right answer holds. A dataset is JSON Lines, one case a line.

The schema is written down in docs/evals.md and checked here; a line that does not follow it is an InputError that
names file and line, since a silently dropped case would make every mean a lie.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from assistant.answers import Reason
from assistant.errors import InputError

Kind = Literal["fact", "list", "comparison", "summary", "yes_no", "paraphrase", "follow_up", "unanswerable"]
Split = Literal["dev", "test"]
Judge = Literal["answer", "retrieval"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_DATASETS = Path(__file__).parent / "datasets"
_PAPERS = "_papers"  # NAME_papers.jsonl holds the corpus of NAME.jsonl


@dataclass(frozen=True, slots=True)
class Case:
    """One eval item.

    `turns` are what the user says, in order; only the answer to the last is judged. `papers` are exact titles: the
    first is the one to cite first, all of them make a complete list. `facts` are required: of each fact, one of its
    alternatives must occur in the answer. Cases with the same `group` are not independent (a conversation, or
    several questions on one paper): intervals cluster by it.
    """

    id: str
    group: str
    split: Split
    kind: Kind
    turns: tuple[str, ...]
    papers: tuple[str, ...] = ()
    facts: tuple[tuple[str, ...], ...] = ()
    forbidden: tuple[str, ...] = ()
    answerable: bool = True
    reason: Reason | None = None
    filters: Mapping[str, Any] | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    dataset: str = ""  # the set it was loaded from
    judge: Judge = "answer"  # "retrieval": nothing is answered, the ranking alone is judged

    @property
    def question(self) -> str:
        """The turn that is judged."""
        return self.turns[-1]

    def to_dict(self) -> dict[str, Any]:
        """The line of a dataset that gives this case again."""
        asked: dict[str, Any] = {"question": self.turns[0]} if len(self.turns) == 1 else {"turns": list(self.turns)}
        optional = {"filters": self.filters, "note": self.note, "dataset": self.dataset}
        return {
            "id": self.id,
            "group": self.group,
            "split": self.split,
            "kind": self.kind,
            **asked,
            "papers": list(self.papers),
            "facts": [list(alternatives) for alternatives in self.facts],
            "forbidden": list(self.forbidden),
            "answerable": self.answerable,
            "reason": self.reason,
            "tags": list(self.tags),
            **{key: value for key, value in optional.items() if value},
            **({"judge": self.judge} if self.judge != "answer" else {}),
        }


class _Line(BaseModel):
    """The boundary: one line of a dataset as it may be written."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1)
    group: str = ""
    split: Split = "test"
    kind: Kind
    question: str | None = None
    turns: list[str] | None = None
    papers: list[str] = []
    facts: list[list[str]] = []
    forbidden: list[str] = []
    answerable: bool = True
    reason: Reason | None = None
    filters: dict[str, Any] | None = None
    tags: list[str] = []
    note: str | None = None
    dataset: str = ""
    judge: Judge = "answer"

    @field_validator("facts", mode="before")
    @classmethod
    def _lone_string_is_one_alternative(cls, value: object) -> object:
        return [[item] if isinstance(item, str) else item for item in value] if isinstance(value, list) else value

    @field_validator("forbidden", mode="before")
    @classmethod
    def _flat(cls, value: object) -> object:
        if not isinstance(value, list):
            return value
        return [text for item in value for text in (item if isinstance(item, list) else [item])]

    @model_validator(mode="after")
    def _is_consistent(self) -> _Line:
        if (self.question is None) == (self.turns is None):
            raise ValueError("give either `question` or `turns`")
        if not self.asked() or not all(turn.strip() for turn in self.asked()):
            raise ValueError("a question or turn is empty")
        if self.answerable and self.reason is not None:
            raise ValueError("an answerable case has no refusal `reason`")
        if not self.answerable and self.facts:
            raise ValueError("an unanswerable case requires no facts")
        if any(not fact or not all(text.strip() for text in fact) for fact in self.facts):
            raise ValueError("a fact without alternatives, or with an empty one")
        return self

    def asked(self) -> list[str]:
        return self.turns if self.turns is not None else [self.question or ""]

    def case(self) -> Case:
        return Case(
            id=self.id,
            group=self.group or self.id,
            split=self.split,
            kind=self.kind,
            turns=tuple(self.asked()),
            papers=tuple(self.papers),
            facts=tuple(tuple(fact) for fact in self.facts),
            forbidden=tuple(self.forbidden),
            answerable=self.answerable,
            reason=self.reason,
            filters=self.filters,
            tags=tuple(self.tags),
            note=self.note or "",
            dataset=self.dataset,
            judge=self.judge,
        )


def parse(line: Mapping[str, Any], where: str = "case") -> Case:
    """The case a decoded line describes; InputError names `where` and the first field that is wrong."""
    try:
        return _Line.model_validate(dict(line)).case()
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "line"
        raise InputError(f"{where}: {name}: {first['msg']}; the schema is in docs/evals.md") from error


def read(path: Path) -> tuple[Case, ...]:
    """All cases of one JSON Lines file, in order; ids must be unique."""
    cases: list[Case] = []
    seen: dict[str, int] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read cases from {str(path)!r}: {error}; give a JSON Lines file") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path.name}:{number}"
        try:
            decoded = json.loads(line)
        except ValueError as error:
            raise InputError(f"{where}: not JSON ({error}); one case a line") from error
        if not isinstance(decoded, dict):
            raise InputError(f"{where}: a case is a JSON object, not {decoded!r}")
        case = parse({"dataset": path.stem, **decoded}, where)
        if case.id in seen:
            raise InputError(f"{where}: id {case.id!r} was used on line {seen[case.id]}; ids must be unique")
        seen[case.id] = number
        cases.append(case)
    return tuple(cases)


def bundled() -> tuple[str, ...]:
    """Names of the datasets that come with Ibid, sorted."""
    return tuple(sorted(path.stem for path in _DATASETS.glob("*.jsonl") if not path.stem.endswith(_PAPERS)))


def corpus_of(dataset: str) -> Path:
    """The papers that a dataset asks about: of `SET-NAME.jsonl` `SET-NAME_papers.jsonl` or `NAME_papers.jsonl` beside it,
    else the corpus that comes with Ibid.
    """
    path = Path(dataset) if dataset.endswith(".jsonl") else _DATASETS / f"{dataset}.jsonl"
    for name in (path.stem, path.stem.rpartition("-")[2]):
        if (beside := path.with_name(f"{name}{_PAPERS}.jsonl")).is_file():
            return beside
    return Path(str(files("ingest"))) / "corpus" / "huggingface-papers.txt"


def load(*names: str) -> tuple[Case, ...]:
    """Cases of datasets given by bundled name, pattern of bundled names (`*`), or path, in order.

    Of several datasets, ids and groups get the dataset's name before them, since they are unique within a file only.
    """
    paths = tuple(dict.fromkeys(_paths(names)))
    cases: dict[str, Case] = {}
    for path in paths:
        for case in read(path):
            if len(paths) > 1:
                case = replace(case, id=f"{path.stem}/{case.id}", group=f"{path.stem}/{case.group}")
            if case.id in cases:
                raise InputError(f"two datasets of this run are called {path.stem!r}; rename one")
            cases[case.id] = case
    if not cases:
        raise InputError(
            f"no case in {', '.join(names) or 'no dataset'}; bundled are {', '.join(bundled()) or 'none'}"
        )
    return tuple(cases.values())


def _paths(names: Sequence[str]) -> Iterator[Path]:
    for name in names:
        path = Path(name)
        if path.suffix == ".jsonl" and path.is_file():
            yield path
            continue
        matching = sorted(_DATASETS.glob(f"{name.removesuffix('.jsonl')}.jsonl"))
        found = [path for path in matching if not path.stem.endswith(_PAPERS)]
        if not found:
            raise InputError(f"no dataset {name!r}; bundled are {', '.join(bundled()) or 'none'}, or give a path")
        yield from found


def select(
    cases: Iterable[Case],
    *,
    split: Split | None = None,
    kinds: Sequence[str] = (),
    tags: Sequence[str] = (),
    limit: int | None = None,
) -> tuple[Case, ...]:
    """The cases of a split, of any of `kinds`, with any of `tags`; at most `limit`, spread evenly."""
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise InputError(f"no kind of case {unknown[0]!r}; kinds are {', '.join(KINDS)}")
    chosen = [
        case
        for case in cases
        if (split is None or case.split == split)
        and (not kinds or case.kind in kinds)
        and (not tags or set(tags) & set(case.tags))
    ]
    if limit is None or limit >= len(chosen):
        return tuple(chosen)
    if limit < 1:
        raise InputError(f"limit {limit!r} leaves no case; give a positive number")
    return tuple(chosen[index * len(chosen) // limit] for index in range(limit))


def digest(cases: Iterable[Case]) -> str:
    """sha256 over the cases, the same for the same cases in the same order."""
    lines = (json.dumps(case.to_dict(), sort_keys=True, ensure_ascii=False) for case in cases)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
