"""Ordinary calls over an async core: one background event loop, so that they work inside a notebook's running loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import TypeVar

T = TypeVar("T")


class Background:
    """An event loop in a daemon thread, started on first use."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def run(self, coroutine: Coroutine[object, object, T]) -> T:
        """The coroutine's result; its exceptions are raised here."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._started()).result()

    def iterate(self, events: AsyncIterator[T]) -> Iterator[T]:
        """The iterator's items as they come; leaving the loop early closes it."""
        loop = self._started()
        try:
            while True:
                try:
                    yield asyncio.run_coroutine_threadsafe(_next(events), loop).result()
                except StopAsyncIteration:
                    return
        finally:
            closing = getattr(events, "aclose", None)
            if closing is not None:
                asyncio.run_coroutine_threadsafe(closing(), loop).result()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="ibid", daemon=True).start()
            return self._loop


async def _next(events: AsyncIterator[T]) -> T:
    return await anext(events)
