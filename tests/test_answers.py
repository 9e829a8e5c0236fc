"""The claim ledger and the JSON form of answers: offsets, numbering and order hold for arbitrary sentences."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.answers import Abstention, Answer, paper_summary
from assistant.evidence import Evidence
from assistant.ledger import Numbering, citations_of, quoted
from assistant.papers import Paper
from assistant.quotes import Part
from assistant.testing import TINY_PAPERS, HashEmbedder, tiny_library
from tests.made_evidence import found, made

SENTENCES = st.text(min_size=1, max_size=60).filter(lambda text: text.strip() == text and bool(text))
DRAFTS = st.lists(
    st.tuples(st.text(min_size=1, max_size=20), st.lists(SENTENCES, min_size=1, max_size=3), st.booleans()),
    min_size=0,
    max_size=4,
)


@cache
def like() -> Evidence:
    with TemporaryDirectory() as folder, tiny_library(Path(folder), embedder=HashEmbedder()) as library:
        return found(library, "What does QuietNet reach?")


def parts(drafts: list[tuple[str, list[str], bool]]) -> list[Part]:
    evidence = made(like(), *((title, texts) for title, texts, _ in drafts))
    return [
        Part(paper.paper, paper.sentences, lead) for paper, (_, _, lead) in zip(evidence.papers, drafts, strict=True)
    ]


@settings(max_examples=100, deadline=None)
@given(DRAFTS)
def test_a_ledger_points_at_its_characters(drafts: list[tuple[str, list[str], bool]]) -> None:
    said = parts(drafts)
    said = [*said, *said[:1]]  # a paper that is used again keeps its number
    ledger = quoted(said)
    assert len(ledger.claims) == sum(len(part.sentences) for part in said)
    ended = 0
    for claim in ledger.claims:
        assert ledger.text[claim.start : claim.end] == claim.text
        assert claim.start >= ended
        ended = claim.end
        (citation,) = claim.citations
        assert claim.text == f"{citation.quote} [{citation.key}]"
        assert citation.paper.abstract[citation.start : citation.end] == citation.quote
    assert ended == len(ledger.text)
    keys = list(dict.fromkeys(citation.key for citation in ledger.citations))
    assert keys == [str(number) for number in range(1, len(keys) + 1)]
    assert ledger.citations == citations_of(ledger.claims)
    assert len(set(ledger.citations)) == len(ledger.citations)


@given(st.lists(st.sampled_from(TINY_PAPERS)))
def test_papers_are_numbered_in_order_of_first_use(papers: list[Paper]) -> None:
    numbering = Numbering()
    keys = [numbering.key(paper) for paper in papers]
    order = list(dict.fromkeys(paper.id for paper in papers))
    assert keys == [str(order.index(paper.id) + 1) for paper in papers]


def test_the_json_form_holds_the_whole_answer() -> None:
    ledger = quoted(parts([("A title", ["One sentence.", "Another."], True)]))
    answer = Answer(
        "q", "q", "answered", ledger.text, ledger.claims, ledger.citations, None, "r1", "quotes", 0.5, ("n",)
    )
    told = json.loads(json.dumps(answer.to_dict()))
    assert [claim["text"] for claim in told["claims"]] == [claim.text for claim in answer.claims]
    assert told["citations"] == [citation for claim in told["claims"] for citation in claim["citations"]]
    assert set(told["citations"][0]) == {"key", "paper", "passage_id", "quote", "start", "end"}
    assert told["abstention"] is None
    refusal = Abstention("not_stated", "It does not say.", TINY_PAPERS[:1])
    refused = replace(answer, status="abstained", text=refusal.message, claims=(), citations=(), abstention=refusal)
    told = json.loads(json.dumps(refused.to_dict()))
    assert told["abstention"] == {
        "reason": "not_stated",
        "message": "It does not say.",
        "nearest_papers": [paper_summary(TINY_PAPERS[0])],
    }
