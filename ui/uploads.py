"""Files that a visitor sends: the name they are kept under, and reports that don't tell where that was."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

MOST_UNPACKED: Final = 1 << 30  # bytes that one packed file may become, all that is in an archive together
_UNSAFE: Final = re.compile(r"[^\w.() +-]+")


def safe(name: str) -> str:
    """A file's own name, as far as it is one."""
    base = _UNSAFE.sub("_", os.path.basename(name.replace("\\", "/")))[-120:].strip(". ")
    return base or "file"


def without_paths(report: dict[str, Any], paths: Sequence[Path]) -> dict[str, Any]:
    """The report with each file under its own name: where it was kept here means nothing to anyone."""
    for rejected in report["rejected"]:
        for name in ("where", "reason"):
            for path in paths:
                rejected[name] = str(rejected[name]).replace(str(path), path.name)
    return report
