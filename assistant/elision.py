"""Quoting a sentence out of its place: what leans on its neighbour is left out (`[…]`) or named (`[ExPO]`), visibly.

A quoted sentence is told whole unless that would drag its neighbour along. All that is told outside of brackets is
verbatim; a claim cites every piece of its own, so that its offsets can be checked one by one. The rules are few and cut
only at a comma behind an opening word or phrase: no negation, hedge, number or condition is ever left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant import naming
from assistant.papers import Paper

ELLIPSIS = "[…]"


@dataclass(frozen=True, slots=True)
class Piece:
    """`sentence[start:end]`, told verbatim. Never empty, never beginning or ending with a blank."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Inserted:
    """What stands in brackets instead of words of the sentence: `[…]`, or the name of what they mean."""

    text: str


Wording = tuple[Piece | Inserted, ...]

_LEANS = re.compile(
    r"^\W*(?:(?:this|these|those|that|such)\b(?! (?:paper|work|study|article|survey|review|report|research|thesis|chapter)\b)"
    r"(?! (?:results?|findings|experiments|data|observations) (?:\w+ )?(?:suggest|show|indicate|demonstrate|reveal|imply|support|"
    r"confirm|establish|highlight|provide|identify|define|point|underscore)s?\b)|"
    r"(?:it|they|its|their|he|she|them|both|neither|the (?:former|latter|two)|one|another|others)\b|"
    r"(?:however|nevertheless|nonetheless|thus|therefore|hence|consequently|accordingly|as a result|in contrast|"
    r"on the other hand|conversely|instead|otherwise|by contrast|to (?:this end|address (?:this|these)|resolve (?:this|"
    r"these)|tackle (?:this|these)|overcome (?:this|these)|mitigate (?:this|these)|do so)|for this reason|"
    r"in this (?:setting|way|case|context|setup)|with this|from this|given this|under this|unlike (?:this|these|it)|"
    r"based on (?:this|these)|building (?:up)?on (?:this|these)|motivated by (?:this|these)|beyond this|second(?:ly)?|third(?:ly)?|"
    r"lastly|also|similarly|likewise)\b)",
    re.IGNORECASE,
)
# Openings that only join a sentence to the one before: without them it says the same of the world. "Otherwise", "in this
# case" and their like are conditions, and stay.
_CONNECTIVE = re.compile(
    r"^(?:however|nevertheless|nonetheless|thus|therefore|hence|consequently|accordingly|as a result|in contrast|"
    r"on the other hand|conversely|by contrast|to this end|to do so|for this reason|second(?:ly)?|third(?:ly)?|lastly|also|"
    r"similarly|likewise|with this in mind)\s*,\s+",
    re.IGNORECASE,
)
_PURPOSE = re.compile(
    r"^(?:to (?:address|resolve|tackle|overcome|mitigate|solve|alleviate|bridge|fill|handle|combat|counter) (?:this|these)\b|"
    r"(?:based|building|drawing) (?:up)?on (?:this|these)\b|motivated by (?:this|these)\b|inspired by (?:this|these)\b|"
    r"given (?:this|these)\b)[^,;:.?!]{0,80},\s+(?=(?:we|our|a|an|the|this (?:paper|work|study))\b)",
    re.IGNORECASE,
)
_UNSURE = re.compile(
    r"^\W*(?:\w+\s+){0,4}(?:this|these|those|that|such|it|its|they|their|them|former|latter|both)\b", re.IGNORECASE
)
_KEPT = re.compile(r"\b(?:not|no|never|without|if|unless|only|when|may|might|could|\d[\d.]*)\b|n't\b", re.IGNORECASE)

_MEANT = re.compile(
    r"^(?P<words>it|(?:this|the) (?:new |novel |simple |proposed )?(?:method|approach|framework|model|algorithm|technique|system|"
    r"benchmark|dataset|data set|corpus|tool|procedure|pipeline|architecture|strategy|paradigm|library|metric|loss|objective|"
    r"protocol|package|software|platform|database|resource))(?=\s+\w)(?!['’])",
    re.IGNORECASE,
)
_EXPLETIVE = re.compile(
    r"^it (?:(?:is|was|has been|remains?|seems?|appears?|becomes?|turns?|may be|can be|could be|should be)\b.*\b(?:that|to|whether|how|why)\b|"
    r"(?:follows|remains|seems|appears|turns|takes)\b)",
    re.IGNORECASE,
)
_COINS = r"\b(?:propos\w+|introduc\w+|present\w*|develop\w*|design\w*|describ\w+|devis\w+|releas\w+|build|built|call(?:ed)?|term(?:ed)?|named|dubbed)\b"
_WE = r"\b(?:we|this (?:paper|work|study|article))\b[^.;]{0,30}?"  # the paper itself speaks
_COINED_WITHIN = 90  # characters between "we propose" and the name that it gives


def leans(text: str) -> bool:
    """Whether a sentence begins with a word that points at its neighbour, so that it can't stand alone."""
    return _LEANS.match(text) is not None


def whole(text: str) -> Wording:
    """The sentence as it is."""
    return (Piece(0, len(text)),)


def standing(text: str, before: str, paper: Paper) -> Wording | None:
    """A wording in which the leaning sentence stands without `before`, the sentence before it; None when there is none.

    An opening that only connects is left out; "It" or "This method" becomes the paper's own name when the sentence
    before has just given it and nothing else.
    """
    start = _opening(text)
    rest = text[start:]
    if named := _referent(rest, before, paper):
        end = _MEANT.match(rest)
        after = start + (end.end() if end else 0)
        after += len(text[after:]) - len(text[after:].lstrip())
        lead: Wording = (Inserted(ELLIPSIS),) if start else ()
        return (*lead, Inserted(f"[{named}]"), Piece(after, len(text)))
    if start and not _UNSURE.match(rest):
        return (Inserted(ELLIPSIS), Piece(start, len(text)))
    return None


def _opening(text: str) -> int:
    """Where the sentence begins without its connecting opening; 0 when it has none that may go."""
    for pattern in (_CONNECTIVE, _PURPOSE):
        match = pattern.match(text)
        if match and not _KEPT.search(match.group()) and text[match.end() :].strip():
            return match.end()
    return 0


def _referent(text: str, before: str, paper: Paper) -> str | None:
    """The name that a sentence's first words stand for, when the sentence before leaves no doubt."""
    if not _MEANT.match(text) or _EXPLETIVE.match(text):
        return None
    own = [name for name in naming.short_names(paper) if _given(name, before)]
    return own[0] if len(own) == 1 else None


def _given(name: str, before: str) -> bool:
    """Whether the sentence gives the paper's own thing this name ("we propose X"), or has it for its subject."""
    spelt = rf"(?<![\w-]){re.escape(name)}(?![\w-])"
    coined = re.search(
        rf"{_WE}{_COINS}(?P<between>.{{0,{_COINED_WITHIN}}}?){spelt}", before, re.IGNORECASE | re.DOTALL
    )
    if coined and not re.search(
        r"[;]|\b(?:that|which|over|than|like|unlike|for|on|with|from|using|of)\b", coined["between"]
    ):
        return True
    return re.match(rf"^(?:\w+,\s+)?(?:the\s+)?{spelt}\s+[a-z]+", before) is not None


def pieces(wording: Wording) -> Iterator[Piece]:
    """The verbatim pieces, in order."""
    return (item for item in wording if isinstance(item, Piece))


def told(text: str, wording: Wording) -> str:
    """The sentence in this wording: pieces and brackets in order, a blank between them unless punctuation follows."""
    said = ""
    for item in wording:
        part = text[item.start : item.end] if isinstance(item, Piece) else item.text
        said += part if not said or part[0] in ",;:.?!'’)" else f" {part}"
    return said


_PUT_IN = re.compile(r"\[(?:…|[^\[\]]{1,60})\]")


def only_brackets_between(text: str, quotes: Sequence[str]) -> bool:
    """Whether `text` is the quotes in order and, apart from blanks, nothing else but something in brackets around them."""
    position = 0
    for place, quote in enumerate(quotes):
        found = text.find(quote, position)
        if found < 0 or not quote:
            return False
        if not _is_put_in(text[position:found], needed=place > 0):
            return False
        position = found + len(quote)
    return bool(quotes) and _is_put_in(text[position:], needed=False)


def _is_put_in(between: str, *, needed: bool) -> bool:
    left = _PUT_IN.sub("", between)
    return not left.strip() and (not needed or left != between)
