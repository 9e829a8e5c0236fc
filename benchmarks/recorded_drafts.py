"""The evidence of a recorded prompt as sentences again, so that a draft can be judged without library or model."""

from __future__ import annotations

import re

from assistant.evidence import Sentence
from assistant.papers import Paper
from assistant.scoring import SentenceFeatures

_NUMBERED = re.compile(r"\[(\d+)\] (.*)")


def evidence_of(prompt: str) -> tuple[Sentence, ...]:
    """The sentences that a prompt made by `prompting.messages` shows, in order; titles are the papers' ids."""
    papers: list[tuple[str, list[str]]] = []
    for line in prompt.partition("\n\nQuestion:")[0].splitlines()[1:]:
        if line.startswith("Paper: "):
            papers.append((line.removeprefix("Paper: "), []))
        elif match := _NUMBERED.match(line):
            papers[-1][1].append(match.group(2))
    blank = SentenceFeatures(*[0.0] * len(SentenceFeatures.__dataclass_fields__))
    found: list[Sentence] = []
    for title, texts in papers:
        paper, start = Paper(f"title:{title}", title, "\n".join(texts)), 0
        for ordinal, text in enumerate(texts):
            end = start + len(text)
            found.append(Sentence(paper, f"{paper.id}#0", ordinal, len(texts), start, end, text, blank, frozenset()))
            start = end + 1
    return tuple(found)
