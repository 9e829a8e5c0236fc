"""Citation validity: does a citation point at what it quotes?

Per answer: the share of its citations whose paper is in the corpus and whose offsets give the quote exactly,
`paper.abstract[start:end] == quote` with 0 ≤ start < end ≤ length, and whose key stands as `[key]` in the text.
It must be 1; one wrong offset breaks the product's promise (docs: "Exact places"). A citation without offsets is
valid when its quote occurs verbatim in the abstract; one that names a paper only is unscored, since there is nothing
to check beyond the paper's being there.
"""

from __future__ import annotations

import re

from evals.responses import Cited
from evals.scores import Judged, Metric, Score


def fault(judged: Judged, cited: Cited) -> str | None:
    """What is wrong with a citation, in a line; None when nothing is."""
    paper = judged.corpus.of(cited)
    if paper is None:
        return f"[{cited.key}] names no paper of the corpus: {cited.title!r}"
    if re.search(rf"\[{re.escape(cited.key)}\]", judged.response.text) is None:
        return f"[{cited.key}] does not stand in the text"
    if cited.quote is None:
        return None
    if cited.start is None or cited.end is None:
        return None if cited.quote in paper.abstract else f"[{cited.key}] quotes what {paper.title!r} does not say"
    if not 0 <= cited.start < cited.end <= len(paper.abstract):
        return f"[{cited.key}] has offsets {cited.start}-{cited.end} outside its abstract"
    if paper.abstract[cited.start : cited.end] != cited.quote:
        return f"[{cited.key}] has offsets {cited.start}-{cited.end} that do not give its quote"
    return None


def measure(judged: Judged) -> Score | None:
    """See the module."""
    citations = list(judged.response.citations)
    citations += [cited for said in judged.response.said for cited in said.citations if cited not in citations]
    if judged.response.status != "answered" or not citations:
        return None
    faults = [found for cited in citations if (found := fault(judged, cited))]
    if not faults and all(cited.quote is None for cited in citations):
        return Score.unscored("citations name papers, not places")
    return Score(1 - len(faults) / len(citations), "; ".join(faults[:3]))


METRICS = (Metric("citation_validity", "citations whose offsets give their quote exactly", "higher", measure),)
