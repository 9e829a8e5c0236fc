"""Unsupported sentences: the share of an answer's sentences that nothing it cites carries.

unsupported_rate = |sentences with verifier verdict unsupported or contradicted, or without citation| / |sentences|.
Unlike 1 − citation recall it lets `partial` through: it counts what a reader must not believe (FActScore's
complement, Min et al. 2023, on the level of sentences). Of all metrics the nearest to "hallucination rate".
"""

from __future__ import annotations

from evals.metrics.citation_support import sentences, support
from evals.scores import Judged, Metric, Score

_BAD = frozenset({"unsupported", "contradicted", "uncited"})


def measure(judged: Judged) -> Score | None:
    """See the module."""
    if judged.response.status != "answered":
        return None
    said = sentences(judged)
    if not said:
        return Score.unscored("an answer without sentences")
    verdicts = [support(judged, one).verdict for one in said]
    if "unscored" in verdicts:
        return Score.unscored("the verifier left a sentence unscored")
    bad = [one.text for one, verdict in zip(said, verdicts, strict=True) if verdict in _BAD]
    return Score(len(bad) / len(said), "; ".join(bad[:2]))


METRICS = (Metric("unsupported_rate", "sentences that nothing they cite carries", "lower", measure),)
