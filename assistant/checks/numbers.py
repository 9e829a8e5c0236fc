"""Numbers of a text in one spelling, and whether a claim's numbers stand in its evidence, with their units.

`8,349` is `8349`, `94.0` is `94`, `10k` is `10000`, `thirteen` is `13`, "half" is 0.5 and 50, "doubled" is 2. A number
that is said to be rounded ("about 78 %", "8.3k") is there when a number near enough is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import lru_cache
from typing import Literal

from assistant.answers import Finding
from assistant.checks import lexicon

_MOST_DIGITS = 64  # a longer run of digits is compared as it stands
_LATEX = re.compile(
    r"\{([,.])\}|\\[,;:! ](?=\d{3})|\\(?=%)|(?<=\d)[\u2009\u202f\u00a0](?=\d{3}\b)|(?<=\d)\u00b7(?=\d)"
)
_DIGITS = re.compile(
    r"(?<![\w.])(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?!\d)"
    r"(?:(?P<glued>[kKMB])\b|[ -]?(?P<scale>hundred|thousand|million|billion|trillion)\b)?"
)
_OF_A_NAME = re.compile(r"[A-Za-z0-9]*[A-Z][A-Za-z0-9]*[-‐‑/]\Z")  # the 4 of GPT-4 is no number
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_VALUES = {word: value for value, word in enumerate(_UNITS.split())}
_VALUES |= {word: 10 * value for value, word in enumerate(_TENS.split(), start=2)}
_POWERS = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12, "k": 3, "M": 6, "K": 3, "B": 9}
_SCALES = ("hundred", "thousand", "million", "billion", "trillion")
_NUMBER_WORD = "|".join(sorted(_VALUES, key=len, reverse=True))
_SPELLED = re.compile(
    rf"(?<![\w.])(?:{_NUMBER_WORD}|a(?= (?:hundred|thousand|million|dozen)\b))(?:[ -](?:and )?(?:{_NUMBER_WORD}|{'|'.join(_SCALES)}))*(?!\w)",
    re.IGNORECASE,
)
_PART = re.compile(r"[A-Za-z]+")
_SHARES = {
    "half": 0.5, "halves": 0.5, "halved": 0.5, "halving": 0.5, "third": 1 / 3, "thirds": 1 / 3, "quarter": 0.25,
    "quarters": 0.25, "fifth": 0.2, "fifths": 0.2, "sixth": 1 / 6, "eighth": 0.125, "tenth": 0.1, "tenths": 0.1,
}  # fmt: skip
_SHARE = re.compile(
    r"\b(?:(?P<times>a|one|two|three|four|five|seven|nine)[ -])?(?P<share>half|halved|halving|thirds?|quarters?|fifths?|sixth|eighth|tenths?)\b",
    re.IGNORECASE,
)
_ORDINAL_SHARES = frozenset({"third", "fifth", "sixth", "eighth", "tenth"})  # alone they count places
_RATIO = re.compile(
    rf"\b(?P<part>\d+|{_NUMBER_WORD}) (?:in|out of|of every) (?:every )?(?P<whole>\d+|{_NUMBER_WORD})\b", re.I
)
_MULTIPLES = {"twice": 2, "double": 2, "doubled": 2, "doubles": 2, "doubling": 2, "twofold": 2, "two-fold": 2, "triple": 3,
              "tripled": 3, "threefold": 3, "three-fold": 3, "fourfold": 4, "quadrupled": 4, "fivefold": 5, "tenfold": 10,
              "dozen": 12, "dozens": 12, "pair": 2, "couple": 2, "single": 1, "sole": 1, "thrice": 3, "trio": 3, "decade": 10}  # fmt: skip
_MULTIPLE = re.compile(rf"\b(?:{'|'.join(_MULTIPLES)})\b", re.IGNORECASE)
_ABOUT = re.compile(
    r"\b(?:about|around|approximately|approx\.?|roughly|some|circa|close to|nearly|almost|just (?:over|under|above|below|short of|shy of)"
    r"|(?:a little|slightly|well) (?:over|under|more than|less than|above|below)|over|under|more than|less than|fewer than|above|below"
    r"|exceed\w*|upwards? of|at least|at most|up to|near|in the region of|rounded|rounding|order of|of the order)\s+(?:a |an |the )?$"
    r"|[~≈]\s*$",
    re.IGNORECASE,
)
_ROUNDED = re.compile(r"\brounded|\brounding|\bor so\b|-odd\b", re.IGNORECASE)
_TIMES = {
    ("day", "week"): 7,
    ("month", "year"): 12,
    ("hour", "day"): 24,
    ("minute", "hour"): 60,
    ("second", "minute"): 60,
}
_MOST_LISTED = 9
_ITEM_WORDS = 4
_LIST = re.compile(r"(?:[^,.;:]{2,60}, ?)*[^,.;:]{2,60},? (?:and|or) [^,.;:]{2,60}")
_ITEMS = re.compile(r",? (?:and|or) |, ")
_NEAR = 0.03  # share by which a number said to be rounded may differ
_NEARER_SHARE = 0.06  # "three quarters" for 77 %
_UNIT_WORD = re.compile(r"\s?(?P<sign>[%×$]|°C|[^\W\d_]+(?:[- ](?:points?|old|fold|cent))?)|-(?P<joined>[^\W\d_]+)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a text. `value` is its one spelling; `unit` in the spelling of `lexicon.UNIT`, "" for none known."""

    value: str
    written: str
    start: int
    end: int
    unit: str = ""
    kind: Literal["digits", "spelled", "share", "multiple"] = "digits"
    about: bool = False  # said to be rounded

    @property
    def number(self) -> float:
        """As a float; a run of digits too long for one is infinite."""
        try:
            return float(self.value)
        except (ValueError, OverflowError):
            return math.inf


def plain(text: str) -> str:
    """The text with LaTeX's ways of writing numbers undone."""
    return _LATEX.sub(lambda match: match.group(1) or ("." if match.group() == "·" else ""), text)


def numbers(text: str) -> frozenset[str]:
    """The numbers of a text in one spelling: `8,349` as `8349`, `94.0` as `94`, `10k` as `10000`, `thirteen` as `13`.

    The word "one" is among them, as it can be a number; shares ("half") and multiples ("doubled") are not.
    """
    return frozenset(found.value for found in quantities(plain(text)) if found.kind in ("digits", "spelled"))


@lru_cache(maxsize=4096)
def quantities(text: str) -> tuple[Quantity, ...]:
    """The numbers of a `plain` text, in order; shares and multiples in words among them."""
    shares = list(_shares(text))
    counts = (
        count
        for count in (*_digits(text), *_spelled(text))
        if not any(s.start <= count.start < s.end for s in shares)
    )
    found = [*counts, *shares, *_multiples(text)]
    return tuple(sorted(found, key=lambda quantity: (quantity.start, -quantity.end)))


def _digits(text: str) -> Iterable[Quantity]:
    for match in _DIGITS.finditer(text):
        if _OF_A_NAME.search(text, max(0, match.start() - _MOST_DIGITS), match.start()):
            continue
        power = _POWERS[match["glued"] or match["scale"]] if match["glued"] or match["scale"] else 0
        start, end = match.span()
        about = bool(match["glued"]) or _about(text, start, end)
        money = "$" if start and text[start - 1] == "$" else ""
        yield Quantity(
            _canonical(match["number"], power), match.group(), start, end, money or _unit(text, end), "digits", about
        )


def _spelled(text: str) -> Iterable[Quantity]:
    for match in _SPELLED.finditer(text):
        for value in _values(match.group()):
            start, end = match.span()
            yield Quantity(
                _canonical(str(value), 0),
                match.group(),
                start,
                end,
                _unit(text, end),
                "spelled",
                _about(text, start, end),
            )


def _shares(text: str) -> Iterable[Quantity]:
    for match in _SHARE.finditer(text):
        word, times = match["share"].lower(), (match["times"] or "").lower()
        if word in _ORDINAL_SHARES and not times:
            continue
        share = (_VALUES.get(times, 1) if times != "a" else 1) * _SHARES[word]
        yield Quantity(f"{share:.4f}", match.group(), *match.span(), "%", "share", True)
    for match in _RATIO.finditer(text):
        part, whole = (_VALUES.get(match[name].lower()) or float(match[name]) if not match[name].isdigit() else float(match[name]) for name in ("part", "whole"))  # fmt: skip
        if 0 < part < whole:
            yield Quantity(f"{part / whole:.4f}", match.group(), *match.span(), "%", "share", True)


def _multiples(text: str) -> Iterable[Quantity]:
    for match in _MULTIPLE.finditer(text):
        value = str(_MULTIPLES[match.group().lower()])
        yield Quantity(value, match.group(), *match.span(), "fold", "multiple", False)


def _about(text: str, start: int, end: int) -> bool:
    return bool(_ABOUT.search(text[max(0, start - 40) : start]) or _ROUNDED.search(text[end : end + 24]))


def _unit(text: str, end: int) -> str:
    match = _UNIT_WORD.match(text, end)
    if not match:
        return ""
    word = (match["sign"] or match["joined"] or "").lower().replace(" ", "-")
    if word == "per-cent":
        return "%"
    return lexicon.UNIT.get(word) or lexicon.UNIT.get(word.split("-")[0], "")


def _values(spelled: str) -> list[int]:
    """Values of number words in a row: "two hundred and five" is 205, "twenty-one" 21, "two three" 2 and 3."""
    values: list[int] = []
    total = current = 0
    previous = ""
    for word in (part.lower() for part in _PART.findall(spelled)):
        if word == "and":
            continue
        if word == "hundred":
            current *= 100
        elif word in _POWERS:
            total, current = total + current * 10 ** _POWERS[word], 0
        else:
            value = 1 if word == "a" else _VALUES[word]
            joins = previous in _SCALES or (_VALUES.get(previous, 0) >= 20 and 0 < value < 10)
            if previous and not joins:
                values.append(total + current)
                total = current = 0
            current += value
        previous = word
    return [*values, total + current]


def _canonical(number: str, power: int) -> str:
    bare = number.replace(",", "")
    if len(bare) > _MOST_DIGITS:
        return bare
    value = format(Decimal(bare).scaleb(power, Context(prec=2 * _MOST_DIGITS)), "f")
    whole, _, fraction = value.partition(".")
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


# --- a claim's numbers in its evidence --------------------------------------------------------------------------------


def occurrences(quantity: Quantity, held: Sequence[Quantity]) -> list[Quantity]:
    """Where the evidence has a claim's number: exactly, or near enough where either says that it is rounded."""
    exact = [told for told in held if told.value == quantity.value and "share" not in (told.kind, quantity.kind)]
    return exact or [told for told in held if _near(quantity, told)]


def _near(said: Quantity, told: Quantity) -> bool:
    if said.kind == "share" or told.kind == "share":
        return _share_near(said, told)
    if {said.unit, told.unit} == {"%", ""} and _percent_of(said, told):
        return True
    if (said.unit, told.unit) in _TIMES and math.isclose(said.number, told.number * _TIMES[said.unit, told.unit]):
        return True
    if (told.unit, said.unit) in _TIMES and math.isclose(told.number, said.number * _TIMES[told.unit, said.unit]):
        return True
    if not (said.about or (told.about and told.kind == "digits")) or "multiple" in (said.kind, told.kind):
        return False
    a, b = said.number, told.number
    if not (math.isfinite(a) and math.isfinite(b)) or a == 0 or b == 0:
        return False
    return abs(a - b) <= _NEAR * max(abs(a), abs(b)) or _rounds_to(b, said)


def _percent_of(said: Quantity, told: Quantity) -> bool:
    """0.85 and 85 %."""
    percent, other = (said, told) if said.unit == "%" else (told, said)
    return 0 < other.number < 1 and math.isclose(percent.number, other.number * 100, rel_tol=1e-6)


def _rounds_to(number: float, said: Quantity) -> bool:
    """Whether a number gives the said one when it is cut to as many digits."""
    digits = said.written.replace(",", "").rstrip("kKMB")
    decimals = len(digits.partition(".")[2])
    significant = len(said.value.replace(".", "").strip("0")) or 1
    rounded = float(f"{number:.{significant}g}") if decimals == 0 else round(number, decimals)
    return math.isclose(rounded, said.number, rel_tol=1e-9)


def _share_near(said: Quantity, told: Quantity) -> bool:
    shares = [q.number if q.kind == "share" else q.number / 100 if q.unit == "%" else q.number for q in (said, told)]
    if any(not 0 < share < 1.0001 for share in shares):
        return False
    return abs(shares[0] - shares[1]) <= _NEARER_SHARE * max(shares)


@dataclass(frozen=True, slots=True)
class Missing:
    """Findings about numbers: of those in digits, of those in words (which may be counts of items), and of units."""

    digits: tuple[Finding, ...]
    words: tuple[Finding, ...]
    units: tuple[Finding, ...]


def check(claim: str, held_in: Sequence[str]) -> Missing:
    """The numbers of a claim that stand nowhere in the texts, or stand there with another unit only."""
    held = [quantity for text in held_in for quantity in quantities(plain(text))]
    digits, words, units = [], [], []
    for said in quantities(plain(claim)):
        places = occurrences(said, held)
        if not places and said.kind in ("share", "multiple"):
            continue  # a way of speaking more often than a number
        if not places and said.kind == "digits":
            digits.append(_absent(said))
        elif (
            not places
            and said.value not in ("0", "1")
            and not (said.value == "2" and not _few(held))
            and not _counts_items(said, held_in)
        ):
            words.append(_absent(said))
        elif said.unit and places and not any(_of_unit(said, told) for told in places):
            units.append(Finding("unit", f"The cited sentences give {said.written} with another unit."))
    return Missing(tuple(dict.fromkeys(digits)), tuple(dict.fromkeys(words)), tuple(dict.fromkeys(units)))


def _few(held: Sequence[Quantity]) -> bool:
    """Whether the evidence counts anything in words: else "the two" may be things that it names."""
    return any(told.kind == "spelled" and told.value not in ("0", "1") for told in held)


def _counts_items(said: Quantity, held_in: Sequence[str]) -> bool:
    """Whether a text lists as many things as a small number in words says: "four parts" of "a, b, c and d"."""
    if said.kind != "spelled" or not said.value.isdigit() or int(said.value) > _MOST_LISTED:
        return False
    wanted = int(said.value)
    return any(wanted in _items(run) for text in held_in for run in _LIST.findall(text))


def _items(run: str) -> tuple[int, int]:
    """How many things a list has, and one more, as its first may be part of a longer phrase."""
    parts = _ITEMS.split(run)
    short = 0
    for part in reversed(parts):
        if len(part.split()) > _ITEM_WORDS:
            break
        short += 1
    return short, short + 1


def _of_unit(said: Quantity, told: Quantity) -> bool:
    """Whether the evidence's number may be of the claim's unit; fourteen days are two weeks, but not fourteen."""
    if not told.unit or told.unit == said.unit or {told.unit, said.unit} == {"%", "fold"}:
        return True
    times = _TIMES.get((said.unit, told.unit)) or _TIMES.get((told.unit, said.unit))
    return times is not None and told.value != said.value


def _absent(said: Quantity) -> Finding:
    return Finding("number", f"The number {said.written} is not in the cited sentences.")
