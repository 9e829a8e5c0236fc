"""Parts of sentences that questions are made of: what is counted, what does what to what, and telling words.

Grammar and general vocabulary only; nothing here knows a field.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from assistant.naming import label
from assistant.papers import Paper
from assistant.terms import STOP_WORDS, terms

_NUMERAL = r"(?:\d[\d,]*|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirty|forty|fifty|hundred)"
_COUNTED = re.compile(rf"(?<![\w.,-]){_NUMERAL} ((?:[a-z-]+ ){{0,2}}?[a-z]{{3,}}s)\b(?! of the)")
_NUMBER = re.compile(
    r"(?<![\w-])\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|"
    r"hundreds?|thousands?|millions?|billions?|dozens?|both|single|sole|several|pairs?|twofold|threefold|twice|half)\b",
    re.IGNORECASE,
)
_SHARE = re.compile(
    r"%|\bper ?cent|\b(?:shares?|proportions?|fractions?|rates?|ratios?|halves|half|thirds?|quarters?|majority|most|all|"
    r"none|prevalence|incidence|out of|of (?:the )?\d)\b|\d/\d|\d of\b|\b0?\.\d",
    re.IGNORECASE,
)
_PLURAL = re.compile(r"\b([a-z]{4,}[^\W_isu]s)\b")  # not analysis, loss, various
_NO_NOUNS = (
    "this thus towards results yields shows across always perhaps besides plays leads does provides suggests improves "
    "requires allows reduces increases uses presents remains methods effects findings conclusions data aims years "
    "months weeks days hours minutes seconds percent points means gives makes takes needs offers enables achieves "
    "decades diabetes whereas others enters serves with demonstrates hypothesis outperforms reveals performs indicates occurs depends involves "
    "affects causes includes contains represents"
)
_NOT_COUNTED = frozenset(_NO_NOUNS.split())
_BASES = (
    "increase reduce decrease inhibit promote induce regulate activate improve suppress control enhance prevent mediate "
    "cause affect predict encode require outperform address enable provide allow support describe produce generate "
    "involve influence limit determine exhibit contain"
)
_VERBS = {base: re.compile(rf"^{base}(?:s|es|d|ed)?$") for base in _BASES.split()}
_NO_SUBJECT = "we|there|it|this|these|those|which|they|and|but|our|here|although|because|while|whereas|when|if|however|thus|then|so"
_RELATION = re.compile(
    rf"(?:^|\bthat |, )((?!(?:{_NO_SUBJECT})\b)[\w()/+-]+(?: [\w()/+-]+){{0,5}}?) "
    rf"({'|'.join(f'{base}(?:s|es|d|ed)?' for base in _VERBS)}) "
    r"((?!to\b|by\b|in\b|that\b)[\w()/+-]+(?: [\w()/+-]+){1,5})",
    re.IGNORECASE,
)
_FUNCTION_WORDS = (
    "a an the and or of in to with by not for from on at as than also but significantly who is are was were be been has "
    "have had that which can may could will into its their"
)
_EDGE = frozenset(_FUNCTION_WORDS.split())
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_SYNONYMS = {
    "increase": "raise", "increased": "higher", "increases": "raises", "reduce": "cut", "reduced": "lower",
    "reduces": "cuts", "improve": "make better", "improves": "helps", "improved": "better", "method": "technique",
    "methods": "techniques", "approach": "way", "performance": "quality", "effective": "useful", "patients": "people",
    "risk": "danger", "associated": "linked", "significant": "marked", "significantly": "clearly", "role": "part",
    "novel": "new", "inhibits": "blocks", "inhibition": "blocking", "required": "needed", "requires": "needs",
    "mortality": "death", "treatment": "therapy", "therapy": "treatment", "disease": "illness", "model": "system",
    "models": "systems", "training": "learning", "outperforms": "beats", "large": "big", "small": "little",
    "efficient": "quick", "accuracy": "correctness", "information": "knowledge", "users": "readers", "growth": "growing",
    "expression": "levels", "children": "kids", "evaluate": "test", "demonstrate": "show", "framework": "scheme",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Relation:
    """What a sentence says does what to what; `verb` in its base form."""

    subject: str
    verb: str
    object: str


def counted(sentence: str) -> list[str]:
    """Noun phrases that the sentence gives a number of."""
    return [
        match[1]
        for match in _COUNTED.finditer(sentence)
        if match[1].split()[-1] not in _NOT_COUNTED and match[1].split()[0] not in _EDGE
    ]


def numbers(text: str) -> bool:
    """Whether it gives a number of anything; digits inside a name such as GPT-4 aren't one."""
    return _NUMBER.search(text) is not None


def shares(text: str) -> bool:
    """Whether anything in it might be read as a share of something."""
    return _SHARE.search(text) is not None


def plurals(sentence: str) -> list[str]:
    """Plural nouns, as far as their form tells."""
    return [match[1] for match in _PLURAL.finditer(sentence) if match[1] not in _NOT_COUNTED | STOP_WORDS]


def relation(sentence: str) -> Relation | None:
    """The first relation of the sentence whose two sides look like noun phrases."""
    for match in _RELATION.finditer(sentence):
        left, right = match[1].split(), _trimmed(match[3].split())
        heading = len(left[0]) > 3 and left[0].isupper() and left[0].isalpha()  # of a structured abstract
        if not right or heading or left[-1].lower() in _EDGE or left[0].lower() in _EDGE - {"a", "an", "the"}:
            continue
        verb = next(base for base, form in _VERBS.items() if form.match(match[2].lower()))
        return Relation(_lowered(" ".join(left)), verb, " ".join(right))
    return None


def _trimmed(words: list[str]) -> list[str]:
    ends = next(
        (i for i, word in enumerate(words) if i and word.lower() in _EDGE - {"of", "the", "a", "an"}), len(words)
    )
    kept = words[:ends]
    while kept and kept[-1].lower() in _EDGE:
        kept = kept[:-1]
    return kept


def _lowered(text: str) -> str:
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def topic(paper: Paper, telling: Callable[[str], float], r: random.Random) -> str:
    """How a reader would point at the paper: by a short name, or by the most telling words of its title, in order."""
    name = label(paper)
    if len(name) < 30 and r.random() < 0.5:
        return name
    words = [word for word in _WORD.findall(paper.title) if len(word) > 2 and word.casefold() not in STOP_WORDS]
    best = sorted(words, key=lambda word: -telling(word))[: r.choice((2, 3, 3, 4))]
    return " ".join(_lowered(word) for word in words if word in best)


def telling_words(sentence: str, telling: Callable[[str], float], most: int) -> list[str]:
    """The sentence's most telling words, in their order."""
    words = [
        word
        for word in _WORD.findall(sentence)
        if len(word) > 3 and terms(word) and word.casefold() not in STOP_WORDS
    ]
    best = set(sorted(dict.fromkeys(words), key=lambda word: -telling(word))[:most])
    return [word for word in dict.fromkeys(words) if word in best]


def reworded(words: list[str], r: random.Random) -> str:
    """The words in lower case, general ones exchanged for others, and one in four left out: as people half remember.

    At least three stay: with fewer nothing in particular is asked.
    """
    kept = [word for word in words if r.random() > 0.25]
    kept = kept if len(kept) >= 3 else words
    return " ".join(_SYNONYMS.get(word.casefold(), word.casefold()) for word in kept)
