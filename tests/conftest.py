"""What holds for every test: no network beyond this machine, and no setting taken from the developer's shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from assistant.library import Library
from tests.chroma_runner import ChromaRunner

if TYPE_CHECKING:
    from playwright.sync_api import Browser

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
def _no_settings_from_the_shell(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in os.environ:
        if name.startswith("IBID_") or name in {"OPENAI_API_KEY", "OPENAI_BASE_URL"}:
            monkeypatch.delenv(name)
    # No local model that the developer chose with `ibid model use`.
    monkeypatch.setenv("IBID_MODELS", str(tmp_path_factory.getbasetemp() / "no-models"))


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


@pytest.fixture(scope="session")
def chroma_runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaRunner]:
    """A Chroma server that tests share; who wants to stop it starts one of its own."""
    runner = ChromaRunner(tmp_path_factory.mktemp("chroma-server") / "data")
    yield runner
    runner.stop()


@pytest.fixture(params=["embedded", "server"])
def chroma(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The test runs twice: with Chroma in the process, and with a server, for child processes too."""
    if request.param == "server":
        monkeypatch.setenv("IBID_CHROMA_URL", request.getfixturevalue("chroma_runner").url)
    return str(request.param)


_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
_FLAGS += ["--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium; installed by apt when we are root, as in a container. Never skips: without one it fails."""
    with FileLock(Path(tempfile.gettempdir()) / "ibid-tests-chromium.lock"):  # workers would install it side by side
        found = _installed_browser()
        if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
            for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
                subprocess.run(command, check=False, capture_output=True, timeout=280)
            found = _installed_browser()
    if found is None:
        pytest.fail("pages are tested in Chromium, which is missing here; install it: sudo apt install chromium")
    return found


def _installed_browser() -> str | None:
    return next(filter(None, map(shutil.which, _BROWSERS)), None)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        yield launched
        launched.close()
