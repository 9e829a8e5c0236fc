"""The run as one self-contained HTML page: no request leaves it, it opens from a disk without a network."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from evals.results import Run


def render(run: Run) -> str:
    """The page. Data go in as JSON in which `<` cannot close the script; the page's script writes text, never HTML."""
    folder = resources.files("evals.reports") / "page"
    data = {"summary": run.summary.to_dict(), "cases": [_case(one.to_dict()) for one in run.results]}
    encoded = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for sign, escape in (
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        encoded = encoded.replace(sign, escape)
    page = (folder / "page.html").read_text(encoding="utf-8")
    for name, content in (
        ("/*STYLE*/", (folder / "page.css").read_text(encoding="utf-8")),
        ("/*SCRIPT*/", (folder / "page.js").read_text(encoding="utf-8")),
        ("/*DATA*/", encoded),  # last: nothing in the data is taken for a placeholder
    ):
        page = page.replace(name, content, 1)
    return page


def _case(line: dict[str, Any]) -> dict[str, Any]:
    """What the page shows of a case."""
    response = line["response"]
    return {
        **{key: line[key] for key in ("case", "outcome", "scores", "ledger")},
        "status": response["status"],
        "reason": response["reason"],
        "text": response["text"],
        "seconds": response["seconds"],
        "confidence": response["confidence"],
        "error": response["error"],
    }
