"""What else was read for an answer: the sentences that its record kept beside those that it cites."""

from __future__ import annotations

from assistant.records import Evidence
from ui import standing
from ui.chat.stored import Recalled
from ui.rendering import count, escape, readable


def considered(recalled: Recalled) -> str:
    """The sentences by paper, folded away; empty where there are none or their papers are gone."""
    cited = {(citation.paper.id, citation.start, citation.end) for citation in recalled.answer.citations}
    read: dict[str, list[Evidence]] = {}
    for item in recalled.evidence:
        here = item.paper_id in recalled.papers and item.paper_id not in recalled.gone
        if here and (item.paper_id, item.start, item.end) not in cited:
            read.setdefault(item.paper_id, []).append(item)
    if not read:
        return ""
    sentences = sum(map(len, read.values()))
    papers = "".join(_paper(recalled, paper_id, items) for paper_id, items in read.items())
    said = f"Also read: {count(sentences, 'sentence')} of {count(len(read), 'paper')}"
    return f'<details class="ibid-considered"><summary>{said}</summary>{papers}</details>'


def _paper(recalled: Recalled, paper_id: str, items: list[Evidence]) -> str:
    paper = recalled.papers[paper_id]
    sentences = "".join(
        f'<button type="button" data-do="paper" data-paper="{escape(paper_id)}" data-start="{item.start}" '
        f'data-end="{item.end}">{readable(item.text)}</button>'
        for item in sorted(items, key=lambda item: item.start)
    )
    return f'<div class="ibid-title">{readable(paper.title)}{standing.mark(paper)}</div>{sentences}'
