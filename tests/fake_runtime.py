"""Stands in for `assistant.local_server`: the same job and the same first line, with a fake server behind it.

The "model" is a file of JSON: `{"text": what it says, "fault": "refuse" | "silent" | "crash" | "die"}`. `crash` ends the
process in the middle of the first reply, `die` before it says where it listens.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

import tests.fake_openai as fake_openai
from tests.fake_openai import FakeOpenAI, Script


def main() -> None:
    job = json.loads(sys.stdin.readline())
    path = Path(job["model"])
    told = json.loads(path.read_text().removeprefix("GGUF"))
    fault = told.get("fault")
    if fault == "refuse":
        print(json.dumps({"error": "Failed to init server"}), flush=True)
        return
    if fault == "die":
        print("error: no memory left", file=sys.stderr)
        sys.exit(3)
    fake_openai.MODEL = job["name"]
    slow = fault == "crash"
    script = Script(told["text"], pause=0.05 if slow else 0.0, fault="stall" if slow else None, after=6)
    with FakeOpenAI(script, key=job["key"]) as server:
        if slow:
            path.write_text("GGUF" + json.dumps({"text": told["text"]}))  # the next process is well
            threading.Thread(target=_crash, args=(server,), daemon=True).start()
        print(json.dumps({"port": int(server.base_url.rpartition(":")[2].split("/")[0])}), flush=True)
        sys.stdin.read()
    os._exit(0)


def _crash(server: FakeOpenAI) -> None:
    while not server.requests:
        time.sleep(0.01)
    time.sleep(0.6)
    os.kill(os.getpid(), 9)


if __name__ == "__main__":
    main()
