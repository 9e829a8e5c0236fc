"""How good is a verifier? Caught faults by kind, false alarms on faithful claims, and AUROC on labelled pairs.

A fault counts as caught when the verdict is anything but `supported`; a faithful claim counts as passed when it is
`supported`. Intervals are Wilson's, clustered by paper. AUROC is the Mann-Whitney U of the scores over n₁n₂ (Hanley &
McNeil 1982; `scipy.stats.mannwhitneyu`). Unscored pairs are counted, and left out of both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import InputError
from evals.faults import FAITHFUL, FAULTS, Planted
from evals.reports import numbers
from evals.reports.markdown import table
from evals.scores import Verifier, VerifierVerdict
from evals.statistics.intervals import Estimate, estimate

LABELLED = ("scifact", "healthver", "factcheckgpt", "wice")
_POSITIVE = frozenset({"SUPPORT", "SUPPORTED", "supported"})


@dataclass(frozen=True, slots=True)
class KindReport:
    """One kind of planted claim: the share judged rightly (caught, or for faithful kinds passed)."""

    kind: str
    faithful: bool
    right: Estimate | None
    unscored: int
    missed: tuple[str, ...]  # a few claims judged wrongly


@dataclass(frozen=True, slots=True)
class VerifierReport:
    """A verifier on planted claims. `auroc` separates faithful from faulty by score; None with one class only."""

    kinds: tuple[KindReport, ...]
    auroc: float | None
    n: int

    def kind(self, name: str) -> KindReport:
        """The report on one kind; KeyError for another."""
        return {one.kind: one for one in self.kinds}[name]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A pair that people have judged."""

    claim: str
    evidence: tuple[str, ...]
    supported: bool


def check(verifier: Verifier, planted: Sequence[Planted], seed: int = 0) -> VerifierReport:
    """Judges every planted claim."""
    verdicts = [verifier(one.claim, one.evidence) for one in planted]
    kinds = []
    for kind in (*FAITHFUL, *FAULTS):
        of_kind = [(one, verdict) for one, (verdict, _) in zip(planted, verdicts, strict=True) if one.kind == kind]
        if of_kind:
            kinds.append(_kind(kind, of_kind, seed))
    scores = [(score, one.faithful) for one, (_, score) in zip(planted, verdicts, strict=True) if score is not None]
    return VerifierReport(tuple(kinds), auroc(scores), len(planted))


def _kind(kind: str, of_kind: Sequence[tuple[Planted, VerifierVerdict]], seed: int) -> KindReport:
    judged = [(one, (verdict == "supported") == one.faithful) for one, verdict in of_kind if verdict != "unscored"]
    right = estimate([float(ok) for _, ok in judged], [one.group for one, _ in judged], binary=True, seed=seed)
    missed = tuple(one.claim for one, ok in judged if not ok)[:5]
    return KindReport(kind, kind in FAITHFUL, right, len(of_kind) - len(judged), missed)


def auroc(scores: Iterable[tuple[float, bool]]) -> float | None:
    """Probability that a faithful claim scores above a faulty one, ties halved; None when a class is absent."""
    from scipy.stats import mannwhitneyu

    pairs = list(scores)
    good, bad = [score for score, ok in pairs if ok], [score for score, ok in pairs if not ok]
    if not good or not bad:
        return None
    return float(mannwhitneyu(good, bad).statistic) / (len(good) * len(bad))


def labelled(data: Path, name: str) -> Iterator[Labelled]:
    """Pairs of a human-labelled set in a data folder: scifact and healthver, factcheckgpt, or wice."""
    path = data / name / ("oracle_chunks.jsonl" if name == "wice" else "grounding.jsonl")
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if row.get("split", "dev") != "train":  # training pairs judge nobody
                    evidence = row["evidence"]
                    texts = (evidence,) if isinstance(evidence, str) else tuple(evidence)
                    yield Labelled(row["claim"], texts, row["label"] in _POSITIVE)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"cannot read labelled pairs of {name!r} from {str(data)!r}: {error!r}") from error


def agreement(verifier: Verifier, pairs: Iterable[Labelled]) -> tuple[float | None, int, int]:
    """AUROC of support against the rest on labelled pairs, with how many were scored and how many unscored."""
    scores: list[tuple[float, bool]] = []
    unscored = 0
    for pair in pairs:
        _, score = verifier(pair.claim, pair.evidence)
        if score is None:
            unscored += 1
        else:
            scores.append((score, pair.supported))
    return auroc(scores), len(scores), unscored


def agreements(verifier: Verifier, data: Path) -> dict[str, tuple[float | None, int, int]]:
    """`agreement` on every human-labelled set that `data` holds."""
    return {name: agreement(verifier, labelled(data, name)) for name in LABELLED if (data / name).is_dir()}


def render(name: str, found: VerifierReport, agreed: Mapping[str, tuple[float | None, int, int]]) -> str:
    """The report as Markdown."""
    rows = [
        [
            one.kind.replace("_", " "),
            "passed" if one.faithful else "caught",
            numbers.value(one.right.mean if one.right else None),
            numbers.interval(one.right),
            str(one.right.n if one.right else 0) + (f" (+{one.unscored} unscored)" if one.unscored else ""),
        ]
        for one in found.kinds
    ]
    parts = [f"verifier {name}: AUROC {numbers.value(found.auroc)} on {found.n} planted claims"]
    parts.append(table(["kind", "", "share", "95 %", "n"], rows))
    if agreed:
        labels = [[key, numbers.value(area), str(n), str(unscored)] for key, (area, n, unscored) in agreed.items()]
        parts.append(
            "support against the rest, as people labelled it:\n\n" + table(["set", "AUROC", "n", "unscored"], labels)
        )
    return "\n\n".join(parts)
