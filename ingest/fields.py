"""From the many names and shapes that exports give a paper's fields to one typed record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from assistant import marked_notes
from assistant.cleaning import clean, normalise
from assistant.identity import (
    STABLE_SCHEMES,
    Identifier,
    arxiv_of_doi,
    normalise_arxiv,
    normalise_doi,
    normalise_identifier,
)
from ingest.detailing import details_of
from ingest.people import authors
from ingest.records import Record, Rejected
from ingest.spelling import NOTHING, Fields, canonical, collapsed, first, first_text, flattened, literal, spoken

# Names by which fields come, the most telling first; compared in lower case without blanks, `_` and `-`.
ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "title": ("title", "ti", "papertitle", "articletitle", "documenttitle", "primarytitle", "t1", "displayname", "name"),
    "abstract": ("abstract", "abstractnote", "ab", "summary", "n2", "abstracttext", "description", "paperabstract"),
    "authors": ("authorfullnames", "authors", "author", "authornames", "firstauthors", "authorlist", "au", "af", "creator", "creators", "authorships"),
    "year": (
        "year", "publicationyear", "pubyear", "py", "date", "published", "publicationdate", "pubdate", "publisheddate",
        "issued", "datepublished", "coverdate", "y1", "updatedate",
    ),
    "venue": (
        "venue", "journal", "booktitle", "journalref", "journaltitle", "publicationtitle", "publication", "sourcetitle",
        "containertitle", "proceedings", "conference", "conferencename", "hostvenue", "source", "so", "jo", "t2",
    ),
    "doi": ("doi", "di", "do", "doilink", "externalids.doi"),
    "arxiv": ("arxivid", "arxiv", "eprint", "externalids.arxiv"),
    "url": ("url", "link", "urls", "links", "ur", "pdfurl", "openlink", "entryid", "uri", "openurllink"),
    "categories": ("categories", "category", "primaryclass", "subjects", "subjectareas", "fieldsofstudy", "wc"),
    "tags": ("tags", "keywords", "keyword", "kw", "de", "authorkeywords", "manualtags", "labels", "mendeleytags"),
    "citekey": ("citekey", "citationkey", "bibtexkey", "bibkey"),
}  # fmt: skip
_ID_FIELDS: Final = ("id", "paperid", "recordid", "key", "identifier", "uid", "ut")
_SCHEME_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "pmid": ("pmid", "pubmedid", "externalids.pubmed"),
    "pmcid": ("pmcid", "pmc", "externalids.pubmedcentral"),
    "openalex": ("openalex", "openalexid"),
    "s2": ("s2id", "semanticscholarid", "paperid"),
    "corpusid": ("corpusid", "s2corpusid", "externalids.corpusid"),
    "acl": ("aclid", "acl", "externalids.acl"),
    "dblp": ("dblp", "dblpid", "externalids.dblp"),
    "openreview": ("openreview", "openreviewid", "forum"),
}
# An identifier in the plain `id` column says its scheme only where its shape leaves no doubt.
_TELLING_SCHEMES: Final = ("openalex", "pmcid", "s2", "acl", "dblp")
_FIRST_YEAR, _LAST_YEAR = 1500, 2100
_YEAR: Final = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?!\d)")
_NO_ABSTRACT: Final = {
    "no abstract",
    "no abstract available",
    "[no abstract available]",
    "abstract not available",
    "not available",
}


def known_columns(names: Iterable[str]) -> set[str]:
    """Which of our fields the columns `names` would give; a table is one only where this has `title` or `abstract`."""
    spelt = {canonical(name) for name in names}
    return {field for field, aliases in ALIASES.items() if spelt & set(aliases)}


def record(fields: Fields, where: str, source: str) -> Record | Rejected:
    """One record of `fields` in whatever spelling they came; rejected without a title or an abstract. Never raises."""
    spelt = flattened(fields)
    title = collapsed(_text(spelt, "title"))
    abstract = _text(spelt, "abstract") or _inverted(spelt.get("abstractinvertedindex"))
    if missing := _missing(title, abstract):
        named = f" ({_shortened(title)!r})" if title else ""
        return Rejected(where, f"{missing}{named}")
    doi = normalise_doi(first_text(spelt, ALIASES["doi"])) or _doi_of(spelt)
    venue, printed, located = _venue(collapsed(first_text(spelt, ALIASES["venue"])))
    spelt = {**located, **spelt}
    arxiv_id = _arxiv(spelt) or arxiv_of_doi(doi)
    noted = marked_notes.read(_noted(spelt))
    printed_in = next((found for name in ALIASES["year"] if (found := year(spelt.get(name)))), printed)
    others = _others(spelt)
    return Record(
        where=where,
        source=source,
        title=title,
        abstract=abstract,
        authors=authors(first(spelt, ALIASES["authors"]) or spelt.get("authorsparsed")),
        year=printed_in,
        venue=venue or None,
        doi=doi,
        arxiv_id=arxiv_id,
        url=_url(spelt),
        categories=names(first(spelt, ALIASES["categories"]), blanks=True),
        tags=_tags(spelt),
        citekey=collapsed(first_text(spelt, ALIASES["citekey"])) or None,
        keys=_keys(spelt),
        others=others,
        notices=_notices(spelt, title, noted.notices),
        details=details_of(spelt, printed_in, venue, others, noted),
        note=noted.note or _own_note(spelt),
    )


def year(value: Any) -> int | None:
    """The year in a number, a date in any order, `{"date-parts": [[2020, 1]]}`, or text around it; None for nonsense."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, Mapping):
        return next((found for part in value.values() if (found := year(part))), None)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return year(value[0]) if value else None
    if isinstance(value, float):
        value = int(value) if value == value and abs(value) < 1e9 else 0
    if isinstance(value, int):
        return value if _FIRST_YEAR <= value <= _LAST_YEAR else None
    match = _YEAR.search(str(value)[:200])
    return int(match.group(1)) if match else None


def names(value: Any, *, blanks: bool = False) -> tuple[str, ...]:
    """A list of categories or tags, or a text joined by `;`, `,` or `|` (or by blanks, for arXiv's categories)."""
    if isinstance(value, str):
        parsed = literal(value)
        if isinstance(parsed, list):
            return names(parsed)
        separator = ";" if ";" in value else "|" if "|" in value else ","
        parts = _outside_brackets(value, separator)
        if blanks and len(parts) == 1 and all(_ARXIV_CATEGORY.match(part) for part in value.split()):
            parts = value.split()
    elif isinstance(value, Mapping):
        parts = [key for key, kept in value.items() if kept]
    elif isinstance(value, Sequence):
        parts = [spoken(item) for item in value]
    else:
        return ()
    return tuple(
        dict.fromkeys(
            name for part in parts if (name := collapsed(normalise(str(part)))) and name.lower() not in NOTHING
        )
    )


def _noted(spelt: Fields) -> list[str]:
    """The lines of notes: as a reader gives them, or those of the usual columns."""
    given = spelt.get("noted")
    return (
        [str(line) for line in given] if isinstance(given, list) else first_text(spelt, ("notes", "note")).split("\n")
    )


def _own_note(spelt: Fields) -> str | None:
    """The user's note in a table or JSON that Ibid wrote; the apostrophe is what keeps a spreadsheet from running it."""
    text = normalise(spoken(spelt.get("ibidnote")))
    return (text[1:] if text[:2] in _GUARDED else text) or None


def _notices(spelt: Fields, title: str, noted: Sequence[str]) -> tuple[str, ...]:
    """What a reader found, what the columns of other exports say, and what publishers write before a title."""
    given = spelt.get("notices")
    told = [*(given if isinstance(given, list) else spoken(given).split("\n")), *noted]
    found = [text for part in told if (text := collapsed(normalise(str(part)))[:_NOTICE_CHARACTERS])]
    flag = spelt.get("isretracted", spelt.get("retracted"))
    kind = " ".join(first_text(spelt, (name,)) for name in _TYPE_FIELDS)
    marked = flag is True or (isinstance(flag, str) and flag.strip().lower() in {"true", "yes", "1", "retracted"})
    if not any("retracted" in notice.lower() for notice in found):
        if marked:
            found.append("retracted")
        elif _RETRACTED_TYPE.search(kind):
            found.append("retracted: so says its record")
        elif match := _MARKED_TITLE.match(title):
            word = match.group(1).lower()
            found.append(f"{'withdrawn' if word.startswith('withdrawn') else 'retracted'}: so says its title")
    return tuple(dict.fromkeys(notice[:1].upper() + notice[1:] for notice in found if notice))


_GUARDED: Final = ("'=", "'+", "'-", "'@")
_NOTICE_CHARACTERS: Final = 500
_TYPE_FIELDS: Final = (
    "typeofwork",
    "worktype",
    "documenttype",
    "publicationtype",
    "publicationtypes",
    "pt",
    "dt",
    "m3",
)
_RETRACTED_TYPE: Final = re.compile(r"\bretracted\b(?! (?:by|from))", re.IGNORECASE)
_MARKED_TITLE: Final = re.compile(r"^\W*(retracted(?: article)?|withdrawn(?: article)?)\s*[:\])]", re.IGNORECASE)
_ARXIV_CATEGORY: Final = re.compile(r"^[a-z-]+(?:\.[A-Za-z-]+)?$")


def _text(spelt: Fields, field: str) -> str:
    return next((text for name in ALIASES[field] if name in spelt and (text := normalise(spoken(spelt[name])))), "")


def _inverted(index: Any) -> str:
    """The text behind OpenAlex's inverted index `{word: [positions]}`; empty where it is not one."""
    if not isinstance(index, Mapping):
        return ""
    placed = [
        (position, str(word))
        for word, positions in index.items()
        if isinstance(positions, list)
        for position in positions
        if isinstance(position, int)
    ]
    return normalise(" ".join(word for _, word in sorted(placed)))


def _missing(title: str, abstract: str) -> str | None:
    if not title or title.lower() in NOTHING:
        return "no title"
    if not abstract or abstract.lower().rstrip(".") in _NO_ABSTRACT | NOTHING:
        return "no abstract"
    return None


def _arxiv(spelt: Fields) -> str | None:
    archive = str(spelt.get("archiveprefix") or spelt.get("eprinttype") or "arxiv").lower()
    for name in ALIASES["arxiv"]:
        if name in spelt and archive == "arxiv" and (found := normalise_arxiv(spoken(spelt[name]))):
            return found
    for name in (*_ID_FIELDS, *ALIASES["url"], "journal", "note", "howpublished"):
        if name in spelt and (found := normalise_arxiv(spoken(spelt[name]))):
            return found
    return None


def _doi_of(spelt: Fields) -> str | None:
    """A DOI that an id or an address holds. An address adds things of its own to it, which are cut off."""
    for name in (*_ID_FIELDS, *ALIASES["url"]):
        if name not in spelt:
            continue
        text = spoken(spelt[name])
        address, query, asked = text.partition("?") if "://" in text else (text, "", "")
        parts = [_ADDRESS_END.sub("", address) if "://" in text else address, *(asked.split("&") if query else ())]
        if doi := next((doi for part in parts if (doi := normalise_doi(part))), None):
            return doi
    return None


def _outside_brackets(text: str, separator: str) -> list[str]:
    """`text` split at `separator`, though not between brackets: `cyst (diagnosis, surgery), child` is two."""
    if separator != "," or "(" not in text:
        return text.split(separator)
    parts, depth, began = [], 0, 0
    for at, char in enumerate(text):
        depth = max(0, depth + (char == "(") - (char == ")"))
        if char == separator and not depth:
            parts.append(text[began:at])
            began = at + 1
    return [*parts, text[began:]]


def _tags(spelt: Fields) -> tuple[str, ...]:
    """The first of the columns for tags; Zotero's automatic ones beside those that its user gave."""
    found = names(first(spelt, ALIASES["tags"]))
    return tuple(dict.fromkeys((*found, *names(spelt.get("automatictags")))))


def _keys(spelt: Fields) -> tuple[str, ...]:
    """Further keys of the user's own: what a reader found, and Zotero's, whose tables have it as `Key`."""
    zotero = spoken(spelt.get("key")) if "itemtype" in spelt else ""
    return tuple(dict.fromkeys((*names(spelt.get("keys")), *([zotero] if _ZOTERO_KEY.match(zotero) else []))))


def _venue(text: str) -> tuple[str, int | None, dict[str, str]]:
    """The venue, and what Embase's `Source` has behind it: `Journal (2014) 3:3 (152-160). Date of Publication: 2014`."""
    match = _SOURCE_LINE.match(text)
    if not match:
        return text, None, {}
    told = zip(("volume", "issue", "pages", "publicationdate"), match.groups()[2:], strict=True)
    return match.group(1), int(match.group(2)), {name: value for name, value in told if value}


_ADDRESS_END: Final = re.compile(
    r"(?:/(?:full|abstract|pdf|epdf|html|full/html|meta|summary|pdfdirect|fulltext|references|export)|\.pdf)+/?(?:#.*)?$|#.*$",
    re.IGNORECASE,
)
_ZOTERO_KEY: Final = re.compile(r"^[A-Z0-9]{8}$")
_SOURCE_LINE: Final = re.compile(
    r"^(.{3,200}?) \((1[89]\d\d|20\d\d)\) (?:([^\s:(.]{1,20})?(?::(\S{1,20}))? )?(?:\(([^()]{1,30})\)|Article number|[\w: -]{0,40})?"
    r"(?: \S+)?\. Date of Publication:? ?([\w ]{0,20})"
)


def _others(spelt: Fields) -> tuple[Identifier, ...]:
    found = [
        identifier
        for scheme, columns in _SCHEME_FIELDS.items()
        for name in columns
        if name in spelt and (identifier := normalise_identifier(scheme, spoken(spelt[name])))
    ]
    for name in (*_ID_FIELDS, "url"):
        if name in spelt:
            text = spoken(spelt[name])
            schemes = _TELLING_SCHEMES if name != "url" else (*_TELLING_SCHEMES, "openreview")
            found += [identifier for scheme in schemes if (identifier := normalise_identifier(scheme, text))]
            prefix, colon, value = text.partition(":")
            if (
                colon
                and prefix.lower() in STABLE_SCHEMES
                and (identifier := normalise_identifier(prefix.lower(), value))
            ):
                found.append(identifier)
    return tuple(dict.fromkeys(found))


def _url(spelt: Fields) -> str | None:
    text = first_text(spelt, ALIASES["url"])
    match = re.search(r"https?://[^\s<>\"{}]+", clean(text).text) if text else None
    return match.group() if match else None


def _shortened(title: str) -> str:
    return title if len(title) <= 80 else f"{title[:79]}…"
