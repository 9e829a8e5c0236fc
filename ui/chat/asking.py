"""One question from the page: the states of its turn as they come, each as HTML.

A conversation's questions are answered one after the other, in the order in which they were asked. Leaving the
iterator, or stopping the question, closes the assistant's stream and with it the model's request.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Final, Literal
from weakref import WeakValueDictionary

from assistant.answers import Answer, Claim, ClaimVerified, Event, Finished, Retrieved, Token
from assistant.errors import IbidError, NotInLibrary
from assistant.filters import Filters
from assistant.storage.history import Turn
from ui.chat import stopping, turns
from ui.chat.considered import considered
from ui.chat.stored import recall
from ui.rendering import count
from ui.services import Services

_UPDATES_PER_S: Final = 15
_FOUND_FIRST: Final = 10  # papers, as many as the assistant tells of
_log = logging.getLogger(__name__)
State = Literal["looking", "found", "writing", "finished", "refused", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class Update:
    """The turn as it is now. `says` is for screen readers; `number` is the turn's place once it has one."""

    state: State
    html: str
    says: str = ""
    number: int | None = None


@dataclass(frozen=True, slots=True)
class _Early(Retrieved):
    """What a search found, until the assistant tells what it found."""


@dataclass(slots=True)
class _Seen:
    """What a stream has told so far."""

    question: str
    before: int = 0  # turns of the conversation
    began: float = field(default_factory=time.monotonic)
    retrieved: Retrieved | None = None
    text: str = ""
    claims: list[Claim] = field(default_factory=list)
    answer: Answer | None = None
    failure: str | None = None
    stopped: bool = False

    def take(self, event: Event | IbidError | None) -> None:
        """None is the end: without an answer or a failure the question was stopped."""
        if isinstance(event, _Early):
            self.retrieved = self.retrieved or event
        elif isinstance(event, Retrieved):
            self.retrieved = event
        elif isinstance(event, Token):
            self.text += event.text
        elif isinstance(event, ClaimVerified):
            self.claims.append(event.claim)
        elif isinstance(event, Finished):
            self.answer = event.answer
        elif isinstance(event, IbidError):
            self.failure = str(event)
        elif self.answer is None:
            self.stopped = True

    @property
    def over(self) -> bool:
        return self.answer is not None or self.failure is not None or self.stopped


class Asking:
    """The questions that are being answered."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._going: dict[str, asyncio.Queue[Event | IbidError | None]] = {}

    def stop(self, asked: str) -> bool:
        """Stops the question of this id, and says whether it was being answered."""
        events = self._going.get(asked)
        if events is not None:
            events.put_nowait(None)
        return events is not None

    async def ask(
        self, asked: str, conversation: str | None, question: str, filters: Filters, at: int | None = None
    ) -> AsyncGenerator[Update, None]:
        """Asks as turn `at` of the conversation, in place of that turn and those after it; by default as its next one.

        When the question fails or is stopped, the turns that it would have replaced are put back. Where there are none,
        the sentences of a stopped answer are kept, marked as cut short. Without a conversation, as in a library that is
        open for reading only, nothing is kept.
        """
        events: asyncio.Queue[Event | IbidError | None] = asyncio.Queue()
        lock = self._turns.setdefault(conversation, asyncio.Lock()) if conversation else asyncio.Lock()
        self._going[asked] = events
        try:
            yield Update("looking", turns.looking(question))
            async with lock:
                replaced = await asyncio.to_thread(self._cut, conversation, at)
                seen = _Seen(question, await asyncio.to_thread(self._asked_before, conversation))
                try:
                    async with aclosing(
                        self._answered(seen, events, conversation, filters, bool(replaced))
                    ) as updates:
                        async for update in updates:
                            yield update
                finally:
                    if seen.answer is None:
                        self._put_back(conversation, replaced)
        finally:
            del self._going[asked]

    async def _answered(
        self,
        seen: _Seen,
        events: asyncio.Queue[Event | IbidError | None],
        conversation: str | None,
        filters: Filters,
        again: bool,
    ) -> AsyncGenerator[Update, None]:
        stream = self._services.assistant.astream(seen.question, filters=filters, conversation=conversation)
        going = [asyncio.create_task(_pump(stream, events))]
        going.append(asyncio.create_task(self._look(seen.question, filters, conversation, events)))
        try:
            while not seen.over:
                seen.take(await events.get())
                news = True
                while news and not seen.over:
                    yield _progress(seen)
                    news = await _gathered(seen, events)
        finally:
            for task in going:
                task.cancel()
            await asyncio.gather(*going, return_exceptions=True)
        yield await asyncio.to_thread(self._last, seen, conversation, filters, again)

    async def _look(
        self,
        question: str,
        filters: Filters,
        conversation: str | None,
        events: asyncio.Queue[Event | IbidError | None],
    ) -> None:
        """Finds papers for a conversation's first question before the assistant has read their sentences.

        A later question may lean on what was said, so that only the assistant knows what it is about.
        """
        library = self._services.library
        before = await asyncio.to_thread(library.conversation_turns, conversation) if conversation else ()
        if before:
            return
        with suppress(IbidError):  # whatever is wrong, the assistant tells
            hits = await asyncio.to_thread(library.search, question, _FOUND_FIRST, filters)
            events.put_nowait(_Early(question, hits, tuple(hit.passages[0] for hit in hits)))

    def _last(self, seen: _Seen, conversation: str | None, filters: Filters, again: bool) -> Update:
        if seen.answer is not None:
            return self._ended(seen.answer, conversation, filters)
        if seen.failure is not None:
            return Update("failed", turns.failed(seen.question, seen.failure), "No answer.")
        kept = self._cut_short(seen, conversation, filters) if conversation and not again else None
        if kept is not None:  # after a retry, the turns that it would have replaced come back instead
            return kept
        return Update("stopped", turns.stopped(seen.question, seen.text, seen.claims), "Stopped.")

    def _cut_short(self, seen: _Seen, conversation: str, filters: Filters) -> Update | None:
        """The stopped answer as a turn that is kept; None where there is nothing to keep."""
        settings = getattr(self._services.assistant, "settings", None)
        model = settings.chat_model if settings else "quotes"
        engine = "quotes" if model == "quotes" else f"chat:{model}"
        query = seen.retrieved.query if seen.retrieved else seen.question
        seconds = time.monotonic() - seen.began
        answer = stopping.cut_short(seen.question, query, seen.text, seen.claims, engine, seconds)
        if self._asked_before(conversation) > seen.before:  # it had ended after all, and is there
            return None
        if answer is None or not stopping.kept(self._services.library, answer, filters, conversation, settings):
            return None
        return replace(self._ended(answer, conversation, filters), state="stopped", says="Stopped.")

    def _ended(self, answer: Answer, conversation: str | None, filters: Filters) -> Update:
        library = self._services.library
        number = max(0, len(library.conversation_turns(conversation)) - 1) if conversation else None
        try:
            recalled = recall(library, library.record(answer.record_id))
        except (
            NotInLibrary
        ):  # an answer that could not be kept is shown all the same, and is not offered to be opened
            made = turns.finished(replace(answer, record_id=""), number, filters=asdict(filters))
        else:  # as it will be shown when the conversation is opened again
            answer = recalled.answer
            made = turns.finished(answer, number, filters=recalled.filters, also=considered(recalled))
        if answer.abstention is not None:
            return Update("refused", made, f"Not answered: {answer.abstention.message}", number)
        quoted = sum(claim.verdict == "quoted" for claim in answer.claims)
        said = f"Answered in {count(len(answer.claims), 'sentence')}, {quoted} quoted word for word."
        return Update("finished", made, said, number)

    def _cut(self, conversation: str | None, at: int | None) -> tuple[Turn, ...]:
        if conversation is None or at is None:
            return ()
        return self._services.library.cut_conversation(conversation, at)

    def _asked_before(self, conversation: str | None) -> int:
        return len(self._services.library.conversation_turns(conversation)) if conversation else 0

    def _put_back(self, conversation: str | None, replaced: Sequence[Turn]) -> None:
        for turn in replaced if conversation else ():
            self._services.library.append_turn(conversation or "", turn.question, turn.query, turn.record_id)


async def _pump(stream: AsyncIterator[Event], events: asyncio.Queue[Event | IbidError | None]) -> None:
    """Moves events into the queue; ends with None or with what went wrong."""
    try:
        async with aclosing(stream) as going:  # type: ignore[type-var]  # Assistant.astream is a generator
            async for event in going:
                events.put_nowait(event)
    except IbidError as error:
        events.put_nowait(error)
    except Exception:  # a fault of ours or of a library we use must not leave the page waiting
        _log.exception("a question was not answered")
        events.put_nowait(IbidError("something broke while answering; the server's log has the details"))
    else:
        events.put_nowait(None)


async def _gathered(seen: _Seen, events: asyncio.Queue[Event | IbidError | None]) -> bool:
    """Takes what comes until the next update may be shown, or until the end; says whether anything came."""
    news = False
    with suppress(TimeoutError):
        async with asyncio.timeout(1 / _UPDATES_PER_S):
            while not seen.over:
                seen.take(await events.get())
                news = True
    return news


def _progress(seen: _Seen) -> Update:
    if seen.claims:
        return Update("writing", turns.writing(seen.question, seen.retrieved, seen.text, seen.claims))
    if seen.retrieved is not None:
        said = f"Found {len(seen.retrieved.hits)} papers." if seen.retrieved.hits else ""
        return Update("found", turns.found(seen.question, seen.retrieved), said)
    return Update("looking", turns.looking(seen.question))
