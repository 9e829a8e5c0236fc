"""The library's papers as HTML: rows of the table, a paper with all that is known of it, and an ingest's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from assistant.papers import Hit, Paper, Passage
from assistant.storage.shelf import Listed
from ui import standing
from ui.chat import panel
from ui.papers.known import Known, facts, yours
from ui.rendering import byline, count, escape, readable

NAMED: Final = 5  # papers of an outcome that a report names
_AUTHORS: Final = 3
_TAGS: Final = 4
_REJECTED: Final = 200


def row(paper: Listed, group: str = "", whole: Paper | None = None) -> str:
    """A paper of the table; `group` is the style that gives it its group's colour, `whole` has its tags and standing."""
    who = ", ".join(paper.authors[:_AUTHORS]) + (" et al." if len(paper.authors) > _AUTHORS else "")
    dot = f'<i class="ibid-dot" style="{escape(group)}"></i>' if group else ""
    note = "" if paper.abstract else ' <em class="ibid-lacks">no abstract</em>'
    if whole is not None:
        note = f"{standing.mark(whole)}{note}{_tags(whole.tags)}"
    where = f'data-paper="{escape(paper.id)}"'
    year = str(paper.year) if paper.year else ""
    return (
        f'<tr {where}><td class="ibid-pick"><input type="checkbox" aria-label="Pick {readable(paper.title)}" {where}></td>'
        f'<td class="ibid-what"><button type="button" data-act="open" {where}>{dot}{readable(paper.title)}</button>{note}</td>'
        f'<td class="ibid-who">{readable(who)}</td><td class="ibid-year">{year}</td>'
        f'<td class="ibid-venue">{readable(paper.venue or "")}</td></tr>'
    )


def _tags(tags: Sequence[str]) -> str:
    more = f' <small class="ibid-soft">and {len(tags) - _TAGS} more</small>' if len(tags) > _TAGS else ""
    made = "".join(f' <small class="ibid-tag">{readable(tag)}</small>' for tag in tags[:_TAGS])
    return made + more


def opened(whole: Known, passages: Sequence[Passage], read_only: bool) -> str:
    """A paper with its metadata, abstract and passages; similar papers come after it."""
    paper = whole.paper
    remove = (
        ""
        if read_only
        else f'<div class="ibid-remove"><button type="button" class="ibid-button ibid-danger" data-act="remove" '
        f'data-paper="{escape(paper.id)}">Remove from library</button></div>'
    )
    return (
        f"{panel.paper(paper)}{yours(paper, not read_only)}{facts(whole, not read_only)}{_passages(passages)}"
        f'<section class="ibid-similar" aria-label="Similar papers"><h4>Similar papers</h4>'
        f'<p class="ibid-soft">Looking …</p></section>{remove}'
    )


def _passages(passages: Sequence[Passage]) -> str:
    if not passages:
        return ""
    shown = "".join(
        f'<li><span class="ibid-soft">{len(one.sentences)} sentences · {one.tokens} tokens · '
        f"characters {one.start:,}–{one.end:,}</span><p>{readable(one.text)}</p></li>"
        for one in passages
    )
    return (
        f'<details class="ibid-passages"><summary>{count(len(passages), "passage")}, as searched</summary>'
        f"<ol>{shown}</ol></details>"
    )


def similar(hits: Sequence[Hit]) -> str:
    """Papers near another, nearest first."""
    if not hits:
        return '<p class="ibid-soft">There are no others to compare with.</p>'
    made = "".join(
        f'<li><button type="button" class="ibid-card" data-act="open" data-paper="{escape(hit.paper.id)}">'
        f"<strong>{readable(hit.paper.title)}{standing.mark(hit.paper)}</strong><small>{byline(hit.paper)}</small></button></li>"
        for hit in hits
    )
    return f"<ol>{made}</ol>"


def several(names: Sequence[str]) -> str:
    """`refs.bib`, `refs.bib and one more`, `refs.bib and 3 more`."""
    if len(names) == 1:
        return names[0]
    return f"{names[0]} and {'one' if len(names) == 2 else len(names) - 1} more"


def report(done: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """What an ingest did: counts, then what was rejected and why, then what may be the same paper twice."""
    counted = (
        ("added", done["added"]),
        ("updated", done["updated"]),
        ("unchanged", done["unchanged"]),
        ("duplicates" if done["duplicates"] != 1 else "duplicate", done["duplicates"]),
        ("rejected", len(done["rejected"])),
    )
    tallies = "".join(f"<li><b>{number:,}</b> {name}</li>" for name, number in counted if number)
    if not tallies:
        tallies = "<li>No paper was found in it.</li>"
    return (
        f'<ul class="ibid-tallies">{tallies}</ul>{_added(done, titles)}'
        f"{_rejected(done['rejected'])}{_ambiguous(done['ambiguous'], titles)}"
    )


def synced(done: Mapping[str, Any], titles: Mapping[str, str], *, prune: bool, dry: bool) -> str:
    """What a sync with one source did, or with `dry` would do, with a button that does it."""
    unread = f'<p class="ibid-wrong">{escape(done["failed"])}</p>' if done["failed"] else ""
    nothing = not any(done[name] for name in ("added", "updated", "duplicates", "unchanged", "rejected", "skipped"))
    body = "" if nothing else report(done, titles) if _counted(done) else "<p>Nothing has changed there.</p>"
    made = unread + body + _gone(done, titles, prune=prune, dry=dry)
    if not dry or done["failed"]:
        return made
    if not (done["added"] or done["updated"] or done["duplicates"] or done["pruned"]):
        return made + '<p class="ibid-soft">There is nothing to bring in.</p>'
    flag = ' data-prune="yes"' if prune else ""
    return (
        f'{made}<p class="ibid-soft">Nothing has been changed yet.</p><div class="ibid-bring">'
        f'<button type="button" class="ibid-button ibid-strong" data-act="bring" data-source="{escape(done["source"])}"{flag}>'
        f"{'Bring in, and remove' if done['pruned'] else 'Bring in'}</button>"
        '<button type="button" class="ibid-button" data-act="leave">Not now</button></div>'
    )


def _counted(done: Mapping[str, Any]) -> bool:
    return any(done[name] for name in ("added", "updated", "duplicates", "unchanged", "rejected"))


def _gone(done: Mapping[str, Any], titles: Mapping[str, str], *, prune: bool, dry: bool) -> str:
    """Papers that the source no longer has."""
    made = ""
    pruned = set(done["pruned"])
    kept = [one for one in done["gone"] if one not in pruned]
    if pruned:
        verb = "would be removed" if dry else "removed"
        made += f"<h4>{count(len(pruned), 'paper')} no longer there: {verb}</h4>{_titled(done['pruned'], titles)}"
    if kept:
        why = "as another source has them, or you added or changed them" if prune else "as nothing is removed unasked"
        made += f"<h4>{count(len(kept), 'paper')} no longer there: kept, {why}</h4>{_titled(kept, titles)}"
    return made


def _titled(ids: Sequence[str], titles: Mapping[str, str]) -> str:
    """The first of some papers by title; those that are no longer here have none to open."""
    items = "".join(f"<li>{_link(one, titles) if one in titles else escape(one)}</li>" for one in ids[:NAMED])
    rest = f'<p class="ibid-soft">and {count(len(ids) - NAMED, "more paper")}</p>' if len(ids) > NAMED else ""
    return f'<ul class="ibid-named">{items}</ul>{rest}'


def _added(done: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    ids = [*done["ids"]["added"], *done["ids"]["updated"], *done["ids"]["duplicates"]]
    shown = [one for one in dict.fromkeys(ids) if one in titles][:NAMED]
    more = len(set(ids)) - len(shown)
    items = "".join(f"<li>{_link(one, titles)}</li>" for one in shown)
    rest = f'<p class="ibid-soft">and {count(more, "more paper")}</p>' if more > 0 and shown else ""
    return f'<ul class="ibid-named">{items}</ul>{rest}' if items else ""


def _rejected(rejected: Sequence[Mapping[str, Any]]) -> str:
    if not rejected:
        return ""
    items = "".join(
        f"<li><b>{escape(str(one['where']))}</b> {escape(str(one['reason']))}</li>" for one in rejected[:_REJECTED]
    )
    more = len(rejected) - _REJECTED
    rest = f"<li>and {more:,} more</li>" if more > 0 else ""
    return f'<h4>Not taken, and why</h4><ul class="ibid-rejected">{items}{rest}</ul>'


def _ambiguous(ambiguous: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> str:
    if not ambiguous:
        return ""
    items = "".join(
        f"<li>{_link(one['paper_id'], titles)} may be the same as {_link(one['other_id'], titles)}: "
        f"{escape(str(one['reason']))}</li>"
        for one in ambiguous[:_REJECTED]
    )
    return f'<h4>Added, but maybe there already</h4><ul class="ibid-doubtful">{items}</ul>'


def _link(paper_id: str, titles: Mapping[str, str]) -> str:
    title = readable(titles.get(paper_id, paper_id))
    return f'<button type="button" class="ibid-link" data-act="open" data-paper="{escape(paper_id)}">{title}</button>'
