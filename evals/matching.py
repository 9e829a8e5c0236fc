"""When two texts count as the same: folding of case, blanks, accents and LaTeX, and the search for a fact."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

MARKER = re.compile(r"\s*\[\d+(?:\s*[,;–-]\s*\d+)*\]")  # "[1]", "[1, 2]", with the blanks before it

_LATEX_ACCENT = re.compile(r"\\[\"'`^~=.]\s*\{?\\?([A-Za-z])\}?")
_LATEX_WRAPPER = re.compile(r"\\[A-Za-z]+\s*\{([^{}]*)\}")
_LATEX_SYMBOL = re.compile(r"\\([%&_#$])")
_LATEX_COMMAND = re.compile(r"\\([A-Za-z]+)")
_THOUSANDS = re.compile(r"(?<=\d)[,\u2009\u202f\u00a0](?=\d{3}(?!\d))")
_PUNCTUATION = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—−", "-"),
        **dict.fromkeys("‘’‛′", "'"),
        **dict.fromkeys("“”„‟″", '"'),
        "×": "x",
        "∼": "",
        "~": " ",
    }
)
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:,\d{3})*(?:\.\d+)?(?![\d])|(?<=[A-Za-z-])\d+(?:\.\d+)?")


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """`text` with case, accents, blanks, dashes, quotes, LaTeX escapes and thousands separators levelled out."""
    text = _LATEX_ACCENT.sub(r"\1", text)
    for _ in range(3):  # wrappers nest: \textbf{\emph{x}}
        text = _LATEX_WRAPPER.sub(r"\1", text)
    text = _LATEX_SYMBOL.sub(r"\1", text)
    text = _LATEX_COMMAND.sub(r"\1", text).replace("$", "").replace("{", "").replace("}", "").replace("`", "'")
    text = unicodedata.normalize("NFKD", text.translate(_PUNCTUATION)).translate(_PUNCTUATION)
    text = "".join(character for character in text if not unicodedata.combining(character))
    return " ".join(_THOUSANDS.sub("", text.casefold()).split())


def without_markers(text: str) -> str:
    """`text` without citation markers such as ` [1]`."""
    return MARKER.sub("", text)


def occurs(wanted: str, text: str) -> bool:
    """Whether `wanted` occurs in `text` as whole words, both folded, markers aside.

    "RAG" is neither in "fragment" nor in "RAGs"; "7" is neither in "70" nor in "7.5" nor in "1.7".
    """
    plain = without_markers(text)
    return _stands_in(fold(wanted), fold(plain)) or _stands_in(_fold_lightly(wanted), _fold_lightly(plain))


@lru_cache(maxsize=65536)
def _fold_lightly(text: str) -> str:
    """The folding that evals/datasets/README.md promises to those who write facts: LaTeX commands stay as written."""
    text = unicodedata.normalize("NFKC", text).translate(_PUNCTUATION).replace("``", '"').replace("''", '"')
    return " ".join(_LATEX_SYMBOL.sub(r"\1", text).replace("$", "").casefold().split())


def _stands_in(needle: str, text: str) -> bool:
    if not needle:
        return False
    left = r"(?<!\w)" if needle[0].isalnum() else ""
    right = r"(?!\w)" if needle[-1].isalnum() else ""
    if needle[0].isdigit():
        left += r"(?<!\d\.)"
    if needle[-1].isdigit():
        right += r"(?!\.\d)"
    return re.search(left + re.escape(needle) + right, text) is not None


def numbers(text: str) -> tuple[str, ...]:
    """The numbers written in `text`, markers aside: "1,000" and "1000" are one, so are "94.0" and "94"."""
    found = _NUMBER.findall(fold(without_markers(text)))
    return tuple(_canonical(number) for number in found)


def _canonical(number: str) -> str:
    number = number.lstrip("+-").replace(",", "")
    return number.rstrip("0").rstrip(".") if "." in number else number


def title_key(title: str) -> str:
    """What two spellings of one title share: folded letters and digits."""
    return "".join(character for character in fold(title) if character.isalnum())
