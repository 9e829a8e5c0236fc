"""The server as it runs, in a thread of the test on a port of its own.

with served(services) as address: httpx.get(f"{address}/health")
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from assistant.engine import Assistant
from assistant.library import Library
from assistant.settings import Settings
from ui.guard import user_of
from ui.server import Stop, application, listen, server
from ui.services import Services


@contextmanager
def served(services: Services, finish_s: int = 2, **options: Any) -> Iterator[str]:
    """Gives the address; `options` are those of `ui.server.application`."""
    stop = Stop()
    with listening(application(services, stop=stop, **options), stop, finish_s) as (address, _):
        yield address


@contextmanager
def listening(app: Any, stop: Stop, finish_s: int = 2) -> Iterator[tuple[str, Any]]:
    """Gives the address and the uvicorn server of any application."""
    listener = listen("127.0.0.1", 0)
    running = server(app, stop, finish_s)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not running.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", running
    finally:
        running.should_exit = True
        thread.join(timeout=finish_s + 20)
        assert not thread.is_alive(), "the server did not stop"


def services(library: Library, **settings: Any) -> Services:
    """The library with the assistant that the settings say, by default the one that quotes."""
    return Services(library, Assistant(library, settings=Settings.load(**settings)), user=user_of)
