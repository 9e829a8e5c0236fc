"""What the server refuses before Gradio or a route sees it, and the headers it adds to every reply.

Gradio 6.31 sends no Content-Security-Policy or X-Frame-Options, lets other sites read its replies (CORS), takes uploads
of any kind and can fetch other addresses on a visitor's behalf.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.api import errors
from ui.api.access import Access, Who
from ui.api.errors import Refusal
from ui.api.limits import Limits, Rate
from ui.api.uploads import Kinds

if TYPE_CHECKING:
    from ui.api.metrics import Metrics

MAX_BODY_BYTES: Final = Limits().body
UPLOADS: Final = ("/upload", "/papers/files")  # how the paths end that files are sent to, the page's and the API's
USER: Final = "ibid.user"  # in a request's scope
_OPEN_PATHS: Final = ("/health", "/login", "/logout")
_REFUSED_PREFIXES: Final = ("/gradio_api/proxy", "/gradio_api/stream", "/gradio_api/vibe", "/gradio_api/login")
_COUNTED: Final = ("/v1/", "/mcp", "/gradio_api/upload")  # of the page itself, Gradio's queue limits what waits
_IDLE: Final = "/gradio_api/heartbeat"  # held open by each page for as long as it is looked at
_SAFE: Final = ("GET", "HEAD", "OPTIONS")

# Gradio's frontend compiles its components' styles and scripts at run time, hence the two 'unsafe-' sources; nothing
# may come from, or go to, another machine.
_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def user_of(request: HTTPConnection) -> str | None:
    """The user behind a request that the guard let through; None where users have no names."""
    user: str | None = request.scope.get(USER)
    return user


class Guard:
    """ASGI middleware: who may ask, how much and what of; then `HEADERS` on every reply, and CORS off.

    `scope[USER]` is the user's name for those behind it. `stopping` is set when the server is to end, so that pages
    that are merely open do not hold it up.
    """

    def __init__(
        self,
        app: ASGIApp,
        access: Access | None = None,
        limits: Limits | None = None,
        metrics: Metrics | None = None,
        stopping: asyncio.Event | None = None,
    ) -> None:
        self._app = app
        self._access = access or Access()
        self._limits = limits or Limits()
        self._metrics = metrics
        self._stopping = stopping
        self._rate = Rate(self._limits.requests_per_minute)
        self._refused = Rate(self._limits.refused_logins_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # nothing here is served over one
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._serve(scope, receive, _Reply(send, self._metrics, scope))
        else:
            await self._app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, reply: _Reply) -> None:
        headers = Headers(scope=scope)
        try:
            _same_origin(scope, headers)
            who = await self._who(scope, headers)
            if who is None:
                await RedirectResponse("/login", 303)(scope, receive, reply.send)
                return
            scope = reply.scope = {**scope, USER: who.user}
            self._may(scope, who)
            body = _Body(receive, headers, self._limits, upload=scope["path"].endswith(UPLOADS))
        except Refusal as refusal:
            await errors.response(refusal, scope["path"])(scope, receive, reply.send)
            return
        await self._let_through(scope, body, reply)

    async def _let_through(self, scope: Scope, body: _Body, reply: _Reply) -> None:
        """A request whose body turns out to be refused gets that for an answer, whatever the application makes of it."""
        idle = self._stopping if scope["path"].startswith(_IDLE) else None
        receive = _until(idle, body.receive) if idle else body.receive

        async def send(message: Message) -> None:
            if scope["path"] == "/login" and message.get("status") == 401:
                self._refused.take(_address(scope))
            if body.refusal is None or reply.started:
                await reply.send(message)

        try:
            await self._app(scope, receive, send)
        except Exception:  # whatever a framework makes of a body that breaks off
            if body.refusal is None:
                raise
        if body.refusal is not None and not reply.started:
            await errors.response(body.refusal, scope["path"])(scope, body.receive, reply.send)

    async def _who(self, scope: Scope, headers: Headers) -> Who | None:
        """Who asks; None for a browser that should be shown where to log in. Raises Refusal for anyone else."""
        if self._access.open or (scope["path"] in _OPEN_PATHS and scope["path"] != "/login"):
            return Who()
        client = _address(scope)
        if wait := self._refused.wait(client):
            raise Refusal(429, "too_many_requests", "too many wrong keys; wait before the next", retry_after=wait)
        who = Who() if scope["path"] == "/login" else await asyncio.to_thread(self._access.who, headers)
        if who is not None:
            return who
        if headers.get("authorization"):
            self._refused.take(client)
        elif scope["method"] in ("GET", "HEAD") and "text/html" in headers.get("accept", ""):
            return None
        raise Refusal(401, "unauthorised", "this server answers those who give its token, or their name and password")

    def _may(self, scope: Scope, who: Who) -> None:
        path = scope["path"]
        if path.startswith(_REFUSED_PREFIXES):
            raise Refusal(404, "not_found", "not served here")
        if path.startswith(_COUNTED) and (wait := self._rate.take(who.user or _address(scope))):
            most = self._limits.requests_per_minute
            raise Refusal(429, "too_many_requests", f"more than {most} requests a minute", retry_after=wait)


class _Reply:
    """A reply on its way out: our headers on, those that let other sites read it off."""

    def __init__(self, send: Send, metrics: Metrics | None, scope: Scope) -> None:
        self._send = send
        self._metrics = metrics
        self.scope = scope
        self._began = time.perf_counter()
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name in [name for name in headers if name.startswith("access-control-")]:
                del headers[name]
            headers.update(HEADERS)
            if self._metrics is not None:
                self._metrics.replied(self.scope, message["status"], time.perf_counter() - self._began)
        await self._send(message)


class _Body:
    """A request's body, as far as it may come: past a limit, or of a kind not taken, reading stops with a Refusal."""

    def __init__(self, receive: Receive, headers: Headers, limits: Limits, *, upload: bool) -> None:
        self._receive = receive
        self._most = limits.upload if upload else limits.body
        self._size = 0
        self._kinds = Kinds(headers.get("content-type", ""), limits.suffixes) if upload else None
        self.refusal: Refusal | None = None
        told = headers.get("content-length", "0")
        if told.isascii() and told.isdigit() and int(told) > self._most:
            raise self._too_large()

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request" and self.refusal is None:
            piece = message.get("body", b"")
            self._size += len(piece)
            if self._size > self._most:
                self.refusal = self._too_large()
            elif self._kinds is not None:
                self.refusal = self._kinds.refusal(piece)
            if self.refusal is not None:
                raise self.refusal
        return message

    def _too_large(self) -> Refusal:
        return Refusal(413, "too_large", f"a request here has at most {self._most:,} bytes")


def _same_origin(scope: Scope, headers: Mapping[str, Any]) -> None:
    """Refuses what a page of another site makes a visitor's browser send."""
    origin = headers.get("origin")
    if scope["method"] in _SAFE or origin is None:
        return
    if urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
        raise Refusal(403, "forbidden", "a page of another site may not ask here")


def _until(event: asyncio.Event, receive: Receive) -> Receive:
    """`receive`, which hears the client go away when the event is set."""

    async def received() -> Message:
        tasks = [asyncio.ensure_future(waited) for waited in (receive(), event.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return tasks[0].result() if tasks[0].done() else {"type": "http.disconnect"}  # type: ignore[return-value]  # the first task's result
        finally:
            for task in tasks:
                task.cancel()

    return received


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else "unknown"
