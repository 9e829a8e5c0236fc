"""Number fidelity: the numbers of an answer are those of its evidence.

Per answer: the share of numbers written in its sentences (digits; markers aside; 1,000 = 1000, 94.0 = 94) that occur in what the same sentence cites: title and quote, or the abstract where only a paper is named. A number in a
sentence that cites nothing counts as unfaithful. Does not apply to answers without numbers.
"""

from __future__ import annotations

from evals.matching import numbers
from evals.scores import Judged, Metric, Score


def measure(judged: Judged) -> Score | None:
    """See the module."""
    if judged.response.status != "answered":
        return None
    total = 0
    strange: list[str] = []
    for said in judged.response.said:
        available = {number for cited in said.citations for number in numbers(judged.evidence(cited))}
        written = numbers(said.text)
        total += len(written)
        strange += [number for number in written if number not in available]
    if not total:
        return None
    return Score(1 - len(strange) / total, f"not in the evidence: {', '.join(strange[:5])}" if strange else "")


METRICS = (Metric("number_fidelity", "numbers that occur in what their sentence cites", "higher", measure),)
