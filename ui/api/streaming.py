"""Replies that grow, and work that stops when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ui.api.errors import ClientLeft

_QUIET_S: Final = 15.0  # after which a comment is sent, so that proxies keep a silent stream open
_AGAIN_S: Final = 0.25
_COMMENT: Final = b": still here\n\n"

T = TypeVar("T")
_log = logging.getLogger("ibid")


class EventStream(Response):
    """Server-sent events. When the client goes away, what makes them is closed at once: so a model stops."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[bytes, None]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._frames = frames

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await _first(self._send(send), _left(receive))

    async def _send(self, send: Send) -> None:
        ready: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        making = asyncio.ensure_future(self._make(ready))  # in one task: a generator's steps share their context
        try:
            while True:
                try:
                    frame = await asyncio.wait_for(ready.get(), _QUIET_S)
                except TimeoutError:
                    frame = _COMMENT
                if frame is None:
                    break
                await send({"type": "http.response.body", "body": frame, "more_body": True})
        finally:
            await _ended(making)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _make(self, ready: asyncio.Queue[bytes | None]) -> None:
        try:
            async with aclosing(self._frames) as frames:
                async for frame in frames:
                    await ready.put(frame)
        except Exception:  # frames tell of failures themselves; of one in them nothing more can be told
            _log.exception("a stream broke off")
        await ready.put(None)


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled when the client goes away; then raises ClientLeft."""
    working = asyncio.ensure_future(work)
    await _first(working, _left(request.receive))
    if working.cancelled():
        raise ClientLeft
    return working.result()


async def _first(work: Any, other: Any) -> None:
    """Waits for either and cancels what is left; what `work` raises is raised."""
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(other)
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _ended(leaving)
        await _ended(working)
    if working.done() and not working.cancelled():
        working.result()


async def _ended(task: asyncio.Future[Any]) -> None:
    """Cancels a task that is under way and waits until it has cleaned up.

    A cancelling may be lost: clients of models that connect just then have been seen to go on. So it is repeated.
    """
    cancelled = False
    while not task.done():
        task.cancel()
        try:
            await asyncio.wait({task}, timeout=_AGAIN_S)
        except asyncio.CancelledError:  # we are to end too, but not before what we began
            cancelled = True
    if not task.cancelled():
        task.exception()  # seen, so that it is not reported as lost
    if cancelled:
        raise asyncio.CancelledError


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
