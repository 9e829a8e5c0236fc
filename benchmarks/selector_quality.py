"""How well the answer-sentence selector picks sentences and tells absent details, beside similarity and shared words.

    python -m benchmarks.selector_quality --sets bundled biology medicine --split dev
    python -m benchmarks.selector_quality --split test --model FOLDER     # another model than the shipped one

For single-paper questions with required facts: does the best sentence of the expected paper hold every fact (own@1),
do the best two (own@2), does the best of the twelve nearest sentences of the corpus (12@1)? For refusals: AUROC of the
highest score among the expected paper's sentences, answerable against not stated (details), and among the twelve
nearest, answerable against off-corpus questions (off topic). Candidates: cosine plus half the title's cosine.
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

_NEAREST = 12
_TITLE_SHARE = 0.5
_COSINE_SHARE = 0.3
Scores = NDArray[np.float64]  # (questions, sentences)


@dataclass(frozen=True)
class Sentence:
    """A sentence of the corpus and its paper's title."""

    title: str
    text: str


@dataclass(frozen=True)
class Asked:
    """The questions of a set with the candidates for each."""

    cases: tuple[cases.Case, ...]
    sentences: tuple[Sentence, ...]
    own: tuple[NDArray[np.int64], ...]  # of the expected paper; empty when there is none
    nearest: NDArray[np.int64]  # (questions, _NEAREST)
    cosine: Scores


def corpus(dataset: str) -> tuple[Sentence, ...]:
    """Every sentence of a question set's corpus."""
    records = [record for record in read(cases.corpus_of(dataset)) if isinstance(record, Record)]
    return tuple(
        Sentence(record.title, record.abstract[span.start : span.end])
        for record in records
        for span in split(record.abstract)
    )


def asked(dataset: str, which: str) -> Asked:
    """Single-paper questions with facts, and unanswerable ones, of one split."""
    sentences = corpus(dataset)
    usable = tuple(
        case for case in cases.load(dataset) if case.split == which and len(case.turns) == 1 and _usable(case)
    )
    embedder = default_embedder()
    vectors = embedder.embed_sentences([sentence.text for sentence in sentences])
    titles = sorted({sentence.title for sentence in sentences})
    title_vectors = embedder.embed_sentences(titles)
    rows = np.array([titles.index(sentence.title) for sentence in sentences])
    questions = np.stack([embedder.embed_query(case.question) for case in usable])
    cosine = (questions @ vectors.T).astype(np.float64)
    near = cosine + _TITLE_SHARE * (questions @ title_vectors.T)[:, rows]
    keys = np.array([title_key(sentence.title) for sentence in sentences])
    own = tuple(
        np.flatnonzero(keys == title_key(case.papers[0])) if case.papers else np.array([], int) for case in usable
    )
    return Asked(usable, sentences, own, np.argsort(-near, axis=1, kind="stable")[:, :_NEAREST], cosine)


def _usable(case: cases.Case) -> bool:
    if not case.answerable:
        return case.reason in ("not_stated", "nothing_relevant") and not case.filters
    return case.kind in ("fact", "paraphrase", "yes_no") and len(case.papers) == 1 and bool(case.facts)


def selected(found: Asked, selector: Selector) -> tuple[Scores, float]:
    """The selector's probabilities where a candidate is, and pairs read per CPU second."""
    scores = np.zeros_like(found.cosine)
    count, started = 0, time.process_time()
    for row, case in enumerate(found.cases):
        where = sorted({*found.own[row].tolist(), *found.nearest[row].tolist()})
        chosen = [found.sentences[index] for index in where]
        scores[row, where] = selector.scores(case.question, [s.text for s in chosen], [s.title for s in chosen])
        count += len(where)
    return scores, count / (time.process_time() - started)


def coverage(found: Asked) -> Scores:
    """Share of the question's terms that a sentence holds."""
    held = [frozenset(terms(sentence.text)) for sentence in found.sentences]
    wanted = [frozenset(terms(case.question)) for case in found.cases]
    return np.array([[len(want & hold) / max(1, len(want)) for hold in held] for want in wanted])


def _holds(case: cases.Case, text: str) -> bool:
    return all(any(occurs(spelling, text) for spelling in fact) for fact in case.facts)


def _top(found: Asked, scores: Scores, row: int, where: NDArray[np.int64], count: int) -> str:
    best = where[np.argsort(-scores[row, where], kind="stable")[:count]]
    return " ".join(found.sentences[index].text for index in best)


def auroc(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """Probability that a positive scores above a negative, ties counting half."""
    if not positives or not negatives:
        return float("nan")
    above = np.subtract.outer(np.array(positives), np.array(negatives))
    return float((above > 0).mean() + (above == 0).mean() / 2)


def measured(found: Asked, scores: Scores) -> dict[str, tuple[float, int]]:
    """Each measure with the number of questions behind it."""
    rows = range(len(found.cases))
    right = [row for row in rows if found.cases[row].answerable and len(found.own[row])]
    absent = [row for row in rows if found.cases[row].reason == "not_stated" and len(found.own[row])]
    off = [row for row in rows if found.cases[row].reason == "nothing_relevant"]

    def share(where: Callable[[int], NDArray[np.int64]], count: int) -> tuple[float, int]:
        hits = [_holds(found.cases[row], _top(found, scores, row, where(row), count)) for row in right]
        return float(np.mean(hits)), len(hits)

    def best(row: int, where: NDArray[np.int64]) -> float:
        return float(scores[row, where].max())

    own = [best(row, found.own[row]) for row in right]
    near = [best(row, found.nearest[row]) for row in right]
    return {
        "own@1": share(lambda row: found.own[row], 1),
        "own@2": share(lambda row: found.own[row], 2),
        "12@1": share(lambda row: found.nearest[row], 1),
        "details": (auroc(own, [best(row, found.own[row]) for row in absent]), len(absent)),
        "off topic": (auroc(near, [best(row, found.nearest[row]) for row in off]), len(off)),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--sets", nargs="+", default=["bundled"])
    arguments.add_argument("--split", choices=("dev", "test"), default="dev")
    arguments.add_argument(
        "--model", type=Path, help="folder that `ibid train selector` wrote; default: the shipped model"
    )
    arguments.add_argument("--missed", action="store_true", help="print what the selector got wrong (dev only)")
    options = arguments.parse_args()
    selector = Selector.load(options.model) if options.model else default_selector()
    for name in options.sets:
        found = asked(name, options.split)
        probabilities, rate = selected(found, selector)
        print(f"## {name}, {options.split}: {rate:.0f} pairs per CPU second")
        rankings = {
            "cosine": found.cosine,
            "shared words": coverage(found),
            "cosine + 0.5 shared words": found.cosine + 0.5 * coverage(found),
            "selector": probabilities,
            f"selector + {_COSINE_SHARE} cosine": probabilities + _COSINE_SHARE * found.cosine,
        }
        for title, scores in rankings.items():
            print(f"| {title} | {' | '.join(_cell(key, *value) for key, value in measured(found, scores).items())} |")
        if options.missed and options.split == "dev":
            _print_missed(found, probabilities)


def _cell(key: str, value: float, count: int) -> str:
    if key in ("details", "off topic"):
        return f"{key} {value:.3f} (n {count})"
    low, high = wilson(value * count, count)
    return f"{key} {value:.3f} [{low:.2f}, {high:.2f}]"


def _print_missed(found: Asked, scores: Scores) -> None:
    for row, case in enumerate(found.cases):
        where = found.own[row] if len(found.own[row]) else found.nearest[row]
        text = _top(found, scores, row, where, 1)
        if not (case.answerable and _holds(case, text)):
            print(
                f"{case.reason or 'missed'} {scores[row, where].max():.2f} | {case.question} | {case.facts} | {text}"
            )


if __name__ == "__main__":
    main()
