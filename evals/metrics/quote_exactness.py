"""Quote exactness: what an answer shows as verbatim is verbatim.

Over the sentences that the system itself labels `quoted`, and the passages of an answer that stand in double
quotation marks (four words or more): the share found character for character in an abstract that the sentence cites.
For a `quoted` sentence, each cited quote must occur in it unchanged, citation markers aside; an introduction before
the quote is allowed. A sentence that is shortened visibly cites each of its pieces: they must stand in order, with
nothing but brackets (`[…]`, `[ExPO]`) between them. Matching is exact by intent: peers match "quotes" at 35-75 % similarity and call them quotes.
"""

from __future__ import annotations

import re

from assistant import elision
from evals.matching import without_markers
from evals.responses import Said
from evals.scores import Judged, Metric, Score

_IN_MARKS = re.compile(r"[“\"]([^“”\"]+)[”\"]")
_MIN_WORDS = 4  # shorter ones are terms and titles, not quotations


def quotations(said: Said) -> tuple[str, ...]:
    """Passages of a sentence in double quotation marks that are long enough to be quotations."""
    found = (match.group(1).strip() for match in _IN_MARKS.finditer(without_markers(said.text)))
    return tuple(text for text in found if len(text.split()) >= _MIN_WORDS)


def _exact(judged: Judged, said: Said) -> list[bool]:
    papers = [paper for cited in said.citations if (paper := judged.corpus.of(cited))]
    if said.verdict == "quoted":
        quotes = [cited.quote for cited in said.citations if cited.quote is not None]
        text = without_markers(said.text)
        return [bool(quotes) and _in_order(text, [without_markers(quote) for quote in quotes])]
    return [
        any(text in paper.abstract or text.rstrip(".,;") in paper.abstract or text == paper.title for paper in papers)
        for text in quotations(said)
    ]


def _in_order(text: str, quotes: list[str]) -> bool:
    """Whether every quote occurs, and what is said from the first piece of a shortened sentence on is only them."""
    if not all(quote in text for quote in quotes):
        return False
    return elision.ELLIPSIS not in text or elision.only_brackets_between(text[text.find(quotes[0]) :].strip(), quotes)


def measure(judged: Judged) -> Score | None:
    """See the module; does not apply to an answer that quotes nothing."""
    if judged.response.status != "answered":
        return None
    found = [(exact, said) for said in judged.response.said for exact in _exact(judged, said)]
    if not found:
        return None
    wrong = [said.text for exact, said in found if not exact]
    return Score(1 - len(wrong) / len(found), "; ".join(wrong[:2]))


METRICS = (Metric("quote_exactness", "quotes that are verbatim", "higher", measure),)
