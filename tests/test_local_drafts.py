"""The ledger on what a real local model drafted: prompts and raw drafts recorded once, judged again on every run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from assistant import attribution
from assistant.answers import Claim
from assistant.evidence import Sentence
from assistant.ledger import Numbering
from assistant.papers import Paper
from assistant.scoring import SentenceFeatures
from assistant.verification import verify

# Drafts of Qwen2.5-Coder-1.5B-Instruct Q4_K_M, from benchmarks/local_model.py; `holds` is read by a person: for each
# sentence of the draft, whether the evidence in its prompt says so.
RECORDED = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "local_drafts.jsonl").read_text("utf-8").splitlines()
]
_NUMBERED = re.compile(r"\[(\d+)\] (.*)")
_HELD = {"quoted", "supported", "partial"}


def shown(prompt: str) -> tuple[Sentence, ...]:
    """The evidence of a recorded prompt."""
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


def claims(recorded: dict[str, Any]) -> list[Claim]:
    evidence, numbering, draft = shown(recorded["prompt"]), Numbering(), recorded["draft"]
    said = [attribution.parse(draft[span.start : span.end], evidence) for span in attribution.split(draft)]
    return [attribution.write(attribution.attribute(s, evidence, verify), numbering, evidence, 0) for s in said]


def test_there_are_drafts_of_every_sort() -> None:
    assert len(RECORDED) >= 6
    assert any(attribution.absent(recorded["draft"]) for recorded in RECORDED)
    assert any(all(recorded["holds"]) for recorded in RECORDED)


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: str(recorded["id"]))
def test_a_real_draft_becomes_claims_that_point_at_characters(recorded: dict[str, Any]) -> None:
    if attribution.absent(recorded["draft"]):
        return  # a refusal: nothing to judge
    found = claims(recorded)
    assert len(found) == len(recorded["holds"])
    for claim, holds in zip(found, recorded["holds"], strict=True):
        for citation in claim.citations:
            assert citation.paper.abstract[citation.start : citation.end] == citation.quote
            assert f"[{citation.key}]" in claim.text
        if not holds:
            assert claim.verdict not in ("quoted", "supported"), claim.text


def test_most_of_what_holds_is_found_to_hold() -> None:
    judged = [
        claim.verdict in _HELD
        for recorded in RECORDED
        if not attribution.absent(recorded["draft"])
        for claim, holds in zip(claims(recorded), recorded["holds"], strict=True)
        if holds
    ]
    assert sum(judged) / len(judged) >= 0.75
