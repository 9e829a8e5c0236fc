"""Fits the weights of `assistant.scoring`, `assistant.answerability` and `assistant.fitness` on dev questions.

    python -m benchmarks.fit_answering [--selector FOLDER]

Reads only the dev splits of the bundled sets. Every weight is fitted on all three corpora; the printed accuracies are
held out: each question is scored by weights fitted without its group and, in the second table, without its corpus.
Where a selector reads, the refusal decision is fitted on hand-written questions too (`benchmarks.written`), as they tempt
harder; its tables tell how weights of either kind do on the other, and of both on a corpus left out of the fit.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from assistant import Assistant, Filters
from assistant.answerability import Features
from assistant.engine import Prepared
from assistant.scoring import SentenceFeatures
from assistant.selecting import Selector
from benchmarks import written
from evals.cases import Case, bundled, corpus_of, load
from evals.libraries import library_for
from evals.matching import occurs

Array = NDArray[np.float64]
_SENTENCE_KINDS = ("fact", "yes_no", "paraphrase")
_FOLDS = 4
_RIDGE = 0.3
_WRITTEN = "written-"  # before the names of hand-written sets, which may be called as a dataset is
_THRESHOLDS = (0.2, 0.28, 0.35, 0.45, 0.5, 0.55, 0.6, 0.65)


@dataclass(frozen=True)
class Asked:
    """A question with everything known before an engine speaks; the dataset tells the corpus."""

    dataset: str
    case: Case
    prepared: Prepared


def ask_all(selector: Selector | None) -> list[Asked]:
    """Prepares every dev question of the bundled sets, with its conversation where it has one."""
    asked = []
    for dataset in bundled():
        library = library_for(corpus_of(dataset))
        assistant = Assistant(library, selector=selector)
        for case in load(dataset):
            if case.split != "dev" or case.filters:
                continue
            thread = None
            if len(case.turns) > 1:
                conversation = assistant.conversation()
                for turn in case.turns[:-1]:
                    conversation.ask(turn)
                thread = conversation.id
            asked.append(Asked(dataset, case, assistant._prepare(case.question, Filters(), thread)))
    return asked


def ask_written(selector: Selector) -> list[Asked]:
    """Prepares the hand-written questions over papers that the selector was not trained on."""
    asked = []
    for field in written.fields_of():
        assistant = Assistant(written.library_of(field), selector=selector)
        asked += [
            Asked(f"{_WRITTEN}{field.name}", case, assistant._prepare(case.question, Filters(), None))
            for case in written.cases_of(field)
        ]
    return asked


def logistic(rows: Array, labels: Array, ridge: float = _RIDGE) -> Array:
    """Weights, the intercept last, of ridge-penalised logistic regression; the intercept is not penalised."""
    wide = np.hstack([rows, np.ones((len(rows), 1))])
    signs = np.where(labels > 0, 1.0, -1.0)

    def loss(weights: Array) -> float:
        return float(np.logaddexp(0, -signs * (wide @ weights)).sum() + ridge * (weights[:-1] ** 2).sum())

    return np.asarray(minimize(loss, np.zeros(wide.shape[1]), method="L-BFGS-B").x)


def pairwise(groups: Sequence[tuple[Array, Array]], ridge: float = _RIDGE) -> Array:
    """Weights by which the right rows of each group stand above its wrong ones."""
    differences, counts = [], []
    for rows, labels in groups:
        right, wrong = rows[labels > 0], rows[labels == 0]
        for row in right:
            differences.append(row - wrong)
            counts.append(np.full(len(wrong), 1.0 / max(1, len(right))))
    stacked, weight = np.vstack(differences), np.concatenate(counts)

    def loss(weights: Array) -> float:
        return float((weight * np.logaddexp(0, -(stacked @ weights))).sum() + ridge * (weights**2).sum())

    return np.asarray(minimize(loss, np.zeros(stacked.shape[1]), method="L-BFGS-B").x)


def held_out(asked: Sequence[Asked], by: Callable[[Asked], int]) -> list[tuple[list[int], list[int]]]:
    """Indices to fit on and to score, per fold."""
    folds = sorted({by(item) for item in asked})
    return [
        ([i for i, a in enumerate(asked) if by(a) != fold], [i for i, a in enumerate(asked) if by(a) == fold])
        for fold in folds
    ]


def by_group(item: Asked) -> int:
    return zlib.crc32(item.case.group.encode()) % _FOLDS


def by_corpus(item: Asked) -> int:
    """Sets over the same papers, a set and the conversations about them, are one corpus."""
    name = item.dataset if item.dataset.startswith(_WRITTEN) else corpus_of(item.dataset).stem
    return zlib.crc32(name.encode())


def fit_sentences(asked: Sequence[Asked], with_selector: bool) -> None:
    """Prints weights of the sentence score, and how often the facts are in its first one, two, three sentences."""
    kept, groups = [], []
    for item in asked:
        paper = _expected(item)
        if paper is None or item.case.kind not in _SENTENCE_KINDS or not item.case.facts:
            continue
        held = [_facts(item.case, sentence.text) for sentence in paper.sentences]
        if not any(held):
            continue
        kept.append(item)
        rows = np.array([astuple(sentence.features) for sentence in paper.sentences])
        if not with_selector:
            rows[:, -1] = 0.0
        groups.append((rows, np.array([len(facts) for facts in held]), held, len(item.case.facts)))
    for name, by in (("held-out groups", by_group), ("held-out corpora", by_corpus)):
        found = {1: 0, 2: 0, 3: 0}
        for fit, score in held_out(kept, by):
            weights = pairwise([(groups[i][0], groups[i][1]) for i in fit])
            for i in score:
                order = np.argsort(-(groups[i][0] @ weights), kind="stable")
                for k in found:
                    found[k] += len(set().union(*(groups[i][2][j] for j in order[:k]))) == groups[i][3]
        print(
            f"  all facts in the first k sentences, {name}:", {k: round(v / len(kept), 3) for k, v in found.items()}
        )
    weights = pairwise([(rows, labels) for rows, labels, _, _ in groups])
    print("  weights:", dict(zip([f.name for f in fields(SentenceFeatures)], weights.round(2).tolist(), strict=True)))


def fit_decision(asked: Sequence[Asked]) -> None:
    """Prints weights of the refusal decision and its held-out errors at the threshold of one half."""
    kept, rows, labels = _measured(asked)
    for name, by in (("held-out groups", by_group), ("held-out corpora", by_corpus)):
        scores = np.zeros(len(kept))
        for fit, score in held_out(kept, by):
            weights = logistic(rows[fit], labels[fit])
            scores[score] = _scores(rows[score], weights)
        print(f"  {name}: {_errors(scores, labels, kept)}")
    _print_weights(logistic(rows, labels))


def fit_both(dev: Sequence[Asked], by_hand: Sequence[Asked]) -> None:
    """Prints weights of the refusal decision fitted on both kinds of questions, and held-out errors on each kind."""
    dev_kept, dev_rows, dev_labels = _measured(dev)
    hand_kept, hand_rows, hand_labels = _measured(by_hand)
    weights = logistic(dev_rows, dev_labels)
    print(f"  fitted on dev, on written: {_errors(_scores(hand_rows, weights), hand_labels, hand_kept)}")
    weights = logistic(hand_rows, hand_labels)
    print(f"  fitted on written, on dev: {_errors(_scores(dev_rows, weights), dev_labels, dev_kept)}")
    kept, rows, labels = [*dev_kept, *hand_kept], np.vstack([dev_rows, hand_rows]), np.append(dev_labels, hand_labels)
    scores = np.zeros(len(kept))
    for fit, score in held_out(kept, by_corpus):
        scores[score] = _scores(rows[score], logistic(rows[fit], labels[fit]))
    parts = {"dev": slice(0, len(dev_kept)), "written": slice(len(dev_kept), None)}
    for name, part in parts.items():
        print(f"  fitted on both, corpora left out, on {name}: {_errors(scores[part], labels[part], kept[part])}")
    print("  threshold: false refusals / refused on " + ", on ".join(parts))
    for threshold in _THRESHOLDS:
        refused = scores < np.log(threshold / (1 - threshold))
        shares = [(refused[part][labels[part] > 0], refused[part][labels[part] == 0]) for part in parts.values()]
        print(
            f"    {threshold:.2f}: " + "; ".join(f"{false.mean():.3f} / {true.mean():.3f}" for false, true in shares)
        )
    _print_weights(logistic(rows, labels))


def _measured(asked: Sequence[Asked]) -> tuple[list[Asked], Array, Array]:
    """Those whose form alone does not decide, their features, and 1 where an answer is right."""
    kept = [item for item in asked if item.prepared.decision.features is not None]
    rows = np.array([astuple(item.prepared.decision.features) for item in kept])
    return kept, rows, np.array([float(item.case.answerable) for item in kept])


def _scores(rows: Array, weights: Array) -> Array:
    return np.asarray(rows @ weights[:-1] + weights[-1])


def _print_weights(weights: Array) -> None:
    names = [f.name for f in fields(Features)]
    print("  weights:", dict(zip([*names, "intercept"], weights.round(2).tolist(), strict=True)))


def _errors(scores: Array, labels: Array, kept: Sequence[Asked]) -> str:
    at = []
    for false_refusals in (0.02, 0.04, 0.05, 0.08):
        threshold = np.quantile(scores[labels > 0], false_refusals)
        refused = (scores < threshold)[labels == 0].mean()
        stated = [s < threshold for s, item in zip(scores, kept, strict=True) if item.case.reason == "not_stated"]
        at.append(
            f"{false_refusals:.0%} false refusals → {refused:.1%} refused (not_stated {np.mean(stated):.1%}, p>{1 / (1 + np.exp(-threshold)):.2f})"
        )
    return f"n={len(kept)} " + "; ".join(at)


def _expected(item: Asked) -> object:
    evidence = item.prepared.evidence
    if evidence is None or not item.case.answerable or not item.case.papers:
        return None
    return next((paper for paper in evidence.papers if paper.paper.title == item.case.papers[0]), None)


def _facts(case: Case, text: str) -> set[int]:
    return {i for i, fact in enumerate(case.facts) if any(occurs(alternative, text) for alternative in fact)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--selector", help="folder of a trained selector; `shipped` for the shipped one")
    arguments = parser.parse_args()
    selector = None
    if arguments.selector:
        from assistant.selector import Selector

        selector = Selector.load(None if arguments.selector == "shipped" else Path(arguments.selector))
    asked = ask_all(selector)
    print(f"{len(asked)} dev questions over {len(bundled())} corpora")
    print("sentences")
    fit_sentences(asked, with_selector=selector is not None)
    print("refusals")
    fit_decision(asked)
    if selector is not None:
        by_hand = ask_written(selector)
        print(
            f"refusals, with {len(by_hand)} written questions over {len({item.dataset for item in by_hand})} corpora"
        )
        fit_both(asked, by_hand)


if __name__ == "__main__":
    main()
