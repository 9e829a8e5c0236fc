"""A library in a folder that the operating system really forbids writing to; root, to whom nothing is forbidden, gives
its privilege up for it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_ROOT_WITHOUT_PRIVILEGE = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
pytestmark = pytest.mark.timeout(600)
_QUESTION = "What is ExPO?"


def ibid(*arguments: object) -> subprocess.CompletedProcess[str]:
    as_anyone = _ROOT_WITHOUT_PRIVILEGE if os.geteuid() == 0 else []
    code = "from assistant.cli import main; main()"
    return subprocess.run(
        [*as_anyone, sys.executable, "-c", code, *map(str, arguments)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )


def seal(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)


@pytest.fixture
def folder(bundled_copy: Path) -> Iterator[Path]:
    if not hasattr(os, "geteuid") or (os.geteuid() == 0 and shutil.which("setpriv") is None):
        pytest.skip("no way to be an ordinary user here")
    yield bundled_copy
    for path in (bundled_copy, *(path for path in bundled_copy.rglob("*") if path.is_dir())):
        path.chmod(0o755)


def test_a_sealed_library_answers_and_says_that_it_kept_no_record(folder: Path) -> None:
    seal(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    asked = ibid("ask", "--library", folder, "--json", _QUESTION)
    assert asked.returncode == 0, asked.stderr
    answer = json.loads(asked.stdout)
    assert answer["status"] == "answered"
    assert any("no record" in note for note in answer["notes"])
    refused = ibid("rm", "--library", folder, answer["citations"][0]["paper"]["id"])
    assert refused.returncode == 1
    assert "reading only" in refused.stderr
    assert ibid("doctor", "--library", folder).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_sealed_library_with_an_unfinished_write_is_one_clear_line(folder: Path) -> None:
    code = (
        "import os, signal, sys\nfrom assistant.library import Library\nlibrary = Library.open(sys.argv[1])\n"
        "library.save_record({'question': 'q', 'answer': {}})\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=_ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    (folder / "library.sqlite-shm").unlink()  # as when the folder was copied, or the machine went down
    seal(folder)
    asked = ibid("ask", "--library", folder, _QUESTION)
    assert asked.returncode == 1
    assert asked.stderr.count("\n") == 1
    assert "ibid doctor" in asked.stderr
