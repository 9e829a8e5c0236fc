"""What the page's server refuses before Gradio sees it, and the headers it adds to every reply.

Gradio 6.31 sends no Content-Security-Policy or X-Frame-Options, takes uploads of tens of megabytes on a page without
an upload field, and can fetch other addresses on a visitor's behalf; none of that is needed to chat.
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES: Final = 256 * 1024
_REFUSED_PREFIXES: Final = (
    "/gradio_api/upload",
    "/gradio_api/proxy",
    "/gradio_api/stream",
    "/gradio_api/vibe",
    "/login",
)

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


class _BodyTooLarge(HTTPException):
    """The request went on past the limit."""

    def __init__(self) -> None:
        super().__init__(413, "too large")


class Guard:
    """ASGI middleware: refuses uploads, proxying and large bodies; adds `HEADERS` to every reply."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
                if body.too_large:  # frameworks answer an interrupted body with a status of their own
                    message["status"] = 413
            await send(message)

        if scope["path"].startswith(_REFUSED_PREFIXES):
            await PlainTextResponse("not served here", 404)(scope, receive, send_with_headers)
            return
        await self._app(scope, body.receive, send_with_headers)


class _Body:
    """A request's body up to the limit; past it reading stops."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._size = 0

    @property
    def too_large(self) -> bool:
        return self._size > MAX_BODY_BYTES

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._size += len(message.get("body", b""))
            if self.too_large:
                raise _BodyTooLarge
        return message
