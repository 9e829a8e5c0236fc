"""A run: what every case came to, and the summary over them. Plain values that JSON keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from evals.cases import Case, parse
from evals.metrics import BY_NAME
from evals.metrics.outcome import Outcome
from evals.responses import Response
from evals.scores import Score
from evals.statistics.intervals import Estimate
from evals.statistics.risk import Bin, Curve

VerdictName = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A sentence of an answer, what the system said of it, and what the run's verifier says."""

    text: str
    claimed: str | None  # the system's own verdict
    verdict: str  # the verifier's: supported, partial, unsupported, contradicted, uncited, unscored
    score: float | None
    evidence: tuple[str, ...]  # "[1] Title: quote"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case with its response, outcome and scores by metric name; a metric that does not apply is absent."""

    case: Case
    response: Response
    outcome: Outcome
    scores: Mapping[str, Score]
    ledger: tuple[LedgerLine, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """A line of a run's cases.jsonl."""
        return {
            "case": self.case.to_dict(),
            "outcome": self.outcome,
            "scores": {name: asdict(score) for name, score in self.scores.items()},
            "response": self.response.to_dict(),
            "ledger": [asdict(line) for line in self.ledger],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CaseResult:
        """The inverse of `to_dict`."""
        return cls(
            case=parse(data["case"], "record"),
            response=Response.from_dict(data["response"]),
            outcome=data["outcome"],
            scores={name: Score(**score) for name, score in data["scores"].items()},
            ledger=tuple(LedgerLine(**{**line, "evidence": tuple(line["evidence"])}) for line in data["ledger"]),
        )


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """A metric over a run (or one kind of its cases). `applicable` = scored + unscored; errors count as unscored."""

    name: str
    says: str
    better: str
    unit: str
    applicable: int
    unscored: int
    estimate: Estimate | None

    @property
    def scored(self) -> int:
        """Cases that have a value."""
        return self.applicable - self.unscored


@dataclass(frozen=True, slots=True)
class BoundVerdict:
    """Whether a declared bound was reached; `inconclusive` says in `why` what would decide."""

    bound: str
    metric: str
    verdict: VerdictName
    value: float | None
    why: str
    failing: tuple[str, ...] = ()  # ids of cases to look at first


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything about a run but its cases."""

    run_id: str
    system: str
    suite: str
    started: str
    seconds: float
    n: int
    errors: int
    verifier: str
    seed: int
    hashes: Mapping[str, str]
    versions: Mapping[str, str]
    metrics: tuple[MetricSummary, ...]
    kinds: Mapping[str, tuple[MetricSummary, ...]]
    outcomes: Mapping[str, int]
    bounds: tuple[BoundVerdict, ...] = ()
    curve: Curve | None = None
    reliability: tuple[Bin, ...] = ()
    calibration_error: float | None = None
    unanswered: Mapping[str, int] = field(default_factory=dict)  # error messages with their numbers
    datasets: Mapping[str, tuple[MetricSummary, ...]] = field(default_factory=dict)  # where there are several

    @property
    def verdict(self) -> VerdictName:
        """The worst verdict of the bounds: fail, then inconclusive, then pass."""
        found = {bound.verdict for bound in self.bounds}
        return "fail" if "fail" in found else "inconclusive" if "inconclusive" in found else "pass"

    def metric(self, name: str) -> MetricSummary:
        """The summary of the metric `name`; KeyError for another."""
        return next_or_raise(self.metrics, name)

    def to_dict(self) -> dict[str, Any]:
        """summary.json."""
        return {"schema": 1, "verdict": self.verdict, **asdict(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Summary:
        """The inverse of `to_dict`."""
        plain = {key: value for key, value in data.items() if key not in ("schema", "verdict")}
        curve = plain["curve"]
        plain["metrics"] = _metrics(plain["metrics"])
        for part in ("kinds", "datasets"):
            plain[part] = {name: _metrics(metrics) for name, metrics in plain.get(part, {}).items()}
        plain["bounds"] = tuple(BoundVerdict(**{**one, "failing": tuple(one["failing"])}) for one in plain["bounds"])
        plain["curve"] = curve and Curve(
            **{**curve, "coverage": tuple(curve["coverage"]), "risk": tuple(curve["risk"])}
        )
        plain["reliability"] = tuple(Bin(**one) for one in plain["reliability"])
        return cls(**plain)


def _metrics(items: Iterable[Mapping[str, Any]]) -> tuple[MetricSummary, ...]:
    return tuple(
        MetricSummary(**{**item, "estimate": item["estimate"] and Estimate(**item["estimate"])}) for item in items
    )


def next_or_raise(metrics: Sequence[MetricSummary], name: str) -> MetricSummary:
    """The metric `name` among `metrics`."""
    for metric in metrics:
        if metric.name == name:
            return metric
    raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Run:
    """One recorded evaluation."""

    summary: Summary
    results: tuple[CaseResult, ...]

    def value(self, metric: str) -> float | None:
        """The mean of a metric over this run, None when nothing was scored."""
        estimate = self.summary.metric(metric).estimate
        return None if estimate is None else estimate.mean


def scored(results: Iterable[CaseResult], metric: str, keep: Callable[[Case], bool] = lambda case: True) -> Scored:
    """Values of one metric with their groups and case ids, and how many cases went unscored."""
    values: list[float] = []
    groups: list[str] = []
    ids: list[str] = []
    unscored: list[str] = []
    for result in results:
        score = result.scores.get(metric)
        if score is None or not keep(result.case):
            continue
        if score.value is None:
            unscored.append(result.case.id)
            continue
        values.append(score.value)
        groups.append(result.case.group)
        ids.append(result.case.id)
    return Scored(tuple(values), tuple(groups), tuple(ids), tuple(unscored))


@dataclass(frozen=True, slots=True)
class Scored:
    """One metric's values in case order."""

    values: tuple[float, ...]
    groups: tuple[str, ...]
    ids: tuple[str, ...]
    unscored: tuple[str, ...]


def summarise(
    results: Sequence[CaseResult], metric: str, keep: Callable[[Case], bool] = lambda case: True, seed: int = 0
) -> MetricSummary | None:
    """One metric over `results`; None when it applies to no case."""
    from evals.statistics.intervals import estimate

    definition = BY_NAME[metric]
    found = scored(results, metric, keep)
    applicable = len(found.values) + len(found.unscored)
    if not applicable:
        return None
    interval = estimate(found.values, found.groups, unit=definition.unit, binary=definition.binary, seed=seed)
    return MetricSummary(
        metric, definition.says, definition.better, definition.unit, applicable, len(found.unscored), interval
    )
