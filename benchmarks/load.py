"""Many people at once over HTTP: how long an answer takes, whether answers are mixed up, whether memory grows.

    python -m benchmarks.load --questions 1000 --people 8

Starts `ibid serve` over the bundled papers in a process of its own, asks about their titles, and prints a Markdown table.
A question asks for one paper by its title, so that an answer which cites another one was mixed up.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.measuring import CORPUS, ROOT, table

_FORMS = ("What does “{}” show?", "What is “{}” about?", "Which results does “{}” report?")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--people", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        library = f"{scratch}/library"
        command = [sys.executable, "-m", "assistant"]
        subprocess.run(
            [*command, "add", "--library", library, str(CORPUS)], check=True, cwd=ROOT, capture_output=True
        )
        serve = [*command, "serve", "--library", library, "--port", "0", "--requests-per-minute", "1000000"]
        with subprocess.Popen(
            serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
        ) as server:
            try:
                found = re.search(r"http://\S+", server.stdout.readline() if server.stdout else "")
                if found is None:
                    raise SystemExit("the server did not start")
                print(table("Served", [_measured(found[0], server.pid, options.questions, options.people)]))
            finally:
                server.terminate()


def _measured(address: str, pid: int, questions: int, people: int) -> dict[str, Any]:
    titles = [paper["title"] for paper in httpx.get(f"{address}/v1/papers?limit=100").json()["papers"]]
    asked = [(title, form.format(title)) for form in _FORMS for title in titles]
    asked = (asked * (questions // len(asked) + 1))[:questions]
    times: list[float] = []
    memory: list[tuple[int, float]] = []
    wrong = failed = 0
    with httpx.Client(base_url=address, timeout=120, limits=httpx.Limits(max_connections=people)) as client:
        for title, question in asked[:people]:  # what is loaded once
            _ask(client, title, question)
        cpu, began = _cpu(pid), time.monotonic()
        with ThreadPoolExecutor(people) as pool:
            for number, (seconds, state) in enumerate(pool.map(lambda pair: _ask(client, *pair), asked)):
                times.append(seconds)
                wrong += state == "wrong"
                failed += state == "failed"
                if number % 10 == 0:
                    memory.append((number, _resident_mb(pid)))
    spent, wall = _cpu(pid) - cpu, time.monotonic() - began
    # The first tenth fills caches, of SQLite's pages above all.
    settled = [point for point in memory if point[0] >= questions / 10]
    slope = float(np.polyfit(*zip(*settled, strict=True), 1)[0]) * 1000 if len(settled) > 2 else float("nan")
    return {
        "people": people,
        "questions": questions,
        "p50 s": round(statistics.median(times), 2),
        "p95 s": round(float(np.percentile(times, 95)), 2),
        "answers a second": round(questions / wall, 1),
        "CPU ms an answer": round(1000 * spent / questions),
        "mixed up": wrong,
        "failed": failed,
        "MB at first": round(memory[0][1]),
        "MB at last": round(memory[-1][1]),
        "MB per 1,000": round(slope, 1),
    }


def _ask(client: httpx.Client, title: str, question: str) -> tuple[float, str]:
    began = time.monotonic()
    reply = client.post("/v1/ask", json={"question": question})
    seconds = time.monotonic() - began
    if reply.status_code != 200:
        return seconds, "failed"
    answer = reply.json()
    cited = {citation["paper"]["title"] for citation in answer["citations"]}
    mine = answer["question"] == question and (title in cited or answer["status"] == "abstained")
    return seconds, "right" if mine else "wrong"


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


if __name__ == "__main__":
    main()
