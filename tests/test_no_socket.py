"""Local by default: the whole job runs without a connection, or even a name looked up, to anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import CORPUS

ROOT = Path(__file__).resolve().parents[1]

# Refuses every outgoing use of a socket, loopback too; what is tried inside a swallowed exception is counted as well.
_GUARD = """
import json, sys
tried = []
def guard(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.sendto"):
        tried.append(f"{event} {arguments[1:]!r}")
        raise PermissionError(f"{event}: this must stay on the machine")
sys.addaudithook(guard)
"""
_FLOW = """
from pathlib import Path
from assistant import Assistant, Library
from ingest import add
from assistant.verifying import check_claim, check_record
folder, corpus = Path(sys.argv[1]), sys.argv[2]
with Library.open(folder) as library:
    added = add(library, corpus).added
    assistant = Assistant(library)
    answer = assistant.ask("What is ExPO?")
    conversation = assistant.conversation()
    conversation.ask("What is ExPO?")
    conversation.ask("How well does it work?")
    hits = library.search("prompt optimisation", k=5)
    library.as_retriever().invoke("prompt optimisation")
    assistant.as_runnable().invoke("What is ExPO?")
    ok = check_record(library, answer.record_id).ok
    check_claim(library, answer.citations[0].quote)
    library.rebuild()
    checks = all(check.ok for check in library.doctor())
print(json.dumps({"added": added, "status": answer.status, "hits": len(hits), "ok": ok, "doctor": checks, "tried": tried}))
"""
_CHROMA = """
from pathlib import Path
from assistant.storage.vector_index import VectorIndex
import numpy as np
rows = np.random.default_rng(1).standard_normal((300, 16)).astype(np.float32)
rows /= np.linalg.norm(rows, axis=1, keepdims=True)
ids = [f"p{n}#0" for n in range(300)]
folder = Path(sys.argv[1]) / "chroma"
index = VectorIndex.embedded(folder, "create")
index.upsert(ids, rows)
index.close()
index = VectorIndex.embedded(folder, "open")
found = [hits[0][0] for hits in index.query(rows[:20], 3)]
index.delete(ids[:10])
left = index.count()
index.close()
print(json.dumps({"found": found == ids[:20], "left": left, "tried": tried}))
"""
_COMMANDS = """
from assistant.cli import main
at = ["--library", sys.argv[1]]
for arguments in (["add", *at, sys.argv[2]], ["ask", *at, "What is ExPO?"], ["search", *at, "prompts"], ["doctor", *at],
                  ["export", *at, "--output", sys.argv[1] + "/out.bib"], ["list", *at], ["rebuild", *at],
                  ["sync", *at, sys.argv[2]], ["edit", *at, "ExPO: Unlocking Hard Reasoning with Self-Explanation-Guided Reinforcement Learning", "--tag", "x"],
                  ["export", *at, "--style", "ieee", "--output", sys.argv[1] + "/out.md"]):
    try:
        main(arguments)
    except SystemExit as left:
        assert left.code == 0, (arguments, left.code)
print(json.dumps({"tried": tried}))
"""


def guarded(script: str, *arguments: object) -> dict[str, object]:
    """Runs a script under the guard; what its last line prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("IBID_", "OPENAI_"))}
    done = subprocess.run(
        [sys.executable, "-c", _GUARD + script, *map(str, arguments)],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_the_guard_bites() -> None:
    script = (
        "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 9))\nexcept PermissionError:\n    pass\n"
    )
    assert guarded(script + "print(json.dumps({'tried': len(tried)}))") == {"tried": 1}


def test_adding_asking_searching_and_mending(tmp_path: Path) -> None:
    done = guarded(_FLOW, tmp_path / "library", CORPUS)
    assert done == {"added": 59, "status": "answered", "hits": 5, "ok": True, "doctor": True, "tried": []}


def test_the_index_of_a_large_library(tmp_path: Path) -> None:
    assert guarded(_CHROMA, tmp_path) == {"found": True, "left": 290, "tried": []}


def test_the_command_line(tmp_path: Path) -> None:
    assert guarded(_COMMANDS, tmp_path / "library", CORPUS) == {"tried": []}
