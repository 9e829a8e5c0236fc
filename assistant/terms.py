"""Text as search terms: what the lexical index stores, what a query is turned into, and how rare each term is.

Index and query go through the same `terms`, so they can never disagree about a hyphen. A joined form is a term whole
and in parts: `GPT-4`, `GPT4` and `gpt 4` meet in `gpt4`, `gpt` and `4`; `pass@1` gives `pass1`, `pass` and `1`.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache

# Function words of English and the words that only make a sentence a question. Content-bearing verbs stay.
_FUNCTION_WORDS = """
    a about above after again against all also am an and any are aren arent as at be because been before being below
    between both but by can cannot cant could couldn did didn didnt do does doesn doesnt doing don done dont down
    during each either else etc ever few for from further get had hadn has hasn have haven having he her here hers
    herself him himself his how however i if in into is isn isnt it its itself just let lets ll may me might more
    most much must my myself neither no nor not of off on once only or other ought our ours ourselves out over own
    per please rather re s same shall she should shouldn so some such t tell than that the their theirs them
    themselves then there therefore these they this those through thus to too under until up upon us use used uses
    using ve very via was wasn wasnt we were weren what whats when where whether which while who whom whose why will
    with within without won wont would wouldn yet you your yours yourself yourselves"""
STOP_WORDS = frozenset(_FUNCTION_WORDS.split())

_SHORT = 400  # characters of a text whose terms are remembered: a sentence, not an abstract
_MAX_TERM = 64  # characters; longer runs are sequences or noise, their head identifies them
_RUN = re.compile(r"[^\W_]+(?:(?:[-_@&‐‑‒–]|(?<=\d)[.,](?=\d)|['’](?=[^\W_]))[^\W_]+)*")
_JOINER = re.compile(r"[-_@&‐‑‒–]")
_POSSESSIVE = re.compile(r"['’]s$|['’]")
_LETTERS_THEN_DIGITS = re.compile(r"([^\W\d_]{2,})(\d+(?:\.\d+)?)")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
_GREEK_NAMES = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau
    upsilon phi chi psi omega"""
_GREEK = dict(zip("αβγδεζηθικλμνξοπρστυφχψω", _GREEK_NAMES.split(), strict=True))


def terms(text: str) -> list[str]:
    """Stemmed content terms of `text` in reading order, repeats kept; empty for blank, emoji-only or stop-word text.

    Case, accents and compatibility forms are folded, Greek letters that stand alone are named, scripts written
    without spaces become character pairs.
    """
    return list(_remembered(text)) if len(text) <= _SHORT else _terms(text)


@lru_cache(maxsize=8192)
def _remembered(text: str) -> tuple[str, ...]:
    """The terms of titles and sentences, which each question about the same papers asks for again."""
    return tuple(_terms(text))


def _terms(text: str) -> list[str]:
    words: list[str] = []
    for run in _RUN.findall(_fold(text)):
        if run.isascii() and run.isalpha():
            if run not in STOP_WORDS:
                words.append(run[:_MAX_TERM])
        else:
            words.extend(_joined(run))
    return _stem(" ".join(words)) if words else []


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _joined(run: str) -> list[str]:
    """The whole of a joined form without its joiners, then its parts; a plain word is itself."""
    if _UNSPACED.search(run):
        return _character_pairs(run)
    run = _POSSESSIVE.sub("", run)
    parts = [_GREEK.get(part, part).replace(",", "") for part in _JOINER.split(run) if part]
    pieces: list[str] = []
    for part in parts:
        model_and_number = _LETTERS_THEN_DIGITS.fullmatch(part)
        pieces.extend(model_and_number.groups() if model_and_number else (part,))
    found = ["".join(pieces)] if len(pieces) > 1 else []
    for piece in pieces:
        if piece not in STOP_WORDS:
            found.append(piece)
            if piece.endswith(".0"):
                found.append(piece[:-2])  # 94.0 is also found as 94
    return [term[:_MAX_TERM] for term in found]


def _character_pairs(run: str) -> list[str]:
    found: list[str] = []
    position = 0
    for match in _UNSPACED.finditer(run):
        if between := run[position : match.start()].strip("-_@&.,'’"):
            found.append(between[:_MAX_TERM])
        characters = match.group()
        found.extend(characters[i : i + 2] for i in range(max(1, len(characters) - 1)))
        position = match.end()
    if rest := run[position:].strip("-_@&.,'’"):
        found.append(rest[:_MAX_TERM])
    return found


@lru_cache(maxsize=1)
def _stemmer() -> Callable[[str], list[str]]:
    import tantivy

    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace())
    analyze: Callable[[str], list[str]] = builder.filter(tantivy.Filter.stemmer("english")).build().analyze
    return analyze


def _stem(words: str) -> list[str]:
    return _stemmer()(words)


class TermStatistics:
    """How many of `n` texts hold a term. Frequencies are looked up when asked for and remembered."""

    def __init__(self, n: int, frequency: Callable[[str], int]) -> None:
        self.n = n
        self._frequency = frequency
        self._known: dict[str, int] = {}

    @classmethod
    def of(cls, texts: Iterable[str]) -> TermStatistics:
        """Counts by a full pass; for small corpora and tests. An index gives its own without one."""
        counts: Counter[str] = Counter()
        n = 0
        for text in texts:
            n += 1
            counts.update(set(terms(text)))
        return cls(n, lambda term: counts[term])

    def df(self, term: str) -> int:
        """Texts that hold `term` (already stemmed), 0 when none."""
        if term not in self._known:
            self._known[term] = self._frequency(term)
        return self._known[term]

    def idf(self, term: str) -> float:
        """BM25's inverse document frequency, positive: `ln(1 + (n - df + 0.5) / (df + 0.5))`."""
        df = min(self.df(term), self.n)
        return math.log(1.0 + (self.n - df + 0.5) / (df + 0.5))

    def rarity(self, term: str) -> float:
        """`idf` scaled to [0, 1]: 1 for a term that no text holds, near 0 for one in every text."""
        return self.idf(term) / math.log(1.0 + (self.n + 0.5) / 0.5)
