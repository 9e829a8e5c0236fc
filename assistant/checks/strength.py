"""How strongly and how widely something is said: quantifiers, hedges, causes, and the animals that were left out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.answers import Finding
from assistant.checks import lexicon
from assistant.checks.words import Word, read, same

_REACH = 4  # words after a quantifier that it may count


def check(claim: str, evidence: Sequence[str]) -> tuple[Finding, ...]:
    """Findings of the kinds `quantifier`, `hedge`, `cause` and `scope`."""
    told = " \n".join(evidence)
    claim = lexicon.DOUBLE.sub(lambda found: " " * len(found.group()), claim)
    return (*_quantifiers(claim, told), *_hedges(claim, told), *_causes(claim, told), *_scope(claim, told))


_CLASSES = (
    ("all", lexicon.ALL, (lexicon.ALL,)),
    ("only", lexicon.ONLY, (lexicon.ONLY,)),
    ("most", lexicon.MOST, (lexicon.MOST, lexicon.ALL)),
)


def _quantifiers(claim: str, told: str) -> tuple[Finding, ...]:
    """A claim that says "all", "only" or "most" of what the evidence doesn't say it of, or drops "some" and "most"."""
    for name, pattern, allowed in _CLASSES:
        said = pattern.search(claim)
        if said and not any(other.search(told) for other in allowed) and _counts_shared(said, claim, told):
            return (Finding("quantifier", f"“{said.group()}” is not in the cited sentences (checked as “{name}”)."),)
    weaker = lexicon.SOME.search(claim)
    stronger = lexicon.ALL.search(told) or lexicon.MOST.search(told)
    if weaker and weaker.group().lower() in _SMALL and stronger and not lexicon.SOME.search(told):
        return (
            Finding("quantifier", f"The claim says “{weaker.group()}”, the cited sentence “{stronger.group()}”."),
        )
    return ()


_SMALL = frozenset({"some", "a few", "few", "minority", "a minority of", "sometimes", "occasionally"})


def _counts_shared(said: re.Match[str], claim: str, told: str) -> bool:
    """Whether what the quantifier counts is in the evidence: else the rest of the claim is the question."""
    after = [word for word in read(claim).words if word.start >= said.end() and word.content][:_REACH]
    return any(any(same(word, other) for other in read(told).words) for word in after) or not after


def _hedges(claim: str, told: str) -> tuple[Finding, ...]:
    weak = lexicon.WEAK.search(told)
    if strong := _unshared_strong(claim, told):
        return (Finding("hedge", f"The claim says “{strong}”; the cited sentence is not as sure."),)
    if weak and not lexicon.HEDGE.search(claim) and _near_shared(weak, told, claim):
        return (Finding("hedge", f"The cited sentence says “{weak.group()}”; the claim leaves that out."),)
    return ()


def _unshared_strong(claim: str, told: str) -> str | None:
    for match in lexicon.STRONG.finditer(claim):
        stem = match.group().lower()[:4]
        if not lexicon.STRONG.search(told) and stem not in told.lower():
            return match.group()
    return None


def _near_shared(weak: re.Match[str], told: str, claim: str) -> bool:
    """Whether what is hedged is what the claim says."""
    hedged = [word for word in read(told).words if word.start >= weak.end() and word.content][:_REACH]
    said = read(claim).words
    return sum(any(same(word, other) for other in said) for word in hedged) >= min(2, len(hedged))


def _causes(claim: str, told: str) -> tuple[Finding, ...]:
    cause = lexicon.CAUSE_STRICT.search(claim)
    if not cause or lexicon.CAUSE.search(told):
        return ()
    link = lexicon.ASSOCIATION.search(told)
    if link:
        return (Finding("cause", f"The claim says “{cause.group()}”, the cited sentence only “{link.group()}”."),)
    return (Finding("cause", f"The cited sentences don't say “{cause.group()}”."),)


def _scope(claim: str, told: str) -> tuple[Finding, ...]:
    found = [match.group() for match in lexicon.SCOPE.finditer(told)]
    if not found or lexicon.SCOPE.search(claim):
        return ()
    said: list[Word] = [word for word in read(claim).words if word.content]
    shared = sum(any(same(word, other) for other in read(told).words) for word in said)
    if shared < 0.5 * len(said):
        return ()
    return (Finding("scope", f"The cited sentence is about “{found[0]}”; the claim leaves that out."),)
