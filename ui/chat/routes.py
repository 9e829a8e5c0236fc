"""What the chat's script asks the server for. Bodies are JSON, so that a page elsewhere cannot post here unasked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from assistant import transcript
from assistant.errors import IbidError, NotInLibrary
from assistant.filters import Filters
from assistant.library import Library
from assistant.papers import Span
from assistant.storage.facets import Facet
from assistant.storage.facets import Field as FacetField
from ui.chat import panel, scope, suggestions, threads
from ui.chat.asking import Asking
from ui.chat.stored import Recalled, recall
from ui.services import Services

MAX_QUESTION_CHARACTERS: Final = 4000
File = Literal["markdown", "bibtex", "json", "html", "docx"]
_FILES: Final[dict[File, tuple[str, str]]] = {  # ending and kind
    "markdown": ("md", "text/markdown; charset=utf-8"),
    "bibtex": ("bib", "text/plain; charset=utf-8"),
    "json": ("json", "application/json"),
    "html": ("html", "text/html; charset=utf-8"),
    "docx": ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
}

Id = Annotated[str, Field(max_length=300)]


class Question(BaseModel):
    """A question, the conversation that it belongs to, and the turn in whose place it is asked."""

    asked: Annotated[str, Field(min_length=8, max_length=64)]  # made by the page; names the question to stop
    question: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION_CHARACTERS)]
    conversation: Id | None = None
    filters: dict[str, Any] = {}
    at: Annotated[int, Field(ge=0)] | None = None


class Asked(BaseModel):
    asked: Id


class Chosen(BaseModel):
    filters: dict[str, Any]


class Renaming(BaseModel):
    conversation: Id
    title: Annotated[str, Field(min_length=1, max_length=200)]


class Deleting(BaseModel):
    conversation: Id


class Word(BaseModel):
    """A reader's word on an answer."""

    record: Id
    rating: Literal[-1, 0, 1]
    comment: Annotated[str, Field(max_length=2000)] = ""


class _Route(APIRoute):
    """Our errors become one line of JSON: 404 for what is not there, 400 for the others."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]  # as Starlette types it
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except IbidError as error:
                return JSONResponse({"message": str(error)}, 404 if isinstance(error, NotInLibrary) else 400)

        return handled


def routes(services: Services) -> APIRouter:
    """The chat's part of the server."""
    router = APIRouter(prefix="/chat", route_class=_Route, include_in_schema=False)
    _asking(router, services)
    _sources(router, services)
    _scope(router, services)
    _conversations(router, services)
    return router


def _asking(router: APIRouter, services: Services) -> None:
    asking = Asking(services)
    library = services.library

    @router.post("/ask")
    async def ask(question: Question, request: Request) -> StreamingResponse:
        """The turn's states as JSON Lines: first the conversation's id, last the finished turn."""
        filters = Filters.parse(question.filters)
        user = services.user(request)
        if question.conversation:
            conversation: str | None = await asyncio.to_thread(threads.allowed, library, question.conversation, user)
        else:
            conversation = None if library.read_only else await asyncio.to_thread(threads.begin, library, user)
        updates = asking.ask(question.asked, conversation, question.question.strip(), filters, question.at)

        async def told() -> AsyncIterator[str]:
            yield _line({"conversation": conversation})
            async for update in updates:
                yield _line(
                    {"state": update.state, "html": update.html, "says": update.says, "number": update.number}
                )

        return StreamingResponse(told(), media_type="application/x-ndjson", headers={"Cache-Control": "no-store"})

    @router.post("/stop")
    async def stop(question: Asked) -> dict[str, bool]:
        return {"stopped": asking.stop(question.asked)}


def _line(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False) + "\n"


def _sources(router: APIRouter, services: Services) -> None:
    library = services.library

    def recalled(record_id: str, request: Request) -> Recalled:
        record, user = library.record(record_id), services.user(request)
        if user not in (None, record.user):
            raise NotInLibrary(f"no record {record_id!r} in this library")
        return recall(library, record)

    @router.get("/source")
    def source(request: Request, record: str, claim: int | None = None, key: str | None = None) -> JSONResponse:
        """The panel for a sentence of an answer, or for one of its references."""
        found = recalled(record, request)
        made = panel.source(found, key or "") if claim is None else panel.claim(found, claim, key)
        return JSONResponse({"html": made})

    @router.get("/paper")
    def paper(paper: str, start: int | None = None, end: int | None = None) -> JSONResponse:
        """The panel for a paper of the library, with a passage of it."""
        found = library.papers_by_id([paper]).get(paper)
        if found is None:
            raise NotInLibrary("this paper is no longer in the library")
        span = Span(start, end) if start is not None and end is not None else None
        return JSONResponse({"html": panel.paper(found, span)})

    @router.get("/instead")
    def instead(request: Request, record: str) -> JSONResponse:
        """Questions to ask instead of a refused one."""
        made = suggestions.instead(services.assistant, recalled(record, request).answer, services.examples)
        return JSONResponse({"questions": made})

    @router.post("/feedback")
    def feedback(word: Word, request: Request) -> dict[str, bool]:
        recalled(word.record, request)
        library.add_feedback(word.record, word.rating, word.comment.strip())
        return {"kept": True}


def _scope(router: APIRouter, services: Services) -> None:
    library = services.library

    @router.post("/scope")
    def count(chosen: Chosen) -> JSONResponse:
        """What a filter leaves."""
        return JSONResponse(asdict(scope.scope(library, chosen.filters)))

    @router.get("/facets")
    def facets(field: FacetField, containing: Annotated[str, Query(max_length=200)] = "") -> JSONResponse:
        """Values to filter by."""
        limit = 400 if field == "year" else 60
        return JSONResponse([_facet(field, facet) for facet in library.facets(field, containing, limit)])

    @router.get("/state")
    def state(request: Request) -> JSONResponse:
        """What an open page keeps up with: the number of papers, and the conversations."""
        found = threads.listed(library, services.user(request))
        return JSONResponse({"papers": library.count(), "conversations": [asdict(one) for one in found]})

    @router.get("/start")
    def start() -> JSONResponse:
        """What an empty conversation offers: examples, and the fields that the library can be narrowed down by."""
        fields = [field for field in scope.FIELDS if library.facets(field, limit=1)]
        return JSONResponse({"papers": library.count(), "examples": services.examples, "fields": fields})


def _facet(field: FacetField, facet: Facet) -> dict[str, Any]:
    return {**asdict(facet), "label": scope.label(field, facet.label)}


def _conversations(router: APIRouter, services: Services) -> None:
    library = services.library

    def mine(conversation: str, request: Request) -> str:
        return threads.allowed(library, conversation, services.user(request))

    @router.get("/open")
    def opened(conversation: str, request: Request) -> JSONResponse:
        return JSONResponse(asdict(threads.opened(library, conversation, services.user(request))))

    @router.post("/rename")
    def rename(renaming: Renaming, request: Request) -> dict[str, bool]:
        library.rename_conversation(mine(renaming.conversation, request), " ".join(renaming.title.split()))
        return {"renamed": True}

    @router.post("/delete")
    def delete(deleting: Deleting, request: Request) -> dict[str, bool]:
        library.delete_conversation(mine(deleting.conversation, request))
        return {"deleted": True}

    @router.get("/export")
    def export(conversation: str, form: File, request: Request) -> Response:
        """The conversation as a file."""
        text = _file(library, mine(conversation, request), form)
        ending, kind = _FILES[form]
        headers = {"Content-Disposition": f'attachment; filename="{conversation}.{ending}"'}
        return Response(text, media_type=kind, headers=headers)


def _file(library: Library, conversation: str, form: File) -> str | bytes:
    if form == "html":
        from assistant.transcript_html import html

        return html(transcript.transcript(library, conversation))
    if form == "docx":
        from assistant.transcript_docx import document

        return b"".join(document(transcript.transcript(library, conversation)))
    return transcript.exported(library, conversation, form)
