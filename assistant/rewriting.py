r"""The single passes that `assistant.cleaning` composes: each finds edits in a text and changes nothing itself."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final


@dataclass(frozen=True, slots=True)
class Edit:
    """`text[start:end]` becomes `replacement`."""

    start: int
    end: int
    replacement: str = ""


Pass = Callable[[str], Sequence[Edit]]


# --- characters -----------------------------------------------------------------------------------------------------

_LIGATURES: Final = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
_INVISIBLE: Final = "\u00ad\u200b\u200c\u200d\u2060\ufeff"  # soft hyphen, zero-width blanks and joiners, BOM
_CHARACTERS: Final = re.compile(f"[{''.join(_LIGATURES)}{_INVISIBLE}]")


def characters(text: str) -> list[Edit]:
    """Ligatures spelt out, invisible characters dropped."""
    if text.isascii():
        return []
    return [Edit(m.start(), m.end(), _LIGATURES.get(m.group(), "")) for m in _CHARACTERS.finditer(text)]


# UTF-8 read as Latin-1 or Windows-1252 always shows one of these lead characters.
_MOJIBAKE: Final = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u017e\u0192\u02c6\u02dc\u2013-\u2122]")
_NON_ASCII_WORD: Final = re.compile(r"[^\s]*[^\x00-\x7f][^\s]*")


def mojibake(text: str) -> list[Edit]:
    """Words that were decoded with the wrong encoding, decoded again (ftfy)."""
    if text.isascii() or not _MOJIBAKE.search(text):
        return []
    import ftfy  # a tenth of a second to import, and few texts need it

    edits = []
    for match in _NON_ASCII_WORD.finditer(text):
        word = match.group()
        if _MOJIBAKE.search(word) and (fixed := ftfy.fix_encoding(word)) != word:
            edits.append(_narrowed(match.start(), word, fixed))
    return edits


def _narrowed(at: int, old: str, new: str) -> Edit:
    """The edit of `old` into `new` without their common ends, so that offsets stay as exact as can be."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return Edit(at + head, at + len(old) - tail, new[head : len(new) - tail])


_ENTITY: Final = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,7}|#x[0-9a-fA-F]{1,6});")
_TAG: Final = re.compile(
    r"</?(?:jats:)?(?:i|b|em|strong|sub|sup|p|br|italic|bold|title|sec|inf|scp|u|span|tt)(?:\s+[\w:-]+=\"[^\"<>]*\")*\s*/?>",
    re.IGNORECASE,
)


def markup(text: str) -> list[Edit]:
    """HTML entities and the tags that publishers leave in abstracts; Markdown's `**bold**`."""
    edits: list[Edit] = []
    if "&" in text:
        decoded = ((m, html.unescape(m.group())) for m in _ENTITY.finditer(text))
        edits += [Edit(m.start(), m.end(), new) for m, new in decoded if new != m.group()]
    if "<" in text:
        edits += [Edit(m.start(), m.end(), " " if _BLOCK_TAG.match(m.group()) else "") for m in _TAG.finditer(text)]
    if "**" in text:
        for m in _STARS.finditer(text):
            edits += [Edit(m.start(), m.start() + 2), Edit(m.end() - 2, m.end())]
    return sorted(edits, key=_by_start)


_BLOCK_TAG: Final = re.compile(r"</?(?:jats:)?(?:p|br|title|sec)\b", re.IGNORECASE)
_STARS: Final = re.compile(r"\*\*(?=[^\s*])[^*\n]{0,200}?(?<=[^\s*])\*\*")

# --- LaTeX ----------------------------------------------------------------------------------------------------------

_ACCENT: Final = re.compile(
    r"""\{?\\(?:
        ["'`^~=.]\s*(?:\{\s*\\?[A-Za-z]\s*\}|\\[ij](?![A-Za-z])|[A-Za-z])
      | [uvHtcdbkr](?:\s*\{\s*\\?[A-Za-z]\s*\}|\s+[A-Za-z](?![A-Za-z]))
    )\}?""",
    re.VERBOSE,
)
_ESCAPED: Final = re.compile(r"\\([%&_#$ {}])")
_COMMAND: Final = re.compile(r"\\([A-Za-z]+)(\{\}|\s*)")
_WRAPPERS: Final = (
    r"text(?:bf|it|sl|tt|sc|rm|sf|up|normal)?|emph|underline|math(?:rm|bf|it|cal|sf|tt|bb|frak)|boldsymbol|bm"
    r"|operatorname|mbox|hbox|url|path|ensuremath|uppercase"
)
_WRAPPED: Final = re.compile(rf"\\(?:{_WRAPPERS})\*?\s*\{{([^{{}}]*)\}}")
# The same commands where an export has lost the backslash: "UEtext{-UCB++}".
_BARE_WRAPPED: Final = re.compile(
    r"(?:text|textbf|textit|texttt|textsc|textrm|mathrm|mathbf|mathcal|mathbb|operatorname)\{([^{}]*)\}"
)
_SWITCH: Final = re.compile(
    r"\{\s*\\(?:em|bf|it|sl|tt|sc|rm|sf|itshape|bfseries|ttfamily|scshape|small|large|Large)(?![A-Za-z])\s*([^{}]*)\}"
)
_HREF: Final = re.compile(r"\\href\s*\{[^{}]*\}\s*\{([^{}]*)\}")
_FRAC: Final = re.compile(r"\\[td]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_DROPPED: Final = re.compile(
    r"[~\s]*\\(?:cite[a-z]*|label|footnotemark|thanks|vspace|hspace)\*?\s*(?:\[[^\]]*\]\s*)*\{[^{}]*\}"
)
_SCRIPT: Final = re.compile(r"([\^_])\{([^{}]*)\}")
_MATH: Final = re.compile(r"\$\$?(?=[^\s$])([^$\n]{1,300}?)(?<=[^\s$\\])\$\$?(?!\d)")
_PAREN_MATH: Final = re.compile(r"\\[()\[\]]")
_PROTECTED: Final = re.compile(r"(?<![\\\w^_}])\{([^{}\\$]{1,80})\}")
_QUOTES: Final = re.compile(r"``([^`\n]{1,400}?)(?:''|\")")


def latex(text: str) -> list[Edit]:
    """LaTeX made plain, one level of nesting at a time."""
    edits: list[Edit] = []
    if "\\" in text:
        edits += _commands(text)
    if "{" in text:
        edits += _braces(text)
    if "$" in text:
        for m in _MATH.finditer(text):
            edits += [Edit(m.start(), m.start(1)), Edit(m.end(1), m.end())]
    if "``" in text:
        for m in _QUOTES.finditer(text):
            edits += [Edit(m.start(), m.start(1), '"'), Edit(m.end(1), m.end(), '"')]
    return sorted(edits, key=_by_start)


def _commands(text: str) -> Iterator[Edit]:
    for m in _ACCENT.finditer(text):
        whole = m.group()
        start, end = m.span()
        if whole[0] == "{" and whole[-1] != "}":
            start += 1
        elif whole[0] != "{" and whole.count("}") > whole.count("{"):
            end -= 1
        if (decoded := _accented(text[start:end])) is not None:
            yield Edit(start, end, decoded)
    for m in _ESCAPED.finditer(text):
        yield Edit(m.start(), m.end(), m.group(1))
    for m in _DROPPED.finditer(text):
        yield Edit(m.start(), m.end())
    for pattern in (_WRAPPED, _HREF):
        for m in pattern.finditer(text):
            yield from (Edit(m.start(), m.start(1)), Edit(m.end(1), m.end()))
    for m in _FRAC.finditer(text):
        yield from (Edit(m.start(), m.start(1)), Edit(m.end(1), m.start(2), "/"), Edit(m.end(2), m.end()))
    for m in _PAREN_MATH.finditer(text):
        yield Edit(m.start(), m.end())
    for m in _COMMAND.finditer(text):
        if (symbol := _symbol(m.group(1))) is not None and not text.startswith("{", m.end()):
            blanks = m.group(2) if m.group(2).isspace() else ""
            yield Edit(
                m.start(), m.end(), symbol + (" " if blanks and text[m.end() : m.end() + 1].isalpha() else blanks)
            )


def _braces(text: str) -> Iterator[Edit]:
    for m in _SWITCH.finditer(text):
        yield from (Edit(m.start(), m.start(1)), Edit(m.end(1), m.end()))
    for m in _BARE_WRAPPED.finditer(text):
        yield from (Edit(m.start(), m.start(1)), Edit(m.end(1), m.end()))
    for m in _SCRIPT.finditer(text):
        bare = m.group(2).isalnum()
        yield from (
            Edit(m.start(2) - 1, m.start(2), "" if bare else "("),
            Edit(m.end(2), m.end(), "" if bare else ")"),
        )
    for m in _PROTECTED.finditer(text):
        yield from (Edit(m.start(), m.start(1)), Edit(m.end(1), m.end()))


@lru_cache(maxsize=4096)
def _accented(accent: str) -> str | None:
    """One LaTeX accent with its letter as Unicode, by pylatexenc; None where it is not one."""
    from pylatexenc.latex2text import LatexNodes2Text

    try:
        decoded = LatexNodes2Text().latex_to_text(accent).strip()
    except Exception:  # whatever a parser of third-party text raises, the accent then stays as it is
        return None
    return decoded if decoded and "\\" not in decoded else None


@lru_cache(maxsize=4096)
def _symbol(name: str) -> str | None:
    """The character that the LaTeX command `name` prints, by pylatexenc's table; None where it takes arguments."""
    from pylatexenc.latex2text import get_default_latex_context_db

    specification = get_default_latex_context_db().get_macro_spec(name)
    symbol = getattr(specification, "simplify_repl", None)
    return symbol if isinstance(symbol, str) and symbol.strip() and "%" not in symbol else None


# --- remains of sources and line ends -------------------------------------------------------------------------------

# A LaTeX comment whose line end was lost: it ran to the end of the line, so to the end of its sentence at least.
_COMMENT: Final = re.compile(r"(?<=[A-Za-z)\]\"'][.!?])\s?%[,;:]?\s?[^.!?%]*(?:[.!?](?=\s|$)|$)")
_GLUED_URL: Final = re.compile(r"(?<=[A-Za-z0-9)\].,;:!?])(?=https?://)")
_BLANKS: Final = re.compile(r"\s{2,}|[^\S ]")


def comments(text: str) -> list[Edit]:
    """Commented-out remains: `the generated images.%, showing promise.` keeps `the generated images.`"""
    return [Edit(m.start(), m.end()) for m in _COMMENT.finditer(text)] if "%" in text else []


def urls(text: str) -> list[Edit]:
    """A blank before a URL that is glued to the word before it."""
    return [Edit(m.start(), m.end(), " ") for m in _GLUED_URL.finditer(text)] if "://" in text else []


def blanks(text: str) -> list[Edit]:
    """Every run of blanks as one space, none at the ends."""
    edits = [Edit(m.start(), m.end(), " ") for m in _BLANKS.finditer(text)]
    if not text or (not text[0].isspace() and not text[-1].isspace()):
        return edits
    head = len(text) - len(text.lstrip())
    tail = len(text.rstrip())
    if head == len(text):
        return [Edit(0, head)]
    inner = [edit for edit in edits if edit.start >= head and edit.end <= tail]
    return [Edit(0, head), *inner, Edit(tail, len(text))]


def _by_start(edit: Edit) -> tuple[int, int]:
    return edit.start, edit.end


PASSES: Final[tuple[Pass, ...]] = (comments, characters, mojibake, markup, latex, urls, blanks)
