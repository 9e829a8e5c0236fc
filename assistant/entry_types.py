"""Types of works by CSL's names, and what BibTeX, RIS and other programs call them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, get_args

from assistant.identity import is_preprint_venue
from assistant.papers import Paper

EntryType = Literal[
    "article", "article-journal", "article-magazine", "article-newspaper", "book", "chapter", "dataset",
    "entry-dictionary", "entry-encyclopedia", "manuscript", "paper-conference", "patent", "post-weblog", "report",
    "software", "speech", "standard", "thesis", "webpage",
]  # fmt: skip
ENTRY_TYPES: Final[frozenset[str]] = frozenset(get_args(EntryType))
PERIODICAL: Final = frozenset(("article-journal", "article-magazine", "article-newspaper"))
IN_BOOK: Final = frozenset(("chapter", "paper-conference", "entry-dictionary", "entry-encyclopedia"))

# The first name of each is the one that is written. CSL's `article`, a preprint, has none of its own in BibTeX.
BIBTEX: Final[dict[str, tuple[str, ...]]] = {
    "article-journal": ("article", "suppperiodical", "review"),
    "paper-conference": ("inproceedings", "conference"),
    "chapter": ("incollection", "inbook", "bookinbook", "suppbook", "suppcollection"),
    "book": ("book", "mvbook", "booklet", "collection", "mvcollection", "proceedings", "mvproceedings", "reference"),
    "thesis": ("phdthesis", "mastersthesis", "thesis"),
    "report": ("techreport", "report", "manual"),
    "manuscript": ("unpublished",),
    "dataset": ("dataset", "data"),
    "software": ("software",),
    "patent": ("patent",),
    "webpage": ("online", "electronic", "www", "webpage"),
    "standard": ("standard",),
    "entry-encyclopedia": ("inreference",),
}
RIS: Final[dict[str, tuple[str, ...]]] = {
    "article": ("UNPB",),
    "article-journal": ("JOUR", "EJOUR", "JFULL", "INPR", "ABST", "SER"),
    "article-magazine": ("MGZN",),
    "article-newspaper": ("NEWS",),
    "book": ("BOOK", "EBOOK", "EDBOOK", "WHOLE"),
    "chapter": ("CHAP", "ECHAP"),
    "dataset": ("DATA", "AGGR"),
    "entry-dictionary": ("DICT",),
    "entry-encyclopedia": ("ENCYC",),
    "manuscript": ("MANSCPT",),
    "paper-conference": ("CONF", "CPAPER"),
    "patent": ("PAT",),
    "post-weblog": ("BLOG",),
    "report": ("RPRT", "GOVDOC"),
    "software": ("COMP",),
    "speech": ("SLIDE", "HEAR"),
    "standard": ("STAND",),
    "thesis": ("THES",),
    "webpage": ("ELEC", "WEB", "ICOMM"),
}
# By the letters alone, in lower case: what databases, services and managers write where they tell of a type.
_OTHERS: Final[dict[str, tuple[str, ...]]] = {
    "article": ("preprint", "postedcontent", "unpublishedwork"),
    "article-journal": (
        "journalarticle", "articlejournal", "articleinpress", "editorial", "letter", "shortsurvey", "erratum",
        "reviewarticle", "originalarticle", "journal", "datapaper", "lettersandcomments", "casereport", "peerreview",
    ),
    "article-magazine": ("magazinearticle", "magazine"),
    "article-newspaper": ("newspaperarticle", "newspaper"),
    "book": ("monograph", "editedbook", "referencebook", "electronicbook", "bookwhole"),
    "chapter": ("bookchapter", "booksection", "bookpart", "booktrack", "electronicbooksection"),
    "dataset": ("database",),
    "entry-dictionary": ("dictionaryentry", "dictionary"),
    "entry-encyclopedia": ("encyclopediaarticle", "encyclopedia", "referenceentry", "entry"),
    "paper-conference": ("conferencepaper", "conferenceproceedings", "proceedingspaper", "proceedingsarticle", "meetingabstract", "conferencereview"),
    "post-weblog": ("blogpost", "blog"),
    "report": ("reportcomponent", "governmentdocument", "workingpaper", "technicalreport"),
    "software": ("computerprogram",),
    "speech": ("presentation", "slide"),
    "thesis": ("dissertation", "dissertationthesis", "doctoralthesis"),
    "webpage": ("website", "webresource"),
}  # fmt: skip
_LETTERS: Final = re.compile(r"[^a-z]+")
_BY_NAME: Final[dict[str, str]] = {
    _LETTERS.sub("", name.lower()): kind
    for table in (RIS, _OTHERS, BIBTEX)
    for kind, names in table.items()
    for name in names
}
_PROCEEDINGS: Final = re.compile(
    r"\b(?:proceedings|conference|workshop|symposium|advances in)\b|\bproc\.", re.IGNORECASE
)


def entry_type(name: str, *, csl: bool = False) -> str:
    """The CSL type that a program's own name for one means; empty where it says nothing.

    `article` is a journal's article, but for CSL (`csl`), which calls a preprint so.
    """
    name = name.strip().lower()
    if name in ENTRY_TYPES and (csl or name != "article"):
        return name
    return _BY_NAME.get(_LETTERS.sub("", name), "")


def assumed_type(paper: Paper) -> str:
    """The type that a paper is taken for when no source tells one: by its venue."""
    if is_preprint_venue(paper.venue) or not paper.venue:
        return "article"
    return "paper-conference" if _PROCEEDINGS.search(paper.venue) else "article-journal"


def type_of(paper: Paper) -> str:
    """What a source says, else what is assumed."""
    return paper.detail("type") or assumed_type(paper)


_SUBTYPES: Final = {"magazine": "article-magazine", "newspaper": "article-newspaper", "journal": "article-journal"}


def bibtex_type(entry: str, fields: Mapping[str, str], venue: str | None) -> str:
    """What a BibTeX entry is, by the name of its type and by its fields; empty for what may be anything."""
    sub = fields.get("entrysubtype", "").lower()
    if sub in ENTRY_TYPES or sub in _SUBTYPES:
        return _SUBTYPES.get(sub, sub)
    if entry == "misc" and "arxiv" in f"{fields.get('archiveprefix', '')} {fields.get('eprinttype', '')}".lower():
        return "article"
    kind = next((kind for kind, names in BIBTEX.items() if entry in names), "") or entry_type(entry)
    return "article" if kind == "article-journal" and is_preprint_venue(venue) else kind


def bibtex_number(kind: str) -> str:
    """Which detail BibTeX's `number` is in an entry of that type."""
    if kind in ("book", "chapter"):
        return "collection-number"
    return "issue" if kind in PERIODICAL or kind == "paper-conference" else "number"
