"""What a paper is called, and which papers a question calls by name.

A paper's names are its title, the short name that its title leads with ("ExPO: Unlocking …"), the abbreviations that
it defines ("Reinforcement Distillation (REDI)") and rare words spelt as names are ("cDPO"). They are read off at
question time from the few papers retrieved, so nothing is stored and a library of any size works.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from assistant.papers import Paper
from assistant.terms import STOP_WORDS

_LEAD = re.compile(r"^(.{2,40}?)\s*[:–—]\s+\S")
_DEFINED = re.compile(r"\(([^()\s]{2,20}|[A-Z][\w.-]*(?: [\w.-]+)?)\)")
_WORD = re.compile(r"[^\W_]+(?:[-'.@+^][^\W_]+)*\+*", re.UNICODE)
_NOT_A_NAME = STOP_WORDS | {"towards", "toward", "beyond", "introduction", "review", "survey", "study", "commentary"}


_SPACED = 0.8  # of the strength: "negative prompt" may mean the paper that coins NegativePrompt, or just that


@dataclass(frozen=True, slots=True)
class Named:
    """A name of a paper found in a question: `strength` in (0, 1], and the words of the question it took up."""

    strength: float
    words: frozenset[str]  # folded


@lru_cache(maxsize=16384)
def fold(text: str) -> str:
    """Case, accents of quotes and hyphens evened out, so that `MATH-500`, `math 500` and `Math500` compare equal."""
    return re.sub(r"[^0-9a-z\u00c0-\U0010ffff+@]+", "", text.casefold())


@lru_cache(maxsize=4096)
def words(text: str) -> tuple[str, ...]:
    """The words of a text, folded; hyphenated compounds count both whole and in parts."""
    found: list[str] = []
    for match in _WORD.finditer(text):
        token = match.group()
        found.append(fold(token))
        parts = re.split(r"[-'.@+^]", token)
        if len(parts) > 1:
            found.extend(fold(part) for part in parts if part)
    return tuple(word for word in found if word)


@lru_cache(maxsize=4096)
def short_names(paper: Paper) -> tuple[str, ...]:
    """The paper's short names, best first: the lead of its title, then the abbreviations that it defines."""
    names: list[str] = []
    lead = _LEAD.match(paper.title)
    if lead and len(lead.group(1).split()) <= 4 and lead.group(1).split()[0].casefold() not in _NOT_A_NAME:
        names.append(lead.group(1))
    for text in (paper.title, paper.abstract):
        for match in _DEFINED.finditer(text):
            name = match.group(1).strip("*_`\"'")
            if _abbreviation_like(name) and _long_form(text[: match.start()], name):
                names.append(name)
    return tuple(dict.fromkeys(names))


@lru_cache(maxsize=4096)
def long_forms(paper: Paper) -> tuple[tuple[str, str], ...]:
    """Pairs (abbreviation, its long form) as the paper defines them."""
    pairs = []
    for text in (paper.title, paper.abstract):
        for match in _DEFINED.finditer(text):
            name = match.group(1).strip("*_`\"'")
            form = _long_form(text[: match.start()], name) if _abbreviation_like(name) else ""
            if form:
                pairs.append((name, form))
    return tuple(dict.fromkeys(pairs))


def named(question: str, paper: Paper, rarity: Callable[[str], float]) -> Named | None:
    """Whether the question calls the paper by name.

    `rarity(word)` in [0, 1] says how telling a word is in this library (1 = in one paper only); a name shared by many
    papers does not point at one of them. None when no name is found.
    """
    asked = words(question)
    vocabulary = frozenset(asked)
    folded = fold(question)
    spaced = {first + second for first, second in pairwise(asked)}
    best: Named | None = None
    title = frozenset(_content(paper.title))
    taken = title & vocabulary
    if len(title) >= 2 and len(taken) >= 2:
        share = sum(rarity(word) for word in taken) / max(1e-9, sum(rarity(word) for word in title))
        in_full = fold(paper.title) in folded
        if in_full or share >= 0.75:
            best = Named(1.0 if in_full else share, taken)
    for name in short_names(paper):
        parts = frozenset(words(name))
        key = fold(name)
        whole = key in vocabulary or (len(parts) > 1 and parts <= vocabulary)
        if not whole and key not in spaced:
            continue
        strength = max(rarity(part) for part in parts | {key}) * (1.0 if whole else _SPACED)
        if strength >= 0.5 and (best is None or strength > best.strength):
            best = Named(strength, frozenset(words(name)) | {key})
    for word in vocabulary & _coined(paper):
        strength = rarity(word)
        if strength >= 0.7 and (best is None or strength > best.strength):
            best = Named(strength, frozenset({word}))
    for _, form in long_forms(paper):
        parts = frozenset(_content(form))
        if len(parts) >= 2 and parts <= vocabulary and fold(form) in folded:
            strength = min(1.0, max(rarity(part) for part in parts) + 0.2)
            if strength >= 0.5 and (best is None or strength > best.strength):
                best = Named(strength, parts)
    return best


@lru_cache(maxsize=4096)
def _coined(paper: Paper) -> frozenset[str]:
    """Words of the paper spelt as names are: with a capital inside, or with letters and digits mixed."""
    found: set[str] = set()
    for match in _WORD.finditer(f"{paper.title} {paper.abstract}"):
        for part in re.split(r"[-'.@+^]", match.group()):
            inner = part[1:]
            if len(part) > 1 and (
                any(c.isupper() for c in inner) or (any(c.isdigit() for c in part) and any(c.isalpha() for c in part))
            ):
                found.add(fold(part))
    return frozenset(found)


def label(paper: Paper) -> str:
    """The shortest name that a reader recognises: a short name that its title leads with, else the title."""
    lead = _LEAD.match(paper.title)
    names = short_names(paper)
    return names[0] if lead and names and names[0] == lead.group(1) else paper.title.rstrip(" ?.!") or paper.title


def _content(text: str) -> tuple[str, ...]:
    return tuple(word for word in words(text) if len(word) > 1 and word not in STOP_WORDS)


def _abbreviation_like(name: str) -> bool:
    capitals = sum(character.isupper() for character in name)
    return (capitals >= 2 or (capitals >= 1 and any(c.isdigit() for c in name))) and not name.isdigit()


def _long_form(before: str, abbreviation: str) -> str:
    """The words before `(ABC)` that it abbreviates; "" when they don't. Schwartz & Hearst 2003, by first letters."""
    letters = [c.casefold() for c in re.sub(r"s$", "", abbreviation) if c.isalpha()]
    text = " ".join(before.replace("*", "").split()[-(len(letters) + 4) :])
    for start in reversed([match.start() for match in re.finditer(r"(?<![^\W_])[^\W_]", text)]):
        candidate = text[start:]
        if not letters or candidate[0].casefold() != letters[0]:
            continue
        position = 0
        flat = candidate.casefold()
        for letter in letters:
            found = flat.find(letter, position)
            if found < 0:
                break
            position = found + 1
        else:
            return text[text.rfind(" ", 0, start) + 1 :].strip("\"'`(")  # "Self-Explanation …", not "Explanation …"
    return ""
