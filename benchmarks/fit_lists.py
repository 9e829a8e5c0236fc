"""Fits the weights of `assistant.listing` on dev lists and on hand-written ones, and the bar from where a paper belongs.

    python -m benchmarks.fit_lists [--corpora bundled medicine biology life-sciences trials]

Prints, per bar, precision, recall and the share of lists complete on each corpus, scored by the shipped weights and by
weights fitted without that corpus; with and without the selector's probability that the abstract states the answer.
`--corpora` limits what is fitted on and scored. A list of which no form tells that it is one is counted and left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np

from assistant import Assistant, Filters, listing
from assistant.listing import Fit
from assistant.selecting import logit
from benchmarks import written
from benchmarks.fit_answering import Array, logistic
from evals.cases import bundled, corpus_of, load
from evals.libraries import library_for

_BARS = (-1.5, -1.25, -1.0, -0.75, -0.5, 0.0)
_MOST = 8  # papers that a list names at most
_UNREAD = -7.0  # log-odds in place of those of a paper that the selector did not read


@dataclass(frozen=True)
class Listed:
    """A list asked for: how many papers belong, and each candidate's measures, the selector's log-odds last."""

    corpus: str
    expected: int
    recognised: bool
    rows: Array
    labels: Array


def ask_lists() -> list[Listed]:
    """Gathers the candidates of every dev list without filters or turns before it, and of every hand-written list."""
    asked = []
    for dataset in bundled():
        lists = [c for c in load(dataset) if (c.split, c.kind, len(c.turns)) == ("dev", "list", 1) and not c.filters]
        if lists:
            assistant = Assistant(library_for(corpus_of(dataset)))
            asked += [_candidates(dataset, assistant, case.question, frozenset(case.papers)) for case in lists]
    for field in written.fields_of():
        assistant = Assistant(written.library_of(field))
        asked += [_candidates(field.name, assistant, q.text, q.titles) for q in written.lists_of(field)]
    return asked


def _candidates(corpus: str, assistant: Assistant, question: str, titles: frozenset[str]) -> Listed:
    evidence = assistant._prepare(question, Filters(), None).evidence
    found = listing.measure(evidence) if evidence else []
    rows = [(*astuple(fit), _UNREAD if paper.answered is None else logit(paper.answered)) for paper, fit in found]
    labels = [float(paper.paper.title in titles) for paper, _ in found]
    recognised = bool(found) and evidence is not None and evidence.question.many
    return Listed(corpus, len(titles), recognised, np.array(rows), np.array(labels))


def outcome(scores: Array, labels: Array, expected: int, bar: float) -> tuple[int, int, bool]:
    """Papers rightly listed, papers listed, and whether none is left out; the best stands in where none passes."""
    order = np.argsort(-scores, kind="stable")
    kept = [i for i in order if scores[i] >= bar][:_MOST] or [order[0]]
    hit = int(sum(labels[i] for i in kept))
    return hit, len(kept), hit == expected


def left_out(lists: Sequence[Listed], columns: slice) -> list[Array]:
    """Scores of each list's candidates by weights fitted without the lists of its corpus."""
    weights = {
        corpus: fitted([item for item in lists if item.corpus != corpus], columns)
        for corpus in {item.corpus for item in lists}
    }
    return [item.rows[:, columns] @ weights[item.corpus][:-1] + weights[item.corpus][-1] for item in lists]


def fitted(lists: Sequence[Listed], columns: slice) -> Array:
    """Weights over all candidates, the intercept last."""
    return logistic(np.vstack([item.rows[:, columns] for item in lists]), np.concatenate([i.labels for i in lists]))


def _report(name: str, lists: Sequence[Listed], scores: Sequence[Array]) -> None:
    corpora = list(dict.fromkeys(item.corpus for item in lists))
    print(f"{name}: precision / recall / complete, mean of the corpora | " + " | ".join(corpora))
    for bar in _BARS:
        shares = []
        for corpus in corpora:
            own = [(item, found) for item, found in zip(lists, scores, strict=True) if item.corpus == corpus]
            told = np.array([outcome(found, item.labels, item.expected, bar) for item, found in own], dtype=float)
            hits = told[:, 0].sum()
            shares.append((hits / told[:, 1].sum(), hits / sum(i.expected for i, _ in own), told[:, 2].mean()))
        cells = [np.mean(shares, axis=0), *map(np.array, shares)]
        print(f"  bar {bar:+.2f}  " + " | ".join(" / ".join(f"{value:.2f}" for value in cell) for cell in cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", nargs="+", help="limits what is fitted on and scored")
    chosen = parser.parse_args().corpora
    asked = [item for item in ask_lists() if not chosen or item.corpus in chosen]
    lists = [item for item in asked if item.recognised]
    print(f"{len(asked)} lists, {len(asked) - len(lists)} of them not told to be lists by their form")
    names = [f.name for f in fields(Fit)]
    own, shipped = slice(0, len(names)), np.array(astuple(listing._WEIGHTS))
    _report("shipped", lists, [item.rows[:, own] @ shipped + listing._INTERCEPT for item in lists])
    for name, columns in (("corpora left out", own), ("corpora left out, with `answered`", slice(0, len(names) + 1))):
        _report(name, lists, left_out(lists, columns))
        labels = [*names, "answered", "intercept"] if columns != own else [*names, "intercept"]
        print("  weights:", dict(zip(labels, fitted(lists, columns).round(2).tolist(), strict=True)))


if __name__ == "__main__":
    main()
