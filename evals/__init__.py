"""Grounding evals: is each answer right, does what it cites carry it, and does the assistant know when to refuse?

from evals import run
found = run(assistant, suite="gate")
found.summary.verdict, found.value("all_facts")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evals.cases import Case
    from evals.comparison import compare
    from evals.results import Run
    from evals.runner import replay, run
    from evals.systems import AssistantSystem, System

__all__ = ["AssistantSystem", "Case", "Run", "System", "compare", "replay", "run"]

_HOMES = {
    "AssistantSystem": "evals.systems",
    "Case": "evals.cases",
    "Run": "evals.results",
    "System": "evals.systems",
    "compare": "evals.comparison",
    "replay": "evals.runner",
    "run": "evals.runner",
}


def __getattr__(name: str) -> Any:
    """Loads on first use: `import evals` costs nothing, numpy and the metrics come with what needs them."""
    if name not in _HOMES:
        raise AttributeError(f"module 'evals' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
