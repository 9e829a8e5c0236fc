"""Serves the chat page: finds a free port, opens the library, prints the address."""

from __future__ import annotations

import errno
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assistant.errors import InputError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ui.services import Services

_PORTS_TRIED: Final = 100
_ANY_ADDRESS: Final = ("0.0.0.0", "::", "")


def run(library_path: Path | str | None, host: str, port: int) -> None:
    """Serves until interrupted; the contract is that of `ui.serve`."""
    listener = listen(host, port)
    chosen = listener.getsockname()[1]
    if chosen != port and port != 0:
        print(f"Port {port} is taken; using {chosen}.", file=sys.stderr, flush=True)

    print("Starting the chat page …", file=sys.stderr, flush=True)
    import uvicorn

    from assistant import Assistant, Library
    from ui.examples import questions_for
    from ui.services import Services

    with listener, Library.open(library_path) as library:
        services = Services(library, Assistant(library), questions_for(library))
        app = application(services, host=host)
        address = f"http://{'[' + host + ']' if ':' in host else host}:{chosen}"
        print(f"Ibid is at {address} over {library.count()} papers; Ctrl+C stops it.", flush=True)
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3, server_header=False)
        uvicorn.Server(config).run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on `port` or the next free one; 0 takes any. Raises InputError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    last = min(port + _PORTS_TRIED, 65536) if port else 1
    for candidate in range(port, last):
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, candidate))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                continue
            raise InputError(f"cannot listen on {host!r}: {error.strerror}; use 127.0.0.1") from error
        return listener
    raise InputError(f"no free port from {port} to {last - 1} on {host!r}; name another with --port")


def application(services: Services, *, host: str = "127.0.0.1") -> FastAPI:
    """The page as an ASGI application; `host` is the address it will be reached at."""
    import gradio
    from fastapi import FastAPI
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from ui.guard import Guard
    from ui.page import build, look

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    gradio.mount_gradio_app(
        app,
        build(services),
        path="/",
        server_name=host,
        footer_links=[],
        show_error=False,
        ssr_mode=False,
        pwa=False,
        max_file_size=0,
        **look(),
    )
    app.add_middleware(Guard)
    if (
        host not in _ANY_ADDRESS
    ):  # a foreign page that rebinds its name to loopback is turned away by the name it asks for
        app.add_middleware(
            TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]", host, f"[{host}]"]
        )
    return app
