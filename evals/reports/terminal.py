"""The run on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.reports import numbers
from evals.results import Run

if TYPE_CHECKING:
    from rich.console import Console

_STYLE = {"pass": "green", "fail": "bold red", "inconclusive": "yellow"}


def show(run: Run, console: Console) -> None:
    """Prints verdicts, metrics and outcomes."""
    from rich.markup import escape
    from rich.table import Table

    summary = run.summary
    table = Table(title=f"{summary.suite}: {summary.system}, {summary.n} cases", title_justify="left")
    for column in ("metric", "mean", "95 %", "n"):
        table.add_column(column, justify="left" if column == "metric" else "right")
    for metric in summary.metrics:
        mean = numbers.value(metric.estimate.mean if metric.estimate else None, metric.unit)
        name = f"{metric.name} {numbers.arrow(metric.better)}"
        table.add_row(name, mean, numbers.interval(metric.estimate, metric.unit), numbers.count(metric))
    console.print(table)
    outcomes = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in summary.outcomes.items() if count)
    console.print(f"outcomes: {outcomes}")
    for message, number in summary.unanswered.items():
        console.print(f"[bold red]error[/] {number} × {escape(message)}")
    for bound in summary.bounds:
        console.print(f"[{_STYLE[bound.verdict]}]{bound.verdict:>12}[/]  {escape(f'{bound.bound}: {bound.why}')}")
        if bound.verdict != "pass" and bound.failing:
            console.print(f"              look at {escape(', '.join(bound.failing[:5]))}")
