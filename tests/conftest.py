"""What holds for every test: no network beyond this machine, and no setting taken from the developer's shell."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from assistant.library import Library

CORPUS = Path(__file__).parent.parent / "ingest" / "corpus" / "huggingface-papers.txt"

_LOOPBACK = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "", None}

# The same examples on every run, and no verdict on how quick a busy machine is. `--hypothesis-profile=default` explores.
settings.register_profile("ibid", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ibid")


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


@pytest.fixture(scope="session")
def bundled_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library folder with the 59 bundled papers, made once; a test that changes its papers takes `bundled_copy`."""
    from ingest import add

    folder = tmp_path_factory.mktemp("bundled") / "library"
    with Library.open(folder) as library:
        assert add(library, CORPUS).added == 59
    return folder


@pytest.fixture(scope="session")
def bundled(bundled_folder: Path) -> Iterator[Library]:
    """The bundled papers, to ask and to search; questions may leave their records there."""
    with Library.open(bundled_folder, create=False) as library:
        yield library


@pytest.fixture
def bundled_copy(bundled_folder: Path, tmp_path: Path) -> Path:
    """A copy of the bundled library's folder, to do as one likes with."""
    return Path(shutil.copytree(bundled_folder, tmp_path / "copy"))
