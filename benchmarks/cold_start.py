"""From an empty process to an answer, over the 59 bundled papers. Prints a Markdown table.

python -m benchmarks.cold_start
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

from benchmarks.measuring import CORPUS, ROOT, WARM_UP, table

_REPEATS = 3


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        library = f"{scratch}/library"
        commands: dict[str, Sequence[str]] = {
            "`ibid --help`": ["--help"],
            "`ibid add` of the 59 papers": ["add", "--library", library, str(CORPUS)],
            "the same again, nothing new": ["add", "--library", library, str(CORPUS)],
            "`ibid ask`, first answer": ["ask", "--library", library, WARM_UP],
        }
        once = ("`ibid add` of the 59 papers",)  # a second run adds nothing
        rows = [_row(name, given, 1 if name in once else _REPEATS) for name, given in commands.items()]
    print(table("New processes", rows))


def _row(name: str, arguments: Sequence[str], repeats: int) -> dict[str, Any]:
    times = [_command(arguments) for _ in range(repeats)]
    return {"command": name, "CPU s": round(statistics.median(times), 2), "runs": repeats}


def _command(arguments: Sequence[str]) -> float:
    """CPU seconds of one `ibid` command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    program = "from assistant.cli import main; main()"
    subprocess.run([sys.executable, "-c", program, *arguments], check=True, capture_output=True, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
