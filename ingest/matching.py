"""Is a record a paper that is already here? And if so, what does it bring? Pure decisions, no library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from assistant.identity import Identifier, identifiers, paper_id, same_work
from assistant.papers import Paper
from ingest.records import Record

Outcome = Literal["added", "updated", "unchanged", "duplicate"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with one record: `paper` as it shall be stored, None where nothing about it changes."""

    outcome: Outcome
    paper_id: str
    paper: Paper | None
    names: tuple[Identifier, ...]  # by which the paper shall be found from now on
    doubt: str | None = None  # id of another paper that it may be
    doubt_reason: str = ""


def names_of(record: Record) -> tuple[Identifier, ...]:
    """Every identifier under which the record's paper may already be known."""
    return identifiers(record, record.others)


def decide(
    record: Record,
    known: Mapping[Identifier, str],
    paper: Callable[[str], Paper | None],
    seen: Callable[[str], bool],
) -> Decision:
    """What becomes of `record`.

    `known` gives the paper id of identifiers (at least those of `names_of`), `paper` a paper by its id, `seen`
    whether this run has already met it: the first record of a paper speaks for it, the later ones only add to it.
    """
    names = names_of(record)
    own_id = paper_id(record, record.others)
    stable = [known[name] for name in names if name.scheme != "title" and name in known]
    matches = list(dict.fromkeys([*stable, *([own_id] if paper(own_id) else [])]))
    by_title = known.get(next((name for name in names if name.scheme == "title"), Identifier("title", "")))
    doubt, reason = None, ""
    if len(matches) > 1:
        doubt, reason = matches[1], "its identifiers name two papers"
    elif not matches and by_title and (namesake := paper(by_title)):
        if same_work(record, namesake):
            matches = [by_title]
        else:
            doubt, reason = by_title, "same title, but other authors, year or DOI"
    existing = paper(matches[0]) if matches else None
    if existing is None:
        return Decision("added", own_id, record.paper(own_id), names, doubt, reason)
    met = seen(existing.id)
    additional = met or not _speaks_for(record, names, existing)
    merged = _filled(existing, record) if additional else _renewed(existing, record)
    changed = None if merged == existing else merged
    linked = additional and (met or changed is not None or any(name not in known for name in names))
    outcome: Outcome = "duplicate" if linked else "updated" if changed else "unchanged"
    return Decision(outcome, existing.id, changed, names, doubt, reason)


def _speaks_for(record: Record, names: tuple[Identifier, ...], paper: Paper) -> bool:
    """Whether the record may change the paper's text, rather than only fill its gaps.

    A preprint's record does not speak for the publication, nor one that has only the title for a paper with a DOI:
    else two files with different abstracts of one paper would overwrite each other at every run.
    """
    scheme, _, value = paper.id.partition(":")
    if scheme != "title":
        same = Identifier(scheme, value) in names
    else:
        own = [name for name in identifiers(paper) if name.scheme != "title"]
        same = not own or any(name in names for name in own)
    pairs = ((record.doi, paper.doi), (record.arxiv_id, paper.arxiv_id))
    return same and not any(mine and theirs and mine != theirs for mine, theirs in pairs)


def _renewed(paper: Paper, record: Record) -> Paper:
    """`paper` with what the record says; what the record does not say stays. Its origin moves only with a change."""
    new = record.paper(paper.id)
    merged = replace(
        new,
        authors=new.authors or paper.authors,
        year=new.year or paper.year,
        venue=new.venue or paper.venue,
        doi=new.doi or paper.doi,
        arxiv_id=new.arxiv_id or paper.arxiv_id,
        url=new.url or paper.url,
        categories=new.categories or paper.categories,
        tags=new.tags or paper.tags,
        citekey=new.citekey or paper.citekey,
    )
    return paper if replace(merged, source=paper.source) == paper else merged


def _filled(paper: Paper, record: Record) -> Paper:
    """`paper` with only its gaps filled from the record."""
    return replace(
        paper,
        authors=paper.authors or record.authors,
        year=paper.year or record.year,
        venue=paper.venue or record.venue,
        doi=paper.doi or record.doi,
        arxiv_id=paper.arxiv_id or record.arxiv_id,
        url=paper.url or record.url,
        categories=paper.categories or record.categories,
        tags=paper.tags or record.tags,
        citekey=paper.citekey or record.citekey,
    )
