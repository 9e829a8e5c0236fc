"""What the HTTP routes work with, and the one way in which they ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from assistant.answers import Event, Finished
from assistant.errors import NotInLibrary
from ui.api.access import Access
from ui.api.errors import Refusal
from ui.api.limits import Limits, Places
from ui.api.metrics import Metrics
from ui.guard import user_of

if TYPE_CHECKING:
    from assistant.library import Library
    from assistant.records import AnswerRecord
    from ui.api.threads import Threads
    from ui.services import Services

T = TypeVar("T")


class Asking(Protocol):
    """What the routes need of `assistant.Assistant`."""

    def astream(
        self,
        question: str,
        *,
        filters: Mapping[str, Any] | None = None,
        conversation: str | None = None,
        user: str | None = None,
    ) -> AsyncGenerator[Event, None]: ...


@dataclass(frozen=True)
class Serving:
    """A library, who answers from it, and what a client may ask of them. `adding` is one thread: papers are added one
    request at a time, beside the answers and never before them."""

    services: Services
    access: Access
    limits: Limits
    metrics: Metrics
    places: Places
    threads: Threads
    adding: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="ibid-add"))
    _adds: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def library(self) -> Library:
        return self.services.library

    async def ask(
        self,
        client: Client,
        question: str,
        filters: Mapping[str, Any] | None = None,
        conversation: str | None = None,
        assistant: Asking | None = None,
    ) -> AsyncGenerator[Event, None]:
        """As `Assistant.astream`, counted and within the limits; closing it stops the model. Raises Refusal (429)."""
        asking = assistant or cast("Asking", self.services.assistant)
        named: dict[str, Any] = {"user": client.user} if client.user is not None else {}
        finished = False
        with self.places.one(client.key), self.metrics.answering.track_inprogress():
            try:
                asked = asking.astream(question, filters=filters, conversation=conversation, **named)
                async with aclosing(asked) as events:
                    async for event in events:
                        if isinstance(event, Finished):
                            finished = True
                            self.metrics.answered(event.answer)
                        yield event
            except (GeneratorExit, asyncio.CancelledError):
                if not finished:
                    self.metrics.given_up()
                raise

    async def add(self, work: Callable[[], T]) -> T:
        """Runs what writes papers, apart from the answers. Raises Refusal (409) while another of these runs."""
        if self._adds.locked():
            raise Refusal(
                409, "library_locked", "papers are being added by another request; try again when it is done"
            )
        async with self._adds:
            # A client that leaves does not stop it half way: what was asked for is added, and reported to nobody.
            return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self.adding, work))

    def own_conversation(self, client: Client, conversation_id: str) -> str:
        """The id, if it is one of the client's conversations; raises NotInLibrary."""
        owner = self.library.conversation_user(conversation_id)
        if not client.may_see(owner):
            raise NotInLibrary(f"no conversation {conversation_id!r} in this library")
        return conversation_id

    def own_record(self, client: Client, record_id: str) -> AnswerRecord:
        """The record, if it is one of the client's answers; raises NotInLibrary."""
        record = self.library.record(record_id)
        if not client.may_see(record.user):
            raise NotInLibrary(f"no record {record_id!r} in this library")
        return record


@dataclass(frozen=True, slots=True)
class Client:
    """Who sent a request. `key` tells clients apart: a user's name, else an address."""

    key: str
    user: str | None

    def may_see(self, owner: str | None) -> bool:
        """Whether something of `owner` is shown; where there are no users, everything is everybody's."""
        return self.user is None or self.user == owner


def serving(request: HTTPConnection) -> Serving:
    """The server's, from the application."""
    return cast("Serving", request.app.state.serving)


def client(request: HTTPConnection) -> Client:
    """Whom the guard let through."""
    user = user_of(request)
    return Client(user or (request.client.host if request.client else "unknown"), user)


Served = Annotated[Serving, Depends(serving)]
Asker = Annotated[Client, Depends(client)]
