"""Follow-up questions made stand-alone, by rules over wording and over what the last answer was about.

The rewriting goes to the answer's record and to the user, so it must read as a question that a person could have asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant import details, naming, questions
from assistant.evidence import asked_terms, telling
from assistant.papers import Paper
from assistant.terms import TermStatistics


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier turn: what was asked, and the papers that its answer was about, in the order they were shown."""

    question: str
    query: str
    papers: tuple[Paper, ...]


@dataclass(frozen=True, slots=True)
class StandAlone:
    """A question that needs no history. `focus` are the papers that it is about when it doesn't name them itself."""

    query: str
    focus: tuple[Paper, ...] = ()
    context: tuple[Paper, ...] = ()  # papers just spoken of, which it may be about
    sentences: int | None = None  # how many sentences are wanted, when the user said so


_ORDINALS = {
    "first": 0,
    "1st": 0,
    "second": 1,
    "2nd": 1,
    "third": 2,
    "3rd": 2,
    "fourth": 3,
    "4th": 3,
    "fifth": 4,
    "5th": 4,
    "last": -1,
}
_ORDINAL = re.compile(
    rf"\b(?:the\s+)?({'|'.join(_ORDINALS)})\s+(?:one|paper|study|article|work|method|approach|of (?:them|these|those))\b"
    rf"|\bthe\s+({'|'.join(word for word in _ORDINALS if word != 'last')})(?=\s*[?.!,]|\s*$)",
    re.IGNORECASE,
)
_FORMER_LATTER = re.compile(r"\bthe\s+(former|latter)\b", re.IGNORECASE)
_OTHER = re.compile(r"\bthe other(?: (?:one|paper|study))?\b", re.IGNORECASE)
_NOUN = r"(?:paper|study|article|work|method|approach|model|framework|technique|algorithm|system|dataset|benchmark|survey|trial|authors|experiment|intervention|treatment|drug|one|result)s?"
_POSSESSIVE = re.compile(r"\b(?:its|their|his|her)\b(?!\s+own\b)", re.IGNORECASE)
_POINTING = re.compile(
    rf"\b(?:this|that|these|those|the same)\s+(?:\w+\s+)?{_NOUN}\b|\bthe (?:paper|study|article|authors)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"\b(?:it|they|them|this|those|these)\b(?!\s+(?:possible|true|known|clear|necessary|important|common)\b)|"
    r"\b(?:was|is|does|did|do|has|about) that\b(?!\s+\w+\s+(?:is|are|was|were)\b)|\bthat\b(?=\s*[?.!,]|\s*$|\s+(?:work|mean|help|differ|compare|perform|do)\b)",
    re.IGNORECASE,
)
_EXPLETIVE = re.compile(r"\bis it (?:possible|true|known|the case|safe|better)\b", re.IGNORECASE)
_SEVERAL = re.compile(
    r"\b(?:both|these two|the two|them|those|these)\b(?!\s+(?:paper|study|method|approach)\b)", re.IGNORECASE
)
_OF_THESE = re.compile(
    r"\b(?:(which|what|any|one|some|none|all|how many)(?: ones?)?) of (?:these|those|them)(?: papers| studies| works)?\b",
    re.IGNORECASE,
)
_WHAT_ABOUT = re.compile(
    r"^\W*(?:and|but|so|ok(?:ay)?|also)?[\s,]*(?:what about|how about|and|same for|and for|also for|what of)\b[\s,]*",
    re.IGNORECASE,
)
_SHORTER = re.compile(
    r"^\W*(?:(?:please|can you|could you|make it|say (?:it|that)|a bit|much|be|in)\s+)*(?:shorter|briefer|more brief(?:ly)?|more concise(?:ly)?|briefly|(?:one|a single) sentence|shorten (?:it|that)|tl;?dr)\W*(?:please|version)?\W*$",
    re.IGNORECASE,
)
_LONGER = re.compile(
    r"^\W*(?:(?:please|can you|could you|give me|tell me|make it|a bit|i want|say)\s+)*(?:(?:some )?more(?: details?| about (?:it|that|this))?|longer|elaborate|go on|continue|expand(?: on (?:it|that|this))?|in more detail|details?)\W*(?:please)?\W*$",
    re.IGNORECASE,
)
_LEADING_WORD = re.compile(r"^\W*(?:and|but|so|also|then|ok(?:ay)?)\b[\s,]*", re.IGNORECASE)

_THIN = 0.62  # a question none of whose words is more telling than this says nothing about which paper it means


def rewrite(question: str, history: Sequence[Exchange], statistics: TermStatistics) -> StandAlone:
    """Makes a question of a conversation stand alone; without history, or with a subject of its own, it stays."""
    past = [exchange for exchange in history if exchange.papers]
    text = " ".join(question.split())
    if not past:
        return StandAlone(text)
    last = past[-1]
    if _SHORTER.match(text):
        return StandAlone(last.query, last.papers, sentences=1)
    if _LONGER.match(text):
        return StandAlone(f"Give an overview of {naming.label(last.papers[0])}", last.papers[:1])
    if (match := _OF_THESE.search(text)) and len(last.papers) > 1:
        plain = f"{text[: match.start()]}{match.group(1)} {text[match.end() :].lstrip()}"
        return StandAlone(plain, last.papers)
    resolved, focus = _point_at(text, last)
    if resolved is not None:
        return StandAlone(resolved, focus)
    if _WHAT_ABOUT.match(text) and (carried := _carry_over(text, last, statistics)):
        return carried
    names = [paper for paper in _recent(past) if naming.named(text, paper, telling(statistics))]
    if names and len(names) < len(_recent(past)) and not _refers(text):
        return StandAlone(text, tuple(names))
    if _refers(text):
        several = bool(_SEVERAL.search(text)) and len(last.papers) > 1
        focus = last.papers[:2] if several else last.papers[:1]
        return StandAlone(_substitute(text, focus), focus)
    if _thin(text, statistics):
        focus = last.papers[:1]
        return StandAlone(_with_subject(_LEADING_WORD.sub("", text), focus), focus)
    return StandAlone(text, context=last.papers[:2])


def _recent(past: Sequence[Exchange]) -> tuple[Paper, ...]:
    return tuple(dict.fromkeys(paper for exchange in reversed(past) for paper in exchange.papers))


def _point_at(text: str, last: Exchange) -> tuple[str | None, tuple[Paper, ...]]:
    """Resolves "the second one", "the former", "the other" to papers of the last answer."""
    if match := _ORDINAL.search(text):
        index = _ORDINALS[(match.group(1) or match.group(2)).lower()]
    elif match := _FORMER_LATTER.search(text):
        index = 0 if match.group(1).lower() == "former" else 1
    elif match := _OTHER.search(text):
        index = 1
    else:
        return None, ()
    if not -1 <= index < len(last.papers):
        return None, ()
    paper = last.papers[index]
    rest = _WHAT_ABOUT.sub("", text[: match.start()]) + naming.label(paper) + text[match.end() :]
    if not asked_terms(rest.replace(naming.label(paper), " ")):
        rest = f"What is {naming.label(paper)} about?"
    return rest, (paper,)


def _carry_over(text: str, last: Exchange, statistics: TermStatistics) -> StandAlone | None:
    """ "And on GSM8K?", "What about ExPO?": the last question with its subject or its detail exchanged."""
    addition = _WHAT_ABOUT.sub("", text).strip(" ?.!")
    if not addition or (_refers(addition) and len(addition.split()) > 1) or len(addition.split()) > 8:
        return None
    if questions.read(addition).kind != "fact" or re.match(
        r"(?:what|which|who|how|when|where|why)\b", addition, re.I
    ):
        return None
    if _refers(addition):
        return None
    focus = last.papers[0]
    if re.match(r"(?:on|for|in|with|at|by|using|to)\b", addition, re.IGNORECASE):
        return StandAlone(_with_subject(f"{last.query.rstrip(' ?.!')} {addition}", ()), (focus,))
    called = naming.named(last.query, focus, telling(statistics))
    if called:
        swapped = _without(last.query, called.words)
        return StandAlone(f"{swapped.rstrip(' ?.!')} {addition}?")
    return StandAlone(f"{last.query.rstrip(' ?.!')} {addition}?")


def _without(text: str, words: frozenset[str]) -> str:
    kept = [token for token in text.split() if not (set(naming.words(token)) and set(naming.words(token)) & words)]
    return " ".join(kept)


def _refers(text: str) -> bool:
    """Whether the question points back at something said before."""
    plain = _EXPLETIVE.sub(" ", text)
    return any(pattern.search(plain) for pattern in (_POSSESSIVE, _POINTING, _PRONOUN, _SEVERAL))


def _thin(text: str, statistics: TermStatistics) -> bool:
    """Whether the question names no subject of its own: only common words, or a detail that any paper may have."""
    if questions.read(text).kind == "list":
        return False
    rarity = telling(statistics)
    asked = asked_terms(text)
    if details.asked(text):
        left = [term for term in asked if not any(d.asked.search(term) for d in details.DETAILS)]
        return all(rarity(term) < _THIN or statistics.df(term) == 0 for term in left) and len(asked) <= 4
    return len(asked) <= 4 and all(statistics.df(term) > 0 and rarity(term) < _THIN for term in asked)


def _substitute(text: str, focus: Sequence[Paper]) -> str:
    """Puts the papers' names where the question points back; appends them where no place fits."""
    text = _LEADING_WORD.sub("", text)
    name = " and ".join(naming.label(paper) for paper in focus)
    possessive = f"{name}'" if name.endswith("s") else f"{name}'s"
    for pattern, replacement in ((_POSSESSIVE, possessive), (_POINTING, name), (_SEVERAL, name), (_PRONOUN, name)):
        replaced, count = pattern.subn(replacement.replace("\\", r"\\"), text, count=1)
        if count:
            return replaced[:1].upper() + replaced[1:]
    return _with_subject(text, focus)


def _with_subject(text: str, focus: Sequence[Paper]) -> str:
    stem, mark = text.rstrip(" ?.!"), "?" if not text.rstrip().endswith((".", "!")) else "."
    name = " and ".join(naming.label(paper) for paper in focus)
    stem = stem[:1].upper() + stem[1:]
    return f"{stem} in {name}{mark}" if name else f"{stem}{mark}"
