"""Effort: what an answer costs its reader and its owner.

words: whitespace-separated words of an answer without markers; seconds: wall time of the call; tokens: input plus
output as the system reports them; cost: from the prices given with the system. What a system does not report is
unscored, never 0.
"""

from __future__ import annotations

from evals.matching import without_markers
from evals.scores import Judged, Metric, Score

MOST_WORDS_OF_A_FACT = 80  # design target for an answer to a single fact


def measure_words(judged: Judged) -> Score | None:
    """Words of an answer."""
    return (
        Score(float(len(without_markers(judged.response.text).split())))
        if judged.response.status == "answered"
        else None
    )


def measure_brief(judged: Judged) -> Score | None:
    """1 iff an answer to a single fact stays within 80 words."""
    words = measure_words(judged)
    return None if words is None or words.value is None else Score(float(words.value <= MOST_WORDS_OF_A_FACT))


def measure_seconds(judged: Judged) -> Score | None:
    """Wall time of the call."""
    seconds = judged.response.seconds
    return Score(seconds) if seconds is not None else Score.unscored("not timed")


def measure_tokens(judged: Judged) -> Score | None:
    """Input and output tokens."""
    usage = judged.response.usage
    if usage.input_tokens is None or usage.output_tokens is None:
        return Score.unscored("the system reports no usage")
    return Score(float(usage.input_tokens + usage.output_tokens))


def measure_cost(judged: Judged) -> Score | None:
    """Cost at the given prices."""
    cost = judged.response.usage.cost
    return Score(cost) if cost is not None else Score.unscored("no prices given")


METRICS = (
    Metric("words", "words of an answer", "neither", measure_words, unit="words"),
    Metric(
        "brief",
        "answers to a single fact within 80 words",
        "higher",
        measure_brief,
        binary=True,
        applies=lambda case: case.kind == "fact" and case.answerable,
    ),
    Metric("seconds", "time to answer", "lower", measure_seconds, unit="s"),
    Metric("tokens", "tokens read and written by the model", "lower", measure_tokens, unit="tokens"),
    Metric("cost", "cost of an answer", "lower", measure_cost, unit="cost"),
)
