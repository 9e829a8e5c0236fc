"""What holds for every test: no network beyond this machine, and no setting taken from the developer's shell."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

_LOOPBACK = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "", None}


def _refuse_other_machines(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host not in _LOOPBACK and not str(host).startswith("127."):
        raise PermissionError(f"a test reached for another machine: {host!r}")


sys.addaudithook(_refuse_other_machines)


@pytest.fixture(autouse=True)
def _no_settings_from_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("IBID_") or name in {"OPENAI_API_KEY", "OPENAI_BASE_URL"}:
            monkeypatch.delenv(name)
