"""A scripted stand-in for `assistant.Assistant`, for tests of the page alone: one paper, hostile on purpose."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from assistant.answers import Abstention, Answer, Citation, Claim, ClaimVerified, Event, Finished, Token
from assistant.errors import ModelUnavailable
from assistant.papers import Paper

PAPER = Paper(
    id="title:0001",
    title='Prompts & **bold** <img src="http://192.0.2.1/x.png" onerror="document.title=1">',
    abstract=(
        "We assess 60 combinations of system messages on $GSM8K$. <script>document.title='taken'</script> "
        "See ![a](http://192.0.2.1/y.png) for more."
    ),
    authors=("Rick Battle", "Teja Gollapudi", "A. Third", "B. Fourth"),
    year=2024,
)
QUOTE = "We assess 60 combinations of system messages on $GSM8K$."


def citation(quote: str = QUOTE, key: str = "1") -> Citation:
    start = PAPER.abstract.index(quote)
    return Citation(key, PAPER, f"{PAPER.id}#0", quote, start, start + len(quote))


def answered(question: str) -> Answer:
    """One quoted sentence with its reference."""
    text = f"{QUOTE[:-1]} [1]."
    claim = Claim(text, 0, len(text), "quoted", 1.0, (citation(),))
    return Answer(question, question, "answered", text, (claim,), (citation(),), None, "r1", "quotes", 0.12)


def refused(question: str) -> Answer:
    """A refusal that offers the one paper."""
    abstention = Abstention("not_stated", "Papers on this are here, but their abstracts do not say.", (PAPER,))
    return Answer(question, question, "abstained", abstention.message, (), (), abstention, "r2", "quotes", 0.05)


class ScriptedAssistant:
    """Refuses a question that holds "hardware", fails on one that holds "broken", answers the others."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self._conversations = 0

    def conversation(self) -> str:
        self._conversations += 1
        return f"conversation {self._conversations}"

    async def astream(self, question: str, *, conversation: Any = None) -> AsyncIterator[Event]:
        self.asked.append((question, conversation))
        if "broken" in question:
            raise ModelUnavailable("model 'x' did not answer within 1 s; start it, or use --model quotes")
        answer = refused(question) if "hardware" in question else answered(question)
        for word in answer.text.split(" ") if answer.status == "answered" else ():
            yield Token(word + " ")
        for claim in answer.claims:
            yield ClaimVerified(claim)
        yield Finished(answer)
