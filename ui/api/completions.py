"""`/v1/chat/completions` and `/v1/models`: OpenAI's protocol, so that its clients and chat front ends can ask.

The library is the model. Citations stand in the text as `[n]` and, whole, in the field `ibid`. Sampling parameters and
tools are taken and mean nothing here. Specification: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from assistant.answers import Answer, Event, Finished, Token
from assistant.errors import NotInLibrary
from ui.api import errors
from ui.api.asking import begun
from ui.api.errors import Refusal
from ui.api.models import MAX_QUESTION, AbstentionOut, CitationOut, ClaimOut
from ui.api.replies import FAILURES, STREAM
from ui.api.serving import Asker, Client, Served, Serving
from ui.api.streaming import EventStream, while_connected
from ui.api.threads import Past, Said

router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"])

_REPEATED = 6  # earlier questions that are asked again for a conversation that this server does not know


class Part(BaseModel):
    model_config = ConfigDict(extra="allow")
    type: str
    text: str | None = None


class Message(BaseModel):
    model_config = ConfigDict(extra="allow")
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    def said(self) -> str:
        """The message's text; raises Refusal where it holds a picture or the like."""
        if not isinstance(self.content, list):
            return self.content or ""
        if strange := [part.type for part in self.content if part.type != "text"]:
            raise Refusal(400, "unsupported_content", f"a part of type {strange[0]!r:.40} cannot be read; send text")
        return "".join(part.text or "" for part in self.content)


class StreamOptions(BaseModel):
    model_config = ConfigDict(extra="allow")
    include_usage: bool = False


class CompletionRequest(BaseModel):
    """The last message is the question; those before it, the conversation. System messages are not read."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "model": "library",
                    "messages": [{"role": "user", "content": "What does cautious weight decay change?"}],
                }
            ]
        },
    )
    model: str
    messages: Annotated[list[Message], Field(min_length=1, max_length=1000)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, Field(ge=1, le=1)] | None = None


class Grounding(BaseModel):
    """Ibid's own field: what the answer rests on. Offsets of claims are into `text`, which is the answer."""

    status: Literal["answered", "abstained"]
    record_id: str
    text: str
    claims: list[ClaimOut]
    citations: list[CitationOut]
    abstention: AbstentionOut | None
    notes: list[str]


class Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Said1(BaseModel):
    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(BaseModel):
    index: int = 0
    message: Said1
    logprobs: None = None
    finish_reason: Literal["stop", "length"]


class Completion(BaseModel):
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    ibid: Grounding


class ModelCard(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class ModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[ModelCard]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request, understood."""

    client: Client
    model: str
    question: str
    before: tuple[Said, ...]
    past: Past | None
    usage: bool
    created: int

    def chunk(self, answer_id: str, choices: list[dict[str, Any]], **more: Any) -> bytes:
        told = {"id": answer_id, "object": "chat.completion.chunk", "created": self.created, "model": self.model}
        if self.usage:
            told["usage"] = None
        return f"data: {json.dumps({**told, 'choices': choices, **more})}\n\n".encode()


# --- the routes -------------------------------------------------------------------------------------------------------


@router.get("/models", responses=FAILURES)
async def list_models(serving: Served) -> ModelList:
    """The one model: this library."""
    return ModelList(data=[_card(serving)])


@router.get("/models/{name}", responses=FAILURES)
async def get_model(name: str, serving: Served) -> ModelCard:
    _known(serving, name)
    return _card(serving)


@router.post("/chat/completions", responses={**FAILURES, 200: STREAM}, response_model=Completion)
async def complete(
    request: Request, body: CompletionRequest, serving: Served, client: Asker
) -> Response | Completion:
    """Answers the last message; earlier ones are the conversation that it may lean on."""
    _known(serving, body.model)
    question, before = _read(body.messages)
    past = await while_connected(request, _past(serving, client, before))
    usage = bool(body.stream_options and body.stream_options.include_usage)
    asked = _Asked(client, body.model, question, before, past, usage, int(time.time()))
    events = serving.ask(client, question, None, past.conversation_id if past else None)
    if body.stream:
        first = await while_connected(request, begun(events))
        return EventStream(_chunks(serving, asked, first, events))
    return await while_connected(request, _whole(serving, asked, events))


# --- conversations ----------------------------------------------------------------------------------------------------


def _read(messages: Sequence[Message]) -> tuple[str, tuple[Said, ...]]:
    """The question, and what was said before it."""
    said = [Said(message.role, message.said()) for message in messages if message.role in ("user", "assistant")]
    if not said or messages[-1].role != "user" or not said[-1].text.strip():
        raise Refusal(400, "no_question", "the last message must be the user's and hold a question")
    return said[-1].text[:MAX_QUESTION], tuple(said[:-1])


async def _past(serving: Serving, client: Client, before: tuple[Said, ...]) -> Past | None:
    """The stored conversation that the messages are, made when they are more than one answer's."""
    if not any(message.role == "user" and message.text.strip() for message in before):
        return None
    past = serving.threads.find(client.user, before)
    if past is None or not await asyncio.to_thread(_there, serving, past):
        return await _repeated(serving, client, before)
    if past.conversation_id is None:
        past = await asyncio.to_thread(_stored, serving, client, past)
    return past


def _there(serving: Serving, past: Past) -> bool:
    """Whether the conversation, or its records, have not been deleted."""
    try:
        if past.conversation_id is not None:
            return len(serving.library.conversation_turns(past.conversation_id)) == len(past.record_ids)
        return all(serving.library.record(record_id) for record_id in past.record_ids)
    except NotInLibrary:
        return False


def _stored(serving: Serving, client: Client, past: Past) -> Past:
    """A conversation with these answers for its turns."""
    conversation_id = serving.library.create_conversation(user=client.user)
    for record_id in past.record_ids:
        record = serving.library.record(record_id)
        serving.library.append_turn(conversation_id, record.question, record.query, record_id)
    return Past(past.record_ids, conversation_id)


async def _repeated(serving: Serving, client: Client, before: Sequence[Said]) -> Past:
    """A conversation that began elsewhere, or before this server did: its last questions asked again.

    They are answered with quotes, whatever model answers otherwise: what is needed is which papers they were about,
    and nobody pays for being asked twice.
    """
    from assistant.engine import Assistant

    settings = serving.library.settings.model_copy(update={"chat_model": "quotes", "chat_base_url": None})
    quoting = Assistant(serving.library, settings=settings)
    conversation_id = await asyncio.to_thread(serving.library.create_conversation, user=client.user)
    questions = [message.text for message in before if message.role == "user" and message.text.strip()]
    record_ids: list[str] = []
    for question in questions[-_REPEATED:]:
        async with aclosing(serving.ask(client, question[:MAX_QUESTION], None, conversation_id, quoting)) as events:
            record_ids += [event.answer.record_id async for event in events if isinstance(event, Finished)]
    return Past(tuple(record_ids), conversation_id)


def _remember(serving: Serving, asked: _Asked, answer: Answer, text: str) -> None:
    """So that the next request, which sends this answer back, is known for what it is."""
    before = asked.past or Past(())
    messages = [*asked.before, Said("user", asked.question), Said("assistant", text)]
    past = Past((*before.record_ids, answer.record_id), before.conversation_id)
    serving.threads.remember(asked.client.user, messages, past)


# --- replies ----------------------------------------------------------------------------------------------------------


async def _whole(serving: Serving, asked: _Asked, events: AsyncGenerator[Event, None]) -> Completion:
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Finished):
                answer = event.answer
                _remember(serving, asked, answer, answer.text)
                return Completion(
                    id=f"chatcmpl-{answer.record_id}",
                    created=asked.created,
                    model=asked.model,
                    choices=[Choice(message=Said1(content=answer.text), finish_reason=_reason(answer))],
                    usage=await asyncio.to_thread(_usage, serving, answer),
                    ibid=_grounding(answer),
                )
    raise AssertionError("a stream ends with Finished")  # pragma: no cover


async def _chunks(
    serving: Serving, asked: _Asked, first: Event, events: AsyncGenerator[Event, None]
) -> AsyncGenerator[bytes, None]:
    """The answer as OpenAI streams one; `ibid` is on the last chunk, and on the one with the usage where that follows."""
    answer_id, text = f"chatcmpl-{time.time_ns():x}", ""
    async with aclosing(events):
        yield asked.chunk(answer_id, [_delta({"role": "assistant", "content": ""})])
        try:
            async for event in _joined(first, events):
                if isinstance(event, Token):
                    text += event.text
                    yield asked.chunk(answer_id, [_delta({"content": event.text})])
                elif isinstance(event, Finished):
                    _remember(serving, asked, event.answer, text)
                    grounding = _grounding(event.answer).model_dump()
                    yield asked.chunk(answer_id, [_delta({}, _reason(event.answer))], ibid=grounding)
                    if asked.usage:
                        usage = (await asyncio.to_thread(_usage, serving, event.answer)).model_dump()
                        yield asked.chunk(answer_id, [], usage=usage, ibid=grounding)
        except Exception as error:  # the status is long sent; clients know an object with `error` for a failure
            content = errors.content(errors.of(error), "/v1/chat/completions")
            yield f"data: {json.dumps(content)}\n\n".encode()
            return
        yield b"data: [DONE]\n\n"


async def _joined(first: Event, rest: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
    yield first
    async for event in rest:
        yield event


def _delta(delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}


def _reason(answer: Answer) -> Literal["stop", "length"]:
    return "length" if any(note.startswith("incomplete") for note in answer.notes) else "stop"


def _grounding(answer: Answer) -> Grounding:
    return Grounding(
        status=answer.status,
        record_id=answer.record_id,
        text=answer.text,
        claims=[ClaimOut.model_validate(claim) for claim in answer.claims],
        citations=[CitationOut.model_validate(citation) for citation in answer.citations],
        abstention=AbstentionOut.model_validate(answer.abstention) if answer.abstention else None,
        notes=list(answer.notes),
    )


def _usage(serving: Serving, answer: Answer) -> Usage:
    """What the chat model read and wrote; where none was asked, the tokens of question and answer by cl100k_base."""
    from assistant import tokens

    try:
        spent = serving.library.record(answer.record_id).model.get("spent") or {}
    except NotInLibrary:  # a library that is read only keeps no records
        spent = {}
    read = spent.get("input_tokens") or tokens.count(answer.question)
    written = spent.get("output_tokens") or tokens.count(answer.text)
    return Usage(prompt_tokens=read, completion_tokens=written, total_tokens=read + written)


def _known(serving: Serving, name: str) -> None:
    if name != model_name(serving):
        raise Refusal(
            404, "model_not_found", f"no model {name!r:.80} here; the one there is, is {model_name(serving)!r}"
        )


def model_name(serving: Serving) -> str:
    """The library's name: that of its folder."""
    return serving.library.path.resolve().name


def _card(serving: Serving) -> ModelCard:
    created = int(serving.library.path.stat().st_ctime)
    return ModelCard(id=model_name(serving), created=created, owned_by="ibid")
