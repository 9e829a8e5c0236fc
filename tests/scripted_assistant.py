"""A scripted stand-in for `assistant.Assistant`, for tests of the page alone: one paper, hostile on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assistant.answers import (
    Abstention,
    Answer,
    Citation,
    Claim,
    ClaimVerified,
    Event,
    Finding,
    Finished,
    Retrieved,
    Token,
)
from assistant.errors import ModelUnavailable
from assistant.papers import Hit, Paper, Passage, Span
from assistant.records import new_id

if TYPE_CHECKING:
    from assistant.library import Library

PAPER = Paper(
    id="title:0001",
    title='Prompts & **bold** <img src="http://192.0.2.1/x.png" onerror="document.title=1">',
    abstract=(
        "We assess 60 combinations of system messages on $GSM8K$. <script>document.title='taken'</script> "
        "See ![a](http://192.0.2.1/y.png) for more. <a href='javascript:alert(1)'>Click</a> or [here](javascript:alert(2))."
    ),
    authors=("Rick Battle", "Teja Gollapudi", "A. Third", "B. <svg onload=alert(3)> Fourth"),
    year=2024,
    url="javascript:alert(4)",
)
QUOTE = "We assess 60 combinations of system messages on $GSM8K$."


def citation(quote: str = QUOTE, key: str = "1", paper: Paper = PAPER) -> Citation:
    start = paper.abstract.index(quote)
    return Citation(key, paper, f"{paper.id}#0", quote, start, start + len(quote))


def answered(question: str) -> Answer:
    """One quoted sentence with its reference."""
    text = f"{QUOTE[:-1]} [1]."
    claim = Claim(text, 0, len(text), "quoted", 1.0, (citation(),))
    return Answer(question, question, "answered", text, (claim,), (citation(),), None, "r1", "quotes", 0.12)


def judged(question: str) -> Answer:
    """A sentence of each verdict, with a finding where a check would have one."""
    claims, text = [], ""
    for verdict in ("quoted", "supported", "partial", "unsupported", "contradicted", "uncited", "unscored"):
        words = f"They assess 60 combinations, as a {verdict} sentence says [1]."
        words = words if verdict != "uncited" else words.replace(" [1]", "")
        start = len(text) + bool(text)
        text = f"{text} {words}" if text else words
        cited = (citation(),) if verdict != "uncited" else ()
        findings = (
            () if verdict in ("quoted", "supported") else (Finding("number", f"the <b>number</b> is {verdict}"),)
        )
        claims.append(Claim(words, start, len(text), verdict, 0.5, cited, findings))
    return Answer(
        question, question, "answered", text, tuple(claims), (citation(),), None, "r3", "chat:scripted", 1.5
    )


def refused(question: str) -> Answer:
    """A refusal that offers the one paper."""
    abstention = Abstention("not_stated", "Papers on this are here, but their abstracts do not say.", (PAPER,))
    return Answer(question, question, "abstained", abstention.message, (), (), abstention, "r2", "quotes", 0.05)


def retrieved(question: str) -> Retrieved:
    """The one paper, found."""
    passage = Passage(f"{PAPER.id}#0", PAPER.id, 0, 0, len(QUOTE), QUOTE, 0, (Span(0, len(QUOTE)),))
    return Retrieved(question, (Hit(PAPER, 1.0, 1, (passage,)),), (passage,))


class ScriptedAssistant:
    """Refuses a question that holds "hardware", fails on "broken", breaks down on "bug", has every verdict on "judged",
    goes on for ever on "slow", and answers the others. Keeps what it said where it has a library.

    `asked` has each question with its conversation; `closed` the questions that were stopped on the way.
    """

    def __init__(self, library: Library | None = None) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.closed: list[str] = []
        self._library = library
        self._conversations = 0

    def conversation(self, conversation_id: str | None = None) -> str:
        self._conversations += 1
        return conversation_id or f"conversation {self._conversations}"

    async def astream(
        self, question: str, *, filters: Mapping[str, Any] | None = None, conversation: Any = None
    ) -> AsyncIterator[Event]:
        self.asked.append((question, conversation))
        if "broken" in question:
            raise ModelUnavailable("model 'x' did not answer within 1 s; start it, or use --model quotes")
        if "bug" in question:
            raise ZeroDivisionError("a fault of ours")
        yield retrieved(question)
        answer = self._kept(self._answer(question), conversation)
        for event in _events(answer.text, answer.claims):
            yield event
        if "slow" in question:
            try:
                await asyncio.sleep(3600)
            finally:
                self.closed.append(question)
        if self._library is not None and conversation is not None:
            self._library.append_turn(conversation, question, question, answer.record_id)
        yield Finished(answer)

    def _answer(self, question: str) -> Answer:
        if "hardware" in question:
            return refused(question)
        return judged(question) if "judged" in question else answered(question)

    def _kept(self, answer: Answer, conversation: Any) -> Answer:
        if self._library is None:
            return answer
        whole = Answer(**{**{name: getattr(answer, name) for name in Answer.__slots__}, "record_id": new_id()})
        evidence = [
            {"paper_id": cited.paper.id, "passage_id": cited.passage_id, "start": cited.start, "end": cited.end, "text": cited.quote}
            for cited in whole.citations
        ]  # fmt: skip
        record = {"id": whole.record_id, "question": whole.question, "answer": whole.to_dict()}
        self._library.save_record({**record, "evidence": evidence, "conversation_id": conversation})
        return whole


def _events(text: str, claims: Sequence[Claim]) -> list[Event]:
    if not claims:
        return [Token(text)]
    events: list[Event] = []
    position = 0
    for claim in claims:
        events += [Token(text[position : claim.end]), ClaimVerified(claim)]
        position = claim.end
    return events
