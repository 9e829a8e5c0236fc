"""A person's say: accept, edit or reject each draft on the terminal. Every decision is on disk before the next draft.

Accepted cases go to the dataset itself, one line each; ids of rejected drafts go to `NAME.rejected` beside it, so that a
review can be left and taken up again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.errors import InputError
from evals.cases import Case, read

Ask = Callable[[str, str], str]  # prompt and default in, the person's words out
Show = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What one sitting came to."""

    accepted: int
    rejected: int
    left: int


def review(drafts: Iterable[Case], target: Path, ask: Ask, show: Show) -> Reviewed:
    """Goes through the drafts that have no decision yet; `q` leaves the rest for another time."""
    waiting = pending(drafts, target)
    accepted = rejected = 0
    for place, case in enumerate(waiting):
        show(_shown(case, place + 1, len(waiting)))
        decision = _decide(ask)
        if decision == "q":
            return Reviewed(accepted, rejected, len(waiting) - place)
        if decision == "r":
            _append(_rejections(target), case.id)
            rejected += 1
            continue
        keep(edited(case, ask) if decision == "e" else case, target)
        accepted += 1
    return Reviewed(accepted, rejected, 0)


def pending(drafts: Iterable[Case], target: Path) -> tuple[Case, ...]:
    """The drafts that were neither accepted nor rejected before."""
    done = {case.id for case in read(target)} if target.exists() else set()
    rejections = _rejections(target)
    if rejections.exists():
        done |= set(rejections.read_text(encoding="utf-8").split("\n"))
    return tuple(case for case in drafts if case.id not in done)


def keep(case: Case, target: Path) -> None:
    """Adds a case to the dataset."""
    _append(target, json.dumps(case.to_dict(), ensure_ascii=False))


def edited(case: Case, ask: Ask) -> Case:
    """The case with the person's question and facts (alternatives apart by `|`, facts by `;`)."""
    question = ask("question", case.question).strip() or case.question
    facts = "; ".join(" | ".join(fact) for fact in case.facts)
    if case.answerable:
        facts = ask("facts (a | b; c)", facts)
    parsed = tuple(
        alternatives
        for fact in facts.split(";")
        if (alternatives := tuple(text.strip() for text in fact.split("|") if text.strip()))
    )
    return replace(case, turns=(*case.turns[:-1], question), facts=parsed)


def _decide(ask: Ask) -> str:
    while True:
        decision = ask("[a]ccept, [e]dit, [r]eject, [q]uit", "a").strip().lower()[:1]
        if decision in {"a", "e", "r", "q"}:
            return decision


def _shown(case: Case, place: int, total: int) -> str:
    wanted = "; ".join(" | ".join(fact) for fact in case.facts) or (
        "—" if case.answerable else f"refuse: {case.reason}"
    )
    return (
        f"\n{place}/{total}  {case.kind}\n  {case.question}\n  wanted: {wanted}\n  papers: {'; '.join(case.papers)}"
        f"\n  from: {case.note}"
    )


def _rejections(target: Path) -> Path:
    return target.with_suffix(".rejected")


def _append(path: Path, line: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
    except OSError as error:
        raise InputError(f"cannot write to {str(path)!r}: {error.strerror}; give another --out") from error
