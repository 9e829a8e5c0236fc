"""A comparison as Markdown, for a terminal and a pull request alike."""

from __future__ import annotations

from evals.comparison import Change, Comparison
from evals.reports import numbers
from evals.reports.markdown import table

_SIGNS = {"pass": "pass", "fail": "FAIL", "inconclusive": "inconclusive", None: ""}
_FLIPS = 10


def render(found: Comparison) -> str:
    """What changed, by how much, how sure, and the ten cases to look at first."""
    parts = [
        f"# {found.before} → {found.after}: {_SIGNS[found.verdict]}",
        f"{found.shared} cases in both{_alone(found)}. Differs in: {', '.join(found.differing_hashes) or 'nothing'}.",
        table(
            ["metric", "before", "after", "change", "95 %", "p (Holm)", "margin", "verdict"], map(_row, found.changes)
        ),
        _notes(found),
        _flips(found),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _alone(found: Comparison) -> str:
    alone = len(found.only_before) + len(found.only_after)
    return f" ({len(found.only_before)} only before, {len(found.only_after)} only after)" if alone else ""


def _row(change: Change) -> list[str]:
    one = change.difference
    interval = numbers.DASH if one.low is None or one.high is None else f"[{one.low:+.3f}, {one.high:+.3f}]"
    return [
        f"{change.metric} {numbers.arrow(change.better)}".strip(),
        numbers.value(one.before, change.unit),
        numbers.value(one.after, change.unit),
        f"{one.delta:+.3f}" + (" better" if change.gain > 0 else " worse" if change.gain < 0 else ""),
        interval,
        _p(change),
        numbers.DASH if change.margin is None else f"{change.margin:g}",
        _SIGNS[change.verdict],
    ]


def _p(change: Change) -> str:
    if change.p is None:
        return numbers.DASH
    shown = "< 0.001" if change.p < 0.001 else f"{change.p:.3f}"
    return shown + (" *" if change.significant else "")


def _notes(found: Comparison) -> str:
    lines = []
    for change in found.changes:
        if change.left_out:
            lines.append(f"* {change.metric}: {change.left_out} cases scored in one run only are left out.")
        if change.verdict == "inconclusive" and change.detectable is not None:
            decides = f"; about {change.decides} groups would decide" if change.decides else ""
            groups = change.difference.groups
            lines.append(f"* {change.metric}: {groups} groups show differences of {change.detectable:.3f}{decides}.")
    return "\n".join(lines)


def _flips(found: Comparison) -> str:
    if not found.flips:
        return "No case changed its outcome."
    better = sum(flip.gain > 0 for flip in found.flips)
    worse = sum(flip.gain < 0 for flip in found.flips)
    rows = (
        [flip.case, f"{flip.before} → {flip.after}".replace("_", " "), flip.question] for flip in found.flips[:_FLIPS]
    )
    return f"{len(found.flips)} cases flipped: {better} better, {worse} worse.\n\n" + table(
        ["case", "outcome", "question"], rows
    )
