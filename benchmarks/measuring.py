"""How the end-to-end benchmarks measure and print: CPU seconds, quantiles, Markdown tables, processes of their own."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "ingest" / "corpus" / "huggingface-papers.txt"
CASES = ROOT / "evals" / "datasets" / "bundled.jsonl"
WARM_UP = "What is cautious weight decay?"


def cpu_seconds(call: Callable[[], object]) -> float:
    """CPU seconds of this process, all threads: on a machine with other work, the time that lies least."""
    started = time.process_time()
    call()
    return time.process_time() - started


def wall_and_cpu(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and CPU seconds of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def peak_megabytes() -> int:
    """Most memory that this process has held at once."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def in_a_process(module: str, *arguments: str) -> Any:
    """The JSON that is the last line of `python -m module arguments`; ends the benchmark when that fails."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{module} {' '.join(arguments)} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def table(title: str, rows: Sequence[dict[str, Any]]) -> str:
    """Markdown; the columns are those of the first row."""
    columns = list(rows[0])
    lines = [f"## {title}", "", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(str(row.get(column, '')) for column in columns)} |" for row in rows]
    return "\n".join(lines) + "\n"


def quantiles(seconds: Sequence[float]) -> str:
    """Median and 95th percentile in milliseconds, `12 / 34`; needs two or more."""
    return f"{statistics.median(seconds) * 1000:.0f} / {statistics.quantiles(seconds, n=20)[-1] * 1000:.0f}"


def machine() -> str:
    """What the figures were measured on."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}"
