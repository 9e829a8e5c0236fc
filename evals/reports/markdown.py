"""The run as Markdown, short enough for a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from evals.reports import numbers
from evals.results import BoundVerdict, CaseResult, MetricSummary, Run, Summary

_WORST = 10
_SIGNS = {"pass": "✅ pass", "fail": "❌ fail", "inconclusive": "❔ inconclusive"}
_KIND_METRICS = ("correct", "all_facts", "first_paper", "refusal_recall", "false_refusal", "citation_recall")


def render(run: Run) -> str:
    """The report."""
    summary = run.summary
    parts = [
        f"# Evals: {summary.suite} of {summary.system}: {_SIGNS[summary.verdict] if summary.bounds else 'no bounds'}",
        _head(summary),
        _bounds(summary.bounds),
        "## Metrics\n\n" + _metrics(summary.metrics),
        _process_and_outcome(summary),
        _parts("kind", summary.kinds),
        _parts("dataset", summary.datasets),
        _worst(run.results),
        _provenance(summary),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; cells are kept from breaking it."""
    lines = [list(header), *([_cell(cell) for cell in row] for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _head(summary: Summary) -> str:
    errors = f", **{summary.errors} errors**" if summary.errors else ", no errors"
    lines = [
        f"{summary.n} cases{errors}, {summary.seconds:.1f} s, verifier {summary.verifier}, run `{summary.run_id}`."
    ]
    lines += [f"* {number} × {_cell(message)}" for message, number in summary.unanswered.items()]
    return "\n".join(lines)


def _bounds(bounds: tuple[BoundVerdict, ...]) -> str:
    if not bounds:
        return ""
    rows = ([bound.bound, _SIGNS[bound.verdict], bound.why, ", ".join(bound.failing[:5])] for bound in bounds)
    return "## Verdicts\n\n" + table(["bound", "verdict", "measured", "look at"], rows)


def _metrics(metrics: tuple[MetricSummary, ...]) -> str:
    rows = (
        [
            f"{metric.name} {numbers.arrow(metric.better)}".strip(),
            numbers.value(metric.estimate.mean if metric.estimate else None, metric.unit),
            numbers.interval(metric.estimate, metric.unit),
            numbers.count(metric),
            metric.says,
        ]
        for metric in metrics
    )
    return table(["metric", "mean", "95 %", "n", "meaning"], rows)


def _process_and_outcome(summary: Summary) -> str:
    rows = ([name.replace("_", " "), str(number)] for name, number in summary.outcomes.items())
    return "## Outcomes\n\nProcess (do the citations carry it?) and outcome (is it right?) side by side.\n\n" + table(
        ["outcome", "cases"], rows
    )


def _parts(what: str, parts: Mapping[str, tuple[MetricSummary, ...]]) -> str:
    if not parts:
        return ""
    rows = []
    for name, metrics in parts.items():
        by_name = {metric.name: metric for metric in metrics}
        values = [by_name.get(wanted) for wanted in _KIND_METRICS]
        size = max((metric.applicable for metric in metrics), default=0)
        means = (numbers.value(found.estimate.mean) if found and found.estimate else numbers.DASH for found in values)
        rows.append([name, str(size), *means])
    return f"## By {what}\n\n" + table([what, "n", *_KIND_METRICS], rows)


def _worst(results: tuple[CaseResult, ...]) -> str:
    order = {"error": 0, "right_but_wrongly_cited": 1, "wrong": 2, "refused_wrongly": 3}
    bad = sorted((one for one in results if one.outcome in order), key=lambda one: order[one.outcome])
    if not bad:
        return ""
    rows = ([one.case.id, one.outcome.replace("_", " "), one.case.question, _why(one)] for one in bad[:_WORST])
    more = f"\n\nand {len(bad) - _WORST} more in cases.jsonl" if len(bad) > _WORST else ""
    return f"## What went wrong\n\n{table(['case', 'outcome', 'question', 'why'], rows)}{more}"


def _why(result: CaseResult) -> str:
    if result.response.error:
        return result.response.error
    notes = (f"{name}: {score.note}" for name, score in result.scores.items() if score.note and name != "correct")
    return next(notes, "")


def _provenance(summary: Summary) -> str:
    rows = [
        *summary.hashes.items(),
        *summary.versions.items(),
        ("seed", str(summary.seed)),
        ("started", summary.started),
    ]
    body = table(["of", "value"], ([key, f"`{text}`"] for key, text in rows))
    return f"<details><summary>What this run depends on</summary>\n\n{body}\n\n</details>"
