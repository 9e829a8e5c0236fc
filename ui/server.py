"""Serves the page and the HTTP interface: finds a free port, opens the library, prints the address."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from assistant.errors import IbidError, InputError, SettingsError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.applications import Starlette
    from starlette.types import ASGIApp

    from ui.api.access import Access
    from ui.api.limits import Limits
    from ui.services import Services
    from ui.settings.running import Running

_PORTS_TRIED: Final = 100
_ANY_ADDRESS: Final = ("0.0.0.0", "::", "")
_LOOPBACK_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")
_FINISH_S: Final = 10  # that answers under way have when the server is told to stop


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a server listens and whom it answers.

    `token` and `auth_file` say who may ask; beyond loopback one of them is needed. `names` are further host names that
    it is reached by; without any, a server on all addresses answers to every name.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    token: str | None = None
    auth_file: Path | None = None
    names: tuple[str, ...] = ()
    requests_per_minute: int | None = None

    @property
    def loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    def access(self) -> Access:
        """Who may ask. Raises SettingsError when that would be anyone in a network, InputError for a bad file."""
        from assistant import users
        from ui.api.access import Access

        if not self.loopback and not self.token and self.auth_file is None:
            raise SettingsError(
                f"{self.host!r} can be reached from other machines; say who may ask with IBID_TOKEN or --auth-file, "
                "or listen on 127.0.0.1"
            )
        if self.token is not None and len(self.token) < _SHORTEST_TOKEN:
            raise SettingsError(
                f"a token of {len(self.token)} characters is guessed soon; take {_SHORTEST_TOKEN} or more, "
                "such as those of: openssl rand -hex 32"
            )
        return Access(self.token, users.read(self.auth_file) if self.auth_file is not None else None)

    def limits(self) -> Limits:
        from ui.api.limits import Limits

        return Limits() if self.requests_per_minute is None else Limits(requests_per_minute=self.requests_per_minute)


_SHORTEST_TOKEN: Final = 16


@dataclass(frozen=True, slots=True)
class Stop:
    """Tells requests that would never end that the server is to end."""

    event: asyncio.Event = field(default_factory=asyncio.Event)


def run(library_path: Path | str | None, reach: Reach) -> None:
    """Serves until interrupted; the contract is that of `ui.serve`."""
    access = reach.access()
    listener = listen(reach.host, reach.port)
    chosen = listener.getsockname()[1]
    if chosen != reach.port and reach.port != 0:
        print(f"Port {reach.port} is taken; using {chosen}.", file=sys.stderr, flush=True)

    print("Starting the chat page …", file=sys.stderr, flush=True)
    from assistant import Assistant, Library
    from ui.examples import questions_for
    from ui.guard import user_of
    from ui.services import Services
    from ui.settings.running import Running

    with listener, Library.open(library_path) as library:
        assistant = Running(Assistant(library))
        threading.Thread(target=_warm_up, args=(assistant,), name="ibid-warm-up", daemon=True).start()
        services = Services(library, assistant, questions_for(library), user=user_of)
        stop = Stop()
        app = application(
            services, host=reach.host, access=access, limits=reach.limits(), names=reach.names, stop=stop
        )
        address = f"http://{'[' + reach.host + ']' if ':' in reach.host else reach.host}:{chosen}"
        print(f"Ibid is at {address} over {library.count()} papers; Ctrl+C stops it.", flush=True)
        server(app, stop).run(sockets=[listener])


def _warm_up(assistant: Running) -> None:
    """Loads what the first question needs, while nobody waits for it."""
    from assistant import tokens

    with suppress(IbidError):  # whatever is wrong is told to whoever asks
        assistant.decision("What is this library about?")
    tokens.count("")


def server(app: ASGIApp, stop: Stop, finish_s: int = _FINISH_S) -> Any:
    """A uvicorn server of the application, which lets what it is answering come to its end, but not for ever."""
    import uvicorn

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            stop.event.set()
            await super().shutdown(sockets)

    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=finish_s, server_header=False)
    return Server(config)


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


def application(
    services: Services,
    *,
    host: str = "127.0.0.1",
    access: Access | None = None,
    limits: Limits | None = None,
    names: tuple[str, ...] = (),
    stop: Stop | None = None,
) -> FastAPI:
    """The page and the HTTP interface as one ASGI application; `host` is the address it will be reached at."""
    import gradio

    from ui import page
    from ui.api import application as api
    from ui.api.access import Access
    from ui.api.limits import Limits
    from ui.guard import Guard

    access, limits = access or Access(), limits or Limits()
    serving = api.serving(services, access, limits)
    app = api.new(serving)
    app.include_router(page.routes(services))
    gradio.mount_gradio_app(
        app,
        page.build(services),
        path="/",
        server_name=host,
        footer_links=[],
        show_error=False,
        ssr_mode=False,
        pwa=False,
        max_file_size=limits.upload,
        **page.look(),
    )
    stopping = stop.event if stop else None
    app.add_middleware(Guard, access=access, limits=limits, metrics=serving.metrics, stopping=stopping)
    answer_to(app, host, names)
    return app


def answer_to(app: Starlette, host: str, names: tuple[str, ...]) -> None:
    """A foreign page that rebinds its name to this address is turned away by the name it asks for."""
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    if host in _ANY_ADDRESS and not names:
        return
    own = [host, f"[{host}]"] if host not in _ANY_ADDRESS else []
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*_LOOPBACK_NAMES, *own, *names])
