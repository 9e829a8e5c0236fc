"""`/v1/ask`, `/v1/search`, `/v1/answers/{id}` and `/v1/verify`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel
from starlette.responses import Response

from assistant.answers import ClaimVerified, Event, Finished, Retrieved, Token
from ui.api import errors, models
from ui.api.models import AskReply, AskRequest, CheckedClaimOut, CheckedClaims, CheckedRecordOut, CheckedText
from ui.api.replies import FAILURES, STREAM
from ui.api.serving import Asker, Client, Served, Serving
from ui.api.streaming import EventStream, while_connected

router = APIRouter(prefix="/v1", tags=["questions"])


@router.post("/ask", responses={**FAILURES, 200: STREAM}, response_model=AskReply)
async def ask(
    request: Request, body: AskRequest, serving: Served, client: Asker, accept: Annotated[str, Header()] = ""
) -> Response | AskReply:
    """Asks a question.

    The answer comes as JSON, or with `stream: true` or `Accept: text/event-stream` as server-sent events: `Retrieved`,
    then `Token` and `ClaimVerified` as it grows, and `Finished` with the whole; `Error` where it breaks off.
    """
    conversation = await asyncio.to_thread(_conversation, serving, client, body.conversation)
    filters = body.filters.given() if body.filters else None
    events = serving.ask(client, body.question, filters, conversation)
    if body.stream or "text/event-stream" in accept:
        first = await while_connected(request, begun(events))
        return EventStream(_frames(first, events, conversation))
    return await while_connected(request, _whole(events, conversation))


async def begun(events: AsyncGenerator[Event, None]) -> Event:
    """The first event; what keeps a question from being asked is raised before a reply begins."""
    try:
        return await anext(events)
    except BaseException:
        await events.aclose()
        raise


async def _whole(events: AsyncGenerator[Event, None], conversation: str | None) -> AskReply:
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Finished):
                return _reply(event, conversation)
    raise AssertionError("a stream ends with Finished")  # pragma: no cover


def _reply(event: Finished, conversation: str | None) -> AskReply:
    return AskReply.model_validate(event.answer).model_copy(update={"conversation": conversation})


async def _frames(
    first: Event, events: AsyncGenerator[Event, None], conversation: str | None
) -> AsyncGenerator[bytes, None]:
    async with aclosing(events):
        yield frame(*_told(first, conversation))
        try:
            async for event in events:
                yield frame(*_told(event, conversation))
        except Exception as error:  # the status is long sent: the failure is an event
            yield frame("Error", models.FailureReply.model_validate(errors.content(errors.of(error))))


def frame(name: str, content: BaseModel) -> bytes:
    """One server-sent event."""
    return f"event: {name}\ndata: {content.model_dump_json()}\n\n".encode()


def _told(event: Event, conversation: str | None) -> tuple[str, BaseModel]:
    kinds: Mapping[type, type[BaseModel]] = {
        Retrieved: models.RetrievedEvent,
        Token: models.TokenEvent,
        ClaimVerified: models.ClaimVerifiedEvent,
    }
    if isinstance(event, Finished):
        return "Finished", models.FinishedEvent(answer=_reply(event, conversation))
    return type(event).__name__, kinds[type(event)].model_validate(event)


def _conversation(serving: Serving, client: Client, wanted: str | None) -> str | None:
    if wanted is None:
        return None
    if wanted == "new":
        return serving.library.create_conversation(user=client.user)
    return serving.own_conversation(client, wanted)


@router.post("/search", responses=FAILURES)
async def search(request: Request, body: models.SearchRequest, serving: Served) -> models.SearchReply:
    """The papers nearest to a question, best first, with their matching passages."""
    filters = body.filters.given() if body.filters else None
    hits = await while_connected(
        request, asyncio.to_thread(serving.library.search, body.question, k=body.k, filters=filters)
    )
    return models.SearchReply(question=body.question, hits=[models.HitOut.model_validate(hit) for hit in hits])


@router.get("/answers/{record_id}", responses=FAILURES)
async def answer(record_id: str, serving: Served, client: Asker) -> models.RecordOut:
    """The record of an answer: as it was given, with the evidence that was shown to the engine."""
    return models.RecordOut.model_validate(await asyncio.to_thread(serving.own_record, client, record_id))


@router.post("/verify", responses=FAILURES)
async def verify(
    request: Request,
    body: models.VerifyRecord | models.VerifyClaims | models.VerifyText,
    serving: Served,
    client: Asker,
) -> CheckedRecordOut | CheckedClaims | CheckedText:
    """Checks a stored answer, claims or a draft against the library's papers; no model is asked."""
    if isinstance(body, models.VerifyRecord):
        return await asyncio.to_thread(_record, serving, client, body.record_id)
    if isinstance(body, models.VerifyClaims):
        return await while_connected(request, _claims(serving, body))
    return await while_connected(request, asyncio.to_thread(_text, serving, body.text))


def _record(serving: Serving, client: Client, record_id: str) -> CheckedRecordOut:
    from assistant.verifying import check_record

    serving.own_record(client, record_id)
    return CheckedRecordOut.model_validate(check_record(serving.library, record_id))


async def _claims(serving: Serving, body: models.VerifyClaims) -> CheckedClaims:
    """One after another, so that many of one client leave room for others and stop when it goes away."""
    return CheckedClaims(claims=[await asyncio.to_thread(_claim, serving, claim) for claim in body.claims])


def _claim(serving: Serving, claim: models.ClaimToCheck) -> CheckedClaimOut:
    from assistant.verifying import check_claim

    checked: dict[str, Any] = check_claim(serving.library, claim.claim, claim.papers).to_dict()
    return CheckedClaimOut(id=claim.id, claim=claim.claim, **checked)


def _text(serving: Serving, text: str) -> CheckedText:
    from assistant.proofreading import check_draft

    sentences = [models.CheckedSentenceOut.model_validate(s.to_dict()) for s in check_draft(serving.library, text)]
    return CheckedText(sentences=sentences)
