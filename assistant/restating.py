"""A follow-up made stand-alone by the chat model, where there is one; what the rules made of it stands behind it.

The model is given the past turns as numbered data. Its words are taken only when they can be the question that was asked;
else, and when it fails or is slow, the rules' question is kept. Which papers are meant is the rules' word in any case.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from assistant import attribution, cleaning, pointing, prompting, triage
from assistant.chat_model import Reply
from assistant.errors import IbidError
from assistant.spending import Call
from assistant.standalone import Exchange, Restated, StandAlone
from assistant.terms import terms

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

TIMEOUT_S = 6.0  # nothing is shown to the user while the model restates
_TURNS = 4  # the latest ones
_PAPERS = 4  # of a turn
_LINE = 200  # characters of a question or title as sent
_MOST_CHARACTERS = 300  # of a question; more is an answer
_MOST_READ = 2_000  # characters of a reply, a block of thought included: the stream is closed there
_LABEL = re.compile(
    r"(?i)^\W{0,3}(?:(?:re(?:written|stated|phrased)|stand-?alone|last|final)\s+)*question\W{0,3}:[\s*]*"
)
_UNABLE = re.compile(
    r"(?i)^\W*(?:(?:i['’]m |i am )?(?:sorry|afraid|unable|not (?:able|sure))\b|i (?:can(?:no|['’])t|do(?: not|n['’]t)|could)\b"
    r"|as an? (?:ai|language model)\b|(?:unfortunately|apologies)\b|not stated\b|none\W*$|n/a\b"
    r"|there (?:is|are) (?:no|not)\b|(?:it|this|the (?:last )?question) (?:is|isn['’]t|can ?not|can['’]t) (?:not )?"
    r"(?:unclear|clear|ambiguous|possible|be)\b)"
)
_QUOTES = (('"', '"'), ("“", "”"), ("'", "'"), ("`", "`"), ("**", "**"))


def wanted(question: str, standalone: StandAlone) -> bool:
    """Whether a model is asked at all: a question that may lean on the past, and not one for the last answer's form."""
    if standalone.kind == "restyled" or triage.not_for_a_corpus(question):
        return False
    return standalone.kind != "own" or bool(standalone.context)


async def restated(
    connect: Callable[[], Awaitable[BaseChatModel]],
    question: str,
    past: Sequence[Exchange],
    standalone: StandAlone,
    *,
    timeout_s: float = TIMEOUT_S,
) -> StandAlone:
    """`standalone` with the model's question where that can be taken; raises nothing of the model's and waits at most
    `timeout_s`. `standalone.restated` tells both texts, and why the model's was not taken."""
    if not wanted(question, standalone):
        return standalone
    started, text, call, usage, why = time.perf_counter(), "", None, None, ""
    try:
        async with asyncio.timeout(timeout_s):
            model = await connect()
            if not getattr(model, "restates", True):  # a model of this machine would take most of the time for it
                return standalone
            reply = Reply(model)
            sent = _messages(question, past)
            call = Call(None, "\n".join(str(message.content) for message in sent), "")
            async with aclosing(reply.pieces(sent)) as pieces:
                async for piece in pieces:
                    text += piece
                    call, usage = replace(call, came=text), reply.usage
                    if len(text) > _MOST_READ:
                        break
            usage = reply.usage
    except TimeoutError:
        why = f"no reply within {timeout_s:g} seconds"
    except IbidError as error:
        why = f"the model failed: {error}"
    proposed = _bare(text)
    why = why or objection(question, standalone, proposed)
    told = Restated(
        by="rules" if why else "model",
        rules=standalone.query,
        model=proposed[:_MOST_READ],
        kept_because=why,
        seconds=round(time.perf_counter() - started, 3),
        prompt=prompting.prompt("standalone").digest,
        call=replace(call, usage=usage) if call else None,
    )
    return replace(standalone, query=standalone.query if why else proposed, restated=told)


def objection(question: str, standalone: StandAlone, proposed: str) -> str:
    """Why a model's text cannot be the question that was asked; empty when it can."""
    if not proposed:
        return "the reply was empty"
    if "\n" in proposed:
        return "the reply had several lines"
    if len(proposed) > _MOST_CHARACTERS:
        return f"the reply was longer than {_MOST_CHARACTERS} characters"
    if _UNABLE.match(proposed) or attribution.absent(proposed):
        return "the model said that it cannot"
    if pointing.refers(proposed) and not pointing.refers(standalone.query):
        return "the reply still points at the past"
    said = question
    for words, _ in standalone.filled:  # "the second one" is rightly gone from a question that stands alone
        said = said.replace(words, " ") if words else said
    content = set(terms(said)) or set(terms(standalone.query))
    if content and not content & set(terms(proposed)):
        return "the reply dropped every word of the question"
    return ""


def _bare(text: str) -> str:
    """The reply without thought, a label before it, and marks around it."""
    bare = _LABEL.sub("", attribution.without_thought(text).strip()).strip()
    for begin, end in _QUOTES:
        if len(bare) > len(begin) + len(end) and bare.startswith(begin) and bare.endswith(end):
            inner = bare[len(begin) : -len(end)]
            bare = inner.strip() if begin not in inner and end not in inner else bare
    return bare


def _messages(question: str, past: Sequence[Exchange]) -> list[BaseMessage]:
    from langchain_core.messages import HumanMessage, SystemMessage

    turns = "\n".join(_turn(number, turn) for number, turn in enumerate(past[-_TURNS:], start=1))
    data = prompting.prompt("standalone-turns").fill(turns=turns, question=_line(question, _MOST_READ))
    return [SystemMessage(prompting.prompt("standalone").text.strip()), HumanMessage(data.strip())]


def _turn(number: int, turn: Exchange) -> str:
    titles = "".join(f" ({at}) {_line(paper.title)}" for at, paper in enumerate(turn.papers[:_PAPERS], start=1))
    return f"[{number}] Question: {_line(turn.query)}\n    Papers of the answer:{titles or ' none'}"


def _line(text: str, most: int = _LINE) -> str:
    """Cleaned, cut, and on one line: no stored text can begin a line of the prompt."""
    plain = " ".join(cleaning.clean(text).text.split())
    return plain if len(plain) <= most else plain[:most] + " …"
