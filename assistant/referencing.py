"""References as journals want them, made by citeproc from the styles in `assistant/csl` (see its README for licences)."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from assistant.errors import InputError

if TYPE_CHECKING:
    from assistant.papers import Paper

STYLES: Final = ("acm", "ama", "apa", "chicago", "harvard", "ieee", "mla", "nature", "vancouver")
DEFAULT_STYLE: Final = "apa"
_NUMBERED: Final = re.compile(r"^(\[\d+\]|\d+\.)(?=\S)")
_WHOLE_NAMES: Final = ("chicago", "mla")
_AMERICAN: Final = ("chicago", "ieee", "mla")  # commas and full stops stand before a closing quotation mark
_OUTSIDE: Final = re.compile(r"(?<![?!.,])”([.,])")
_EDITORS: Final = re.compile(r"\((eds?)\.\)")
_RUN_TOGETHER: Final = re.compile(r"\b(\d{4})(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(\d{1,2})?(?=[;.:])")
_SUFFIX: Final = ".csl"
_AT_ONCE: Final = 200  # a style's disambiguation looks at all items of a bibliography


def references(papers: Sequence[Paper], style: str = DEFAULT_STYLE, first: int = 1) -> list[str]:
    """One plain reference a paper, in the order given; numbered styles count from `first`.

    `style` is one of STYLES or the path of a `.csl` file. Raises InputError for one that there is not, or that
    citeproc cannot read.
    """
    made: list[str] = []
    for begin in range(0, len(papers), _AT_ONCE):
        group = papers[begin : begin + _AT_ONCE]
        made += [_numbered(text, first + begin + place) for place, text in enumerate(_rendered(group, style))]
    return made


def _rendered(papers: Sequence[Paper], style: str) -> list[str]:
    from citeproc import Citation, CitationItem, CitationStylesBibliography, formatter
    from citeproc.source.json import CiteProcJSON

    from assistant.csl_items import cited_item

    items = [cited_item(paper) | {"id": str(place)} for place, paper in enumerate(papers)]
    texts: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fields that a style names and citeproc does not know
        for item in items:  # each by itself: a style would sort them, and these are in the order of an answer
            try:
                bibliography = CitationStylesBibliography(_style(style), CiteProcJSON([item]), formatter.plain)
                bibliography.register(Citation([CitationItem(item["id"])]))
                found = " ".join("".join(str(entry) for entry in bibliography.bibliography()).split())
            except InputError:
                raise
            except Exception:  # citeproc raises what it meets; a plain reference is better than none
                found = ""
            texts.append(_corrected(found, style, item) if found else _plain(item))
    return texts


@lru_cache(maxsize=4)
def _style(style: str) -> Any:
    from citeproc import CitationStylesStyle

    path = Path(__file__).parent / "csl" / f"{style}{_SUFFIX}" if style in STYLES else Path(style)
    if path.suffix.lower() != _SUFFIX or not path.is_file():
        raise InputError(f"no citation style {style!r}; use one of {', '.join(STYLES)}, or the path of a .csl file")
    try:
        read = CitationStylesStyle(str(path)[: -len(_SUFFIX)], validate=False)
        if style in _WHOLE_NAMES:  # they say so name by name, by an attribute that citeproc-py does not know
            read.xml.getroot().attrib.pop("initialize-with", None)
        return read
    except Exception as error:
        said = " ".join(str(error).split())[:120]
        raise InputError(f"{style!r} is not a citation style that can be read: {said}") from error


def _corrected(text: str, style: str, item: dict[str, Any]) -> str:
    """What the style asks for and citeproc-py does not do; whatever the item itself says stays as it is."""
    text = _RUN_TOGETHER.sub(lambda match: " ".join(filter(None, match.groups())), text)
    if "arXiv:" in item.get("number", "") and not any(
        "ArXiv" in item.get(name, "") for name in ("title", "container-title")
    ):
        text = text.replace("ArXiv", "arXiv")
    if style in _AMERICAN:
        text = _OUTSIDE.sub(r"\1”", text)
    if style == "apa":
        text = _EDITORS.sub(lambda match: f"({match.group(1).capitalize()}.)", text)
        text = text.replace(" (Publication) [", " [")
        if item["type"] == "thesis" and item.get("genre") and item.get("publisher"):
            text = text.replace(f"[{item['genre']}]. {item['publisher']}", f"[{item['genre']}, {item['publisher']}]")
    return text


def _numbered(text: str, number: int) -> str:
    """The style numbers each reference 1, as each is made by itself."""
    found = _NUMBERED.match(text)
    if not found:
        return text
    mark = f"[{number}]" if text.startswith("[") else f"{number}."
    return f"{mark} {text[found.end() :].lstrip()}"


def _plain(item: dict[str, Any]) -> str:
    names = ", ".join(" ".join(filter(None, (a.get("given"), a.get("family")))) for a in item.get("author", ()))
    year = item["issued"]["date-parts"][0][0] if "issued" in item else ""
    address = f"https://doi.org/{item['DOI']}" if "DOI" in item else item.get("URL", "")
    parts = (names, f"({year})" if year else "", item["title"], item.get("container-title", ""), address)
    return ". ".join(str(part).rstrip(".") for part in parts if part)
