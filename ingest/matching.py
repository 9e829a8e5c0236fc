"""Is a record a paper that is already here? And if so, what does it bring? Pure decisions, no library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from assistant.identity import Identifier, contradicted, identifiers, paper_id, same_work, title_digest
from assistant.papers import Paper
from ingest.merging import merged, origins_after
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
    origins: Mapping[str, str] = field(default_factory=dict)  # with `paper`: field to source, where not its `source`


def names_of(record: Record) -> tuple[Identifier, ...]:
    """Every identifier under which the record's paper may already be known."""
    return identifiers(record, record.others)


def ids_of(record: Record) -> tuple[str, str]:
    """The ids under which the record's paper would be stored: its own, and that for want of any agreed identifier."""
    return paper_id(record, record.others), f"title:{title_digest(record)}"


def _no_origins(_: str) -> Mapping[str, str]:
    return {}


def decide(
    record: Record,
    known: Mapping[Identifier, str],
    paper: Callable[[str], Paper | None],
    seen: Callable[[str], bool],
    origins: Callable[[str], Mapping[str, str]] = _no_origins,
) -> Decision:
    """What becomes of `record`.

    `known` gives the paper id of identifiers (at least those of `names_of`), `paper` a paper by its id, `seen`
    whether this run has already met it: the first record of a paper speaks for it, the later ones only add to it.
    `origins` says where each field of a paper came from.
    """
    names = names_of(record)
    found = _found(record, names, known, paper)
    if found.existing is None:
        new = record.paper(found.own_id)
        return Decision("added", found.own_id, new, names, found.doubt, found.reason)
    existing = found.existing
    met = seen(existing.id)
    additional = met or not _speaks_for(record, names, existing)
    told = origins(existing.id)
    changed = merged(existing, record, told, speaks=not additional)
    linked = additional and (met or changed != existing or any(name not in known for name in names))
    outcome: Outcome = "duplicate" if linked else "updated" if changed != existing else "unchanged"
    if changed == existing:
        return Decision(outcome, existing.id, None, names)
    return Decision(outcome, existing.id, changed, names, origins=origins_after(existing, told, changed, record))


@dataclass(frozen=True, slots=True)
class _Found:
    own_id: str
    existing: Paper | None
    doubt: str | None = None
    reason: str = ""


def _found(
    record: Record,
    names: tuple[Identifier, ...],
    known: Mapping[Identifier, str],
    paper: Callable[[str], Paper | None],
) -> _Found:
    """The paper that the record is of. An identifier decides unless title and authors speak against it."""
    own_id, by_text = ids_of(record)
    stable = [known[name] for name in names if name.scheme != "title" and name in known]
    named = [there for id_ in dict.fromkeys([*stable, own_id]) if (there := paper(id_))]
    agreed = [there for there in named if not contradicted(record, there)]
    if agreed:
        doubt = agreed[1].id if len(agreed) > 1 else None
        return _Found(own_id, agreed[0], doubt, "its identifiers name two papers" if doubt else "")
    doubt, reason = None, ""
    if named:
        doubt, reason = named[0].id, "same identifier, but another title and other authors"
        own_id = by_text if own_id in {there.id for there in named} else own_id
        if itself := paper(own_id):
            return _Found(own_id, itself)
    title = next((name for name in names if name.scheme == "title"), None)
    namesake = paper(known[title]) if title is not None and title in known else None
    if namesake is not None:
        if same_work(record, namesake):
            return _Found(own_id, namesake)
        doubt, reason = namesake.id, "same title, but other authors, year, DOI or arXiv id"
    return _Found(own_id, None, doubt, reason)


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
