"""The ledger on what a real local model drafted: prompts and raw drafts recorded once, judged again on every run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assistant import attribution
from assistant.answers import Claim
from assistant.ledger import Numbering
from assistant.verification import verify
from benchmarks.recorded_drafts import evidence_of

# Drafts of Qwen2.5-Coder-1.5B-Instruct Q4_K_M, from benchmarks/local_model.py; `holds` is read by a person: for each
# sentence of the draft, whether the evidence in its prompt says so; a reply without words says nothing. `passed` are the
# sentences that the verifier let through all the same when they were recorded: known faults, to become fewer.
RECORDED = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "local_drafts.jsonl").read_text("utf-8").splitlines()
]
_HELD = {"quoted", "supported", "partial"}


def claims(recorded: dict[str, Any]) -> list[Claim]:
    evidence, numbering, draft = evidence_of(recorded["prompt"]), Numbering(), recorded["draft"]
    said = [attribution.parse(draft[span.start : span.end], evidence) for span in attribution.split(draft)]
    return [attribution.write(attribution.attribute(s, evidence, verify), numbering, evidence, 0) for s in said]


def test_there_are_drafts_of_every_sort() -> None:
    assert len(RECORDED) >= 50
    assert len({(recorded["prompt"], recorded["draft"]) for recorded in RECORDED}) == len(RECORDED)
    assert any(attribution.absent(recorded["draft"]) for recorded in RECORDED)
    assert any(all(recorded["holds"]) for recorded in RECORDED)


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: str(recorded["id"]))
def test_a_real_draft_becomes_claims_that_point_at_characters(recorded: dict[str, Any]) -> None:
    if attribution.absent(recorded["draft"]):
        return  # a refusal: nothing to judge
    found = claims(recorded)
    assert len(found) == len(recorded["holds"])
    for at, (claim, holds) in enumerate(zip(found, recorded["holds"], strict=True)):
        for citation in claim.citations:
            assert citation.paper.abstract[citation.start : citation.end] == citation.quote
            assert f"[{citation.key}]" in claim.text
        if not holds and at not in recorded.get("passed", ()):
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


def test_a_reply_without_words_makes_no_claim_that_is_carried() -> None:
    wordless = [recorded for recorded in RECORDED if not any(letter.isalpha() for letter in recorded["draft"])]
    assert len(wordless) >= 8
    for recorded in wordless:
        assert [claim.verdict for claim in claims(recorded)] == ["unscored"]


def test_a_draft_is_cut_the_same_however_it_comes() -> None:
    for recorded in RECORDED:
        whole = attribution.split(recorded["draft"])
        for at in range(0, len(recorded["draft"]), 7):
            begun = attribution.finished(recorded["draft"][:at])
            assert begun == whole[: len(begun)]
