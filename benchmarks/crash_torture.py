"""Kills a writing process over and over, at random moments and while index files change, and counts what is lost.

    python -m benchmarks.crash_torture --kills 50

Prints one JSON line per kill and a summary: papers reported stored and missing (must be 0) and what
the doctor finds wrong after the next write (must be nothing).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from assistant.library import Library
from assistant.papers import Paper, Passage, Span
from assistant.storage.truth import StoredPaper
from assistant.testing import HashEmbedder

_EMBEDDER = HashEmbedder(dimension=384)
_BATCH = 100
_WORDS = [a + b for a in ("gra", "lum", "ter", "vos", "qui", "ban") for b in ("do", "ni", "ka", "sul", "met")]


def stored(number: int) -> StoredPaper:
    chance = random.Random(number)
    text = " ".join(chance.choices(_WORDS, k=12))
    paper = Paper(f"title:{number}", f"Paper {number}", text)
    passage = Passage(f"{paper.id}#0", paper.id, 0, 0, len(text), text, 12, (Span(0, len(text)),))
    from assistant.cleaning import embedding_text

    return StoredPaper(paper, (passage,), tuple(_EMBEDDER.embed_passages([embedding_text(paper.title, passage)])))


def write(folder: Path, papers: int) -> None:
    """The victim: stores batches, saying so after each, and brings the indexes up to date each thousand papers."""
    with Library.open(folder, embedder=_EMBEDDER) as library:
        for thousand in range(0, papers, 10 * _BATCH):
            with library.writing("torture"):
                for start in range(thousand, min(papers, thousand + 10 * _BATCH), _BATCH):
                    batch = range(start, start + _BATCH)
                    known = library.papers_by_id([f"title:{number}" for number in batch])
                    library.write([stored(number) for number in batch if f"title:{number}" not in known])
                    print(start, flush=True)
        print("done", flush=True)


def attack(folder: Path, papers: int, seed: int) -> list[int]:
    """Starts a victim and kills it; the starts of the batches that it had reported."""
    chance = random.Random(seed)
    command = [sys.executable, "-m", "benchmarks.crash_torture", "--victim", str(folder), "--papers", str(papers)]
    victim = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if seed % 2:
        _until_files_change(victim, folder, chance.randrange(1, 40))
    else:
        time.sleep(chance.uniform(1.0, 12.0))
    victim.send_signal(signal.SIGKILL)
    return [int(line) for line in victim.communicate()[0].split() if line.isdigit()]


def _until_files_change(victim: subprocess.Popen[str], folder: Path, changes: int) -> None:
    seen: dict[str, int] = {}
    while changes > 0 and victim.poll() is None:
        for parent, _, names in os.walk(folder / "index"):
            for name in names:
                path = os.path.join(parent, name)
                try:
                    stamp = os.stat(path).st_mtime_ns
                except OSError:
                    continue
                if path.endswith(".bin") and seen.get(path) != stamp:
                    changes -= 1
                seen[path] = stamp


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--papers", type=int, default=3000)
    parser.add_argument("--victim", type=Path)
    options = parser.parse_args()
    if options.victim:
        write(options.victim, options.papers)
        return
    results = []
    for seed in range(options.kills):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            reported = attack(folder, options.papers, seed)
            with Library.open(folder, embedder=_EMBEDDER) as library:
                there = {paper.id for paper in library.papers()}
                lost = sum(f"title:{s + i}" not in there for s in reported for i in range(_BATCH))
                library.write([stored(options.papers)])
                bad = [check.check for check in library.doctor() if not check.ok]
            results.append({"kill": seed, "reported": len(reported) * _BATCH, "lost": lost, "bad after a write": bad})
            print(json.dumps(results[-1]), flush=True)
    unsound = sum(bool(result["bad after a write"]) for result in results)
    print(json.dumps({"kills": len(results), "lost": sum(int(str(r["lost"])) for r in results), "unsound": unsound}))


if __name__ == "__main__":
    main()
