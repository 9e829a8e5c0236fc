"""A disk that runs full, and a folder that must not be written to: real ones, where this machine lets us make them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.library import Library
from tests.stored_papers import EMBEDDER, many, own_word

pytestmark = pytest.mark.timeout(600)  # children import Chroma, on a machine that may be busy
_ROOT = Path(__file__).parents[1]
_PAPERS = 300
_BATCH = 20
# Says which batches were stored; the error of a failed one, in a line, when it is one of ours.
_WRITER = """
import sys
from assistant.errors import IbidError
from assistant.library import Library
from tests.stored_papers import EMBEDDER, many
try:
    with Library.open(sys.argv[1], embedder=EMBEDDER) as library:
        for start in range(0, int(sys.argv[2]), int(sys.argv[3])):
            batch = many(range(start, start + int(sys.argv[3])))
            missing = [one for one in batch if one.paper.id not in library.papers_by_id([one.paper.id])]
            library.write(missing)
            print(start, flush=True)
except IbidError as error:
    print("told:", error, flush=True)
"""


def write(folder: Path) -> tuple[list[int], str, str]:
    """Starts of the batches that were stored, the line it ended with, and whatever else it said."""
    done = subprocess.run(
        [sys.executable, "-c", _WRITER, str(folder), str(_PAPERS), str(_BATCH)],
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    told = [line.removeprefix("told: ") for line in lines if line.startswith("told: ")]
    return [int(line) for line in lines if line.isdigit()], "\n".join(told), done.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 8 MB; its size can be changed by mounting it again."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this account may not mount a small file system to fill")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="no mount on this machine")
@pytest.mark.parametrize("left_kb", [200, 700, 1500])
def test_a_full_disk_costs_nothing_that_was_stored_and_room_again_is_enough(small_disk: Path, left_kb: int) -> None:
    """The less room is left the earlier it ends: in the truth, in the lexical index, or in Chroma's files."""
    folder = small_disk / "library"
    with Library.open(folder, embedder=EMBEDDER) as library:
        library.write(many(range(_BATCH)))
    ballast = small_disk / "ballast"
    free = shutil.disk_usage(small_disk).free
    ballast.write_bytes(b"\0" * max(0, free - left_kb * 1024))
    stored, told, noise = write(folder)
    assert told, noise
    assert "\n" not in told
    assert "space" in told
    assert "Traceback" not in noise
    assert len(stored) < _PAPERS // _BATCH

    with Library.open(folder, embedder=EMBEDDER, read_only=True) as library:
        there = {paper.id for paper in library.papers()}
    assert there >= {f"title:{start + i}" for start in stored for i in range(_BATCH)}
    assert len(there) % _BATCH == 0

    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    stored, told, noise = write(folder)
    assert (told, len(stored)) == ("", _PAPERS // _BATCH), noise
    with Library.open(folder, embedder=EMBEDDER) as library:
        assert library.count() == _PAPERS
        for number in (0, 77, 239):
            assert library.search(own_word(number), 1)[0].paper.id == f"title:{number}"
        assert [check.message for check in library.doctor() if not check.ok] == []


def ibid(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line, by somebody whom permissions bind: an administrator gives up what lifts them."""
    command = [sys.executable, "-m", "assistant", *arguments]
    if os.geteuid() == 0:
        command = ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search", *command]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    return subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Path]:
    """A library of three papers in a folder that forbids writing."""
    folder, corpus = tmp_path / "library", tmp_path / "papers.jsonl"
    papers = [
        {"title": f"On {word}", "abstract": f"We study {word} in rivers. The {word} grew by {number} percent."}
        for number, word in enumerate(("salmon", "reeds", "otters"), 11)
    ]
    corpus.write_text("".join(json.dumps(paper) + "\n" for paper in papers), encoding="utf-8")
    made = ibid("add", str(corpus), "--library", str(folder))
    assert made.returncode == 0, made.stderr
    everything = [folder, *folder.rglob("*")]
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield folder
    for path in everything:
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or (os.geteuid() == 0 and shutil.which("setpriv") is None),
    reason="permissions of another kind, or an administrator who cannot give them up",
)
def test_a_folder_that_forbids_writing_is_read_all_the_same(sealed: Path) -> None:
    at = ("--library", str(sealed))
    listed = ibid("list", *at)
    assert listed.returncode == 0, listed.stderr
    assert "On reeds" in listed.stdout
    found = ibid("search", "otters in rivers", "--json", *at)
    assert found.returncode == 0, found.stderr
    assert "On otters" in found.stdout
    asked = ibid("ask", "By how much did the salmon grow?", "--json", *at)
    assert asked.returncode == 0, asked.stderr
    assert "11 percent" in json.loads(asked.stdout)["text"]
    exported = ibid("export", "--format", "bibtex", *at)
    assert "On salmon" in exported.stdout
    refused = ibid("add", str(sealed.parent / "papers.jsonl"), *at)
    assert refused.returncode == 1
    assert len(refused.stderr.strip().splitlines()) == 1
    assert "Traceback" not in refused.stderr
    assert str(sealed) in refused.stderr
