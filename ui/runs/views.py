"""Recorded runs as HTML: the list, a run, a case, a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ui.rendering import count, escape
from ui.runs import charts
from ui.runs.answers import shown

Values = Mapping[str, Any]
_DIRECTION: Final = {"higher": 1, "lower": -1}
_WORDS: Final = {"pass": "passes", "fail": "fails", "inconclusive": "inconclusive"}
_UNCHANGED: Final = 1e-9


def listed(runs: Sequence[Values], chosen: str = "") -> str:
    """A control for each run."""
    return "".join(
        f'<li><button type="button" data-act="run" data-run="{escape(run["name"])}" '
        f'aria-current="{str(run["name"] == chosen).lower()}"><strong>{escape(run["name"])}</strong>'
        f"<small>{escape(run['system'])} · {count(run['n'], 'case')} · {escape(run['started'][:16].replace('T', ' '))}</small>"
        f"{_badge(run['verdict'])}</button></li>"
        for run in runs
    )


def run(told: Values, cases: Sequence[Values], others: Sequence[str]) -> str:
    """A run: its verdict, its metrics with intervals, and its cases."""
    minutes = f"{told['seconds']:.0f} s" if told["seconds"] < 120 else f"{told['seconds'] / 60:.0f} min"
    errors = f" · {count(told['errors'], 'error')}" if told["errors"] else ""
    facts = f"{told['system']}, suite {told['suite']} · {count(told['n'], 'case')}{errors} · {told['started'][:16].replace('T', ' ')} · {minutes}"
    options = "".join(f'<option value="{escape(name)}">{escape(name)}</option>' for name in others)
    comparing = (
        f'<label class="ibid-against"><span>Compare with</span><select data-against><option value="">…</option>{options}'
        "</select></label>"
        if others
        else ""
    )
    return (
        f'<header class="ibid-run-head"><div><h2>{escape(told["name"])} {_badge(told["verdict"])}</h2>'
        f'<p class="ibid-soft">{escape(facts)}</p></div>{comparing}</header>'
        f"{_bounds(told['bounds'])}{_metrics(told['metrics'])}{_cases(told['name'], cases)}"
    )


def _badge(verdict: str) -> str:
    return f'<em class="ibid-badge ibid-is-{escape(verdict)}">{_WORDS.get(verdict, escape(verdict))}</em>'


def _bounds(bounds: Sequence[Values]) -> str:
    if not bounds:
        return ""
    rows = "".join(
        f"<li>{_badge(one['verdict'])}<span><b>{escape(one['bound'].replace('_', ' '))}</b> {escape(one['why'])}</span></li>"
        for one in sorted(bounds, key=lambda one: ("fail", "inconclusive", "pass").index(one["verdict"]))
    )
    return f'<h3>Declared bounds</h3><ul class="ibid-bounds">{rows}</ul>'


def _metrics(metrics: Sequence[Values]) -> str:
    rows = "".join(_metric(one) for one in metrics if one["estimate"] is not None)
    return (
        '<h3>Metrics, with 95 % intervals</h3><table class="ibid-numbers-table"><thead><tr><th scope="col">Metric</th>'
        '<th scope="col">Value</th><th scope="col"><span class="ibid-unseen">From 0 to 1</span></th>'
        f'<th scope="col">Cases</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _metric(one: Values) -> str:
    found = one["estimate"]
    drawn = charts.share(found["mean"], found["low"], found["high"]) if one["unit"] == "share" else ""
    unscored = f' <small class="ibid-lacks">{one["unscored"]} unscored</small>' if one["unscored"] else ""
    aim = {"higher": " ↑", "lower": " ↓"}.get(one["better"], "")
    return (
        f'<tr><th scope="row">{_name(one["name"])}{aim}<small>{escape(one["says"])}</small></th>'
        f"<td><b>{value(found['mean'], one['unit'])}</b><small>{_interval(found, one['unit'])}</small></td>"
        f"<td>{drawn}</td><td>{one['applicable']:,}{unscored}</td></tr>"
    )


def _name(metric: str) -> str:
    return escape(metric.replace("_", " ").capitalize())


def value(number: float, unit: str) -> str:
    """A share as percent, anything else with its unit."""
    if unit == "share":
        return f"{100 * number:.1f}\u00a0%"
    return f"{number:,.3g} {escape(unit)}" if abs(number) < 1000 else f"{number:,.0f} {escape(unit)}"


def _interval(found: Values, unit: str) -> str:
    if found["low"] is None or found["high"] is None:
        return "no interval"
    if unit == "share":
        return f"{100 * found['low']:.1f} – {100 * found['high']:.1f}"
    return f"{found['low']:.3g} – {found['high']:.3g}"


def _cases(name: str, cases: Sequence[Values]) -> str:
    tallied: dict[str, int] = {}
    for one in cases:
        tallied[one["outcome"]] = tallied.get(one["outcome"], 0) + 1
    chips = "".join(
        f'<button type="button" class="ibid-field" data-act="outcome" data-outcome="{escape(outcome)}" aria-pressed="false">'
        f"{escape(outcome.replace('_', ' '))} {number}</button>"
        for outcome, number in sorted(tallied.items(), key=lambda item: -item[1])
    )
    rows = "".join(
        f'<li data-outcome="{escape(one["outcome"])}"><button type="button" data-act="case" data-run="{escape(name)}" '
        f'data-case="{escape(one["case"]["id"])}">{_outcome(one["outcome"])}<span>{escape(one["question"])}</span>'
        f"<small>{escape(one['case']['kind'].replace('_', ' '))}</small></button></li>"
        for one in cases
    )
    return (
        f'<h3>Cases</h3><div class="ibid-outcomes">{chips}<input type="search" data-find aria-label="Search the cases" '
        f'placeholder="Search the cases"></div><ul class="ibid-cases">{rows}</ul>'
    )


def _outcome(outcome: str) -> str:
    good = outcome in ("right_and_supported", "refused_rightly")
    mark = "✓" if good else "?" if outcome == "retrieved" else "✕"
    kind = "good" if good else "open" if outcome == "retrieved" else "bad"
    return f'<em class="ibid-outcome-mark ibid-{kind}"><b aria-hidden="true">{mark}</b> {escape(outcome.replace("_", " "))}</em>'


def case(told: Values) -> str:
    """A case: the answer as the chat shows it, what was wanted, and how each metric judged it."""
    wanted = told["case"]
    facts = [
        ("Outcome", _outcome(told["outcome"])),
        ("Kind", escape(wanted["kind"].replace("_", " "))),
        ("Should be", "answered" if wanted.get("answerable", True) else "refused"),
        ("From", "<br>".join(escape(title) for title in wanted.get("papers", ()))),
    ]
    facts.append(("Facts wanted", "<br>".join(escape(_fact(one)) for one in wanted.get("facts", ()))))
    shown_facts = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in facts if text)
    scores = "".join(
        f'<tr><th scope="row">{_name(name)}</th><td>{_score(score)}</td><td>{escape(score["note"])}</td></tr>'
        for name, score in told["scores"].items()
    )
    return (
        f'<div class="ibid-turn">{shown(told)}</div>'
        f'<dl class="ibid-wanted">{shown_facts}</dl><h4>Scores</h4>'
        f'<table class="ibid-scores"><thead class="ibid-unseen"><tr><th>Metric</th><th>Score</th><th>Note</th></tr></thead>'
        f"<tbody>{scores}</tbody></table>"
    )


def _fact(fact: Any) -> str:
    return " / ".join(map(str, fact)) if isinstance(fact, list | tuple) else str(fact)


def _score(score: Values) -> str:
    return "unscored" if score["value"] is None else f"{score['value']:.3g}"


def comparison(told: Values, before: str, after: str) -> str:
    """What changed between two runs, how surely, and the cases that flipped."""
    changes = told["changes"]
    moved = [one for one in changes if abs(_delta(one)) > _UNCHANGED or one["margin"] is not None]
    still = [_name(one["metric"]) for one in changes if one not in moved]
    rows = "".join(map(_change, moved))
    same = f'<p class="ibid-soft">Unchanged: {", ".join(still)}.</p>' if still else ""
    differs = ", ".join(escape(name) for name in told["differing_hashes"]) or "nothing that was recorded"
    alone = len(told["only_before"]) + len(told["only_after"])
    rest = f" {count(alone, 'case')} of one run only {'is' if alone == 1 else 'are'} left out." if alone else ""
    return (
        f'<header class="ibid-run-head"><div><h2>{escape(before)} → {escape(after)} {_badge(told["verdict"])}</h2>'
        f'<p class="ibid-soft">{count(told["shared"], "case")} in both.{rest} The runs differ in: {differs}.</p></div>'
        f'<button type="button" class="ibid-button" data-act="run" data-run="{escape(before)}">Back to {escape(before)}</button>'
        f'</header><h3>Changes, with 95 % intervals</h3><table class="ibid-numbers-table"><thead><tr><th scope="col">Metric</th>'
        '<th scope="col">Before → after</th><th scope="col">Change</th><th scope="col"><span class="ibid-unseen">Drawn</span></th>'
        f'<th scope="col">Verdict</th></tr></thead><tbody>{rows}</tbody></table>{same}{_flips(told["flips"], before, after)}'
    )


def _change(one: Values) -> str:
    found, unit, delta = one["difference"], one["unit"], _delta(one)
    direction = _DIRECTION.get(one["better"], 0)
    gain = delta * direction
    word = "better" if gain > _UNCHANGED else "worse" if gain < -_UNCHANGED else ""
    scale = [abs(delta), *(abs(found[name]) for name in ("low", "high") if found[name] is not None)]
    reach = 1.15 * max([*scale, 2 * (one["margin"] or 0.0), 1e-3])
    drawn = charts.change(delta, found["low"], found["high"], one["margin"], reach, direction)
    interval = (
        "no interval"
        if found["low"] is None or found["high"] is None
        else f"{_signed(found['low'], unit)} … {_signed(found['high'], unit)}"
    )
    return (
        f'<tr><th scope="row">{_name(one["metric"])}</th>'
        f"<td>{value(found['before'], unit)} → <b>{value(found['after'], unit)}</b></td>"
        f"<td><b>{_signed(delta, unit)}</b> {word}<small>{interval}</small></td><td>{drawn}</td>"
        f"<td>{_badge(one['verdict']) if one['verdict'] else ''}<small>{_statistics(one)}</small></td></tr>"
    )


def _delta(one: Values) -> float:
    """How much the mean rose."""
    return float(one["difference"]["after"] - one["difference"]["before"])


def _signed(number: float, unit: str) -> str:
    return f"{100 * number:+.1f}" if unit == "share" else f"{number:+.3g}"


def _statistics(one: Values) -> str:
    parts = []
    if one["p"] is not None:
        parts.append("p &lt; 0.001" if one["p"] < 0.001 else f"p = {one['p']:.3f} (Holm)")
    if one["margin"] is not None:
        parts.append(f"margin {one['margin']:g}")
    if one["verdict"] == "inconclusive" and one["detectable"] is not None:
        parts.append(f"differences from {one['detectable']:.3f} on show with these cases")
        if one["decides"]:
            parts.append(f"about {one['decides']:,} groups would decide")
    if one["left_out"]:
        parts.append(f"{one['left_out']} left out")
    return "; ".join(parts)


def _flips(flips: Sequence[Values], before: str, after: str) -> str:
    if not flips:
        return '<h3>Cases</h3><p class="ibid-soft">No case changed its outcome.</p>'
    better, worse = (sum(one["gain"] == sign for one in flips) for sign in (1, -1))
    rows = "".join(
        f'<li><div class="ibid-flip">{_side(before, one["case"], one["before"])}<i aria-hidden="true">→</i>'
        f"{_side(after, one['case'], one['after'])}</div><span>{escape(one['question'])}</span></li>"
        for one in flips
    )
    return (
        f"<h3>{count(len(flips), 'case')} changed: {better} better, {worse} worse</h3>"
        f'<ul class="ibid-flips">{rows}</ul>'
    )


def _side(name: str, case_id: str, outcome: str) -> str:
    label = f"{name}: {outcome.replace('_', ' ')}"
    return (
        f'<button type="button" data-act="case" data-run="{escape(name)}" data-case="{escape(case_id)}" '
        f'aria-label="{escape(label)}">{_outcome(outcome)}</button>'
    )
