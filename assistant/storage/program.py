"""Our own modules as child processes, for work that may crash, hang or take long."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from assistant.errors import LibraryError


def run(module: str, arguments: Sequence[str] = (), *, given: str = "", time_limit_s: float | None = None) -> str:
    """Runs `python -m module` with `given` on standard input; what it printed.

    Raises LibraryError when it fails, dies or is too slow.
    """
    paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            input=given,
            capture_output=True,
            text=True,
            timeout=time_limit_s,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LibraryError(f"{module} did not end within {time_limit_s:.0f} s") from error
    if done.returncode != 0:
        last_words = " ".join(done.stderr.strip().splitlines()[-1:])[:200]
        raise LibraryError(f"{module} died with exit code {done.returncode} {last_words}".strip())
    return done.stdout
