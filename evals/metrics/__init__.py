"""Metrics, one idea a file; each file's docstring has formula and source. `ALL` is their order in reports."""

from evals.metrics import (
    citation_support,
    citation_validity,
    effort,
    facts,
    number_fidelity,
    outcome,
    papers,
    quote_exactness,
    refusals,
    retrieval,
    unsupported,
)
from evals.scores import Metric

ALL: tuple[Metric, ...] = (
    *outcome.METRICS,
    *facts.METRICS,
    *papers.METRICS,
    *refusals.METRICS,
    *citation_validity.METRICS,
    *citation_support.METRICS,
    *unsupported.METRICS,
    *quote_exactness.METRICS,
    *number_fidelity.METRICS,
    *retrieval.METRICS,
    *effort.METRICS,
)
BY_NAME: dict[str, Metric] = {metric.name: metric for metric in ALL}

__all__ = ["ALL", "BY_NAME"]
