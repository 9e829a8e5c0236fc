"""How well the selector picks sentences and tells absent details, beside similarity and shared words.

    python -m benchmarks.selector_quality --sets bundled biology medicine --split dev
    python -m benchmarks.selector_quality --split test --model FOLDER     # another model than the shipped one

For single-paper questions with required facts: does the best sentence of the expected paper hold every fact (own@1),
do the best two (own@2), does the best of the five nearest papers (5@1)? For refusals, answerable against not stated:
AUROC of the expected paper's best sentence (details) and of `answered` (stated), and which share of the not stated is
refused by `answered` where 5 % of the answerable are. Off topic: AUROC of the highest of the five nearest papers
against questions on other subjects. Papers are near by their best sentence's cosine plus half the title's.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.embedding import default_embedder
from assistant.selector import Selector, default_selector
from assistant.sentences import split
from assistant.terms import terms
from evals import cases
from evals.matching import occurs, title_key
from evals.statistics.intervals import wilson
from ingest.records import Record
from ingest.sources import read

_NEAREST = 5
_TITLE_SHARE = 0.5
_FALSE_REFUSALS = 0.05
_ANSWERED_SHARE = 0.5  # of the whole abstract's score, in the choice between papers
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Paper:
    """A paper of the corpus, its abstract in sentences."""

    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """The questions of a set with the papers that each is put to."""

    cases: tuple[cases.Case, ...]
    papers: tuple[Paper, ...]
    own: tuple[int | None, ...]  # the expected paper
    nearest: tuple[tuple[int, ...], ...]
    cosine: tuple[tuple[Numbers, ...], ...]  # per question and paper, of its sentences


@dataclass(frozen=True)
class Judged:
    """What a way of scoring says: per question, the scores of the sentences of papers, and of papers as a whole."""

    sentences: tuple[dict[int, Numbers], ...]
    answered: tuple[dict[int, float], ...]


def corpus(dataset: str) -> tuple[Paper, ...]:
    """The papers of a question set's corpus."""
    records = [record for record in read(cases.corpus_of(dataset)) if isinstance(record, Record)]
    return tuple(
        Paper(record.title, tuple(record.abstract[span.start : span.end] for span in split(record.abstract)))
        for record in records
    )


def asked(dataset: str, which: str) -> Asked:
    """Single-paper questions with facts, and unanswerable ones, of one split."""
    papers = corpus(dataset)
    usable = tuple(
        case for case in cases.load(dataset) if case.split == which and len(case.turns) == 1 and _usable(case)
    )
    embedder = default_embedder()
    vectors = [embedder.embed_sentences(list(paper.sentences)) for paper in papers]
    titles = embedder.embed_sentences([paper.title for paper in papers])
    questions = [embedder.embed_query(case.question) for case in usable]
    cosine = tuple(tuple((rows @ question).astype(np.float64) for rows in vectors) for question in questions)
    near = [
        [
            float(rows.max(initial=-1.0)) + _TITLE_SHARE * float(titles[paper] @ question)
            for paper, rows in enumerate(row)
        ]
        for question, row in zip(questions, cosine, strict=True)
    ]
    nearest = tuple(tuple(np.argsort(-np.array(row), kind="stable")[:_NEAREST].tolist()) for row in near)
    keys = {title_key(paper.title): index for index, paper in enumerate(papers)}
    own = tuple(keys.get(title_key(case.papers[0])) if case.papers else None for case in usable)
    return Asked(usable, papers, own, nearest, cosine)


def _usable(case: cases.Case) -> bool:
    if not case.answerable:
        return case.reason in ("not_stated", "nothing_relevant") and not case.filters
    return case.kind in ("fact", "paraphrase", "yes_no") and len(case.papers) == 1 and bool(case.facts)


def _candidates(found: Asked, row: int, own_only: bool) -> list[int]:
    own = found.own[row]
    near = () if own_only else found.nearest[row]
    return sorted({*near, *([] if own is None else [own])})


def selected(found: Asked, selector: Selector, own_only: bool = False) -> tuple[Judged, float]:
    """The selector's probabilities and the CPU seconds for an abstract."""
    sentences: list[dict[int, Numbers]] = []
    answered: list[dict[int, float]] = []
    count, started = 0, time.process_time()
    for row, case in enumerate(found.cases):
        where = _candidates(found, row, own_only)
        readings = selector.read(case.question, [(found.papers[p].title, found.papers[p].sentences) for p in where])
        sentences.append({p: np.array(reading.sentences) for p, reading in zip(where, readings, strict=True)})
        answered.append({p: reading.answered for p, reading in zip(where, readings, strict=True)})
        count += len(where)
    return Judged(tuple(sentences), tuple(answered)), (time.process_time() - started) / max(1, count)


def simple(found: Asked, cosine: float, shared: float, own_only: bool = False) -> Judged:
    """Sentences by cosine and by the share of the question's terms that they hold; papers by their best."""
    held = [[frozenset(terms(sentence)) for sentence in paper.sentences] for paper in found.papers]
    sentences = []
    for row, case in enumerate(found.cases):
        want = frozenset(terms(case.question))
        sentences.append(
            {
                p: cosine * found.cosine[row][p]
                + shared * np.array([len(want & hold) / max(1, len(want)) for hold in held[p]])
                for p in _candidates(found, row, own_only)
            }
        )
    return Judged(tuple(sentences), tuple({p: float(v.max()) for p, v in row.items()} for row in sentences))


def blended(judged: Judged, found: Asked, share: float) -> Judged:
    """`judged` with a share of the cosine added to the sentences."""
    rows = tuple(
        {p: values + share * found.cosine[row][p] for p, values in each.items()}
        for row, each in enumerate(judged.sentences)
    )
    return Judged(rows, judged.answered)


def _holds(case: cases.Case, text: str) -> bool:
    return all(any(occurs(spelling, text) for spelling in fact) for fact in case.facts)


def auroc(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """Probability that a positive scores above a negative, ties counting half."""
    if not len(positives) or not len(negatives):
        return float("nan")
    above = np.subtract.outer(np.array(positives), np.array(negatives))
    return float((above > 0).mean() + (above == 0).mean() / 2)


def _top(found: Asked, judged: Judged, row: int, where: Sequence[int], count: int) -> str:
    ranked = sorted(
        (-judged.sentences[row][p][s] - _ANSWERED_SHARE * judged.answered[row][p] * (len(where) > 1), p, s)
        for p in where
        for s in range(len(found.papers[p].sentences))
    )
    return " ".join(found.papers[p].sentences[s] for _, p, s in ranked[:count])


def measured(found: Asked, judged: Judged, own_only: bool = False) -> dict[str, tuple[float, int]]:
    """Each measure with the number of questions behind it."""
    rows = range(len(found.cases))
    right = [row for row in rows if found.cases[row].answerable and found.own[row] is not None]
    absent = [row for row in rows if found.cases[row].reason == "not_stated" and found.own[row] is not None]
    off = [row for row in rows if found.cases[row].reason == "nothing_relevant"]

    def share(where: Callable[[int], Sequence[int]], count: int) -> tuple[float, int]:
        hits = [_holds(found.cases[row], _top(found, judged, row, where(row), count)) for row in right]
        return float(np.mean(hits)), len(hits)

    def own(row: int) -> Sequence[int]:
        paper = found.own[row]
        return [] if paper is None else [paper]

    def best(row: int, where: Sequence[int]) -> float:
        return max(float(judged.sentences[row][p].max()) for p in where)

    def told(row: int, where: Sequence[int]) -> float:
        return max(judged.answered[row][p] for p in where)

    stated, silent = [told(row, own(row)) for row in right], [told(row, own(row)) for row in absent]
    threshold = float(np.quantile(stated, _FALSE_REFUSALS))
    result = {
        "own@1": share(own, 1),
        "own@2": share(own, 2),
        "details": (
            auroc([best(row, own(row)) for row in right], [best(row, own(row)) for row in absent]),
            len(absent),
        ),
        "stated": (auroc(stated, silent), len(absent)),
        "refused": (float(np.mean([value < threshold for value in silent])), len(absent)),
    }
    if own_only:
        return result

    def near(row: int) -> Sequence[int]:
        return found.nearest[row]

    return result | {
        "5@1": share(near, 1),
        "off topic": (
            auroc([told(row, near(row)) for row in right], [told(row, near(row)) for row in off]),
            len(off),
        ),
        "off (sentence)": (
            auroc([best(row, near(row)) for row in right], [best(row, near(row)) for row in off]),
            len(off),
        ),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--sets", nargs="+", default=["bundled"])
    arguments.add_argument("--split", choices=("dev", "test"), default="dev")
    arguments.add_argument(
        "--model", type=Path, help="folder that `ibid train selector` wrote; default: the shipped model"
    )
    arguments.add_argument("--own", action="store_true", help="only the expected paper's measures")
    options = arguments.parse_args()
    selector = Selector.load(options.model) if options.model else default_selector()
    for name in options.sets:
        found = asked(name, options.split)
        reader, seconds = selected(found, selector, options.own)
        print(f"## {name}, {options.split}: {1000 * seconds:.0f} ms of CPU for an abstract")
        ways = {
            "cosine": simple(found, 1.0, 0.0, options.own),
            "shared words": simple(found, 0.0, 1.0, options.own),
            "cosine + 0.5 shared words": simple(found, 1.0, 0.5, options.own),
            "selector": reader,
            "selector + 0.3 cosine": blended(reader, found, 0.3),
        }
        for title, judged in ways.items():
            cells = (_cell(key, *value) for key, value in measured(found, judged, options.own).items())
            print(f"| {title} | {' | '.join(cells)} |")


def _cell(key: str, value: float, count: int) -> str:
    if "@" not in key:
        return f"{key} {value:.3f} (n {count})"
    low, high = wilson(value * count, count)
    return f"{key} {value:.3f} [{low:.2f}, {high:.2f}]"


if __name__ == "__main__":
    main()
