"""From the many names and shapes that exports give a paper's fields to one typed record."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from assistant.cleaning import clean, normalise
from assistant.identity import (
    STABLE_SCHEMES,
    Identifier,
    arxiv_of_doi,
    normalise_arxiv,
    normalise_doi,
    normalise_identifier,
)
from ingest.records import Record, Rejected

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
_NOTHING: Final = {"", "none", "null", "nan", "n/a", "na", "nil", "-", "--", "[]", "undefined"}
_NOBODY: Final = {"others", "et al", "et al."}  # BibTeX's "and others"
_NO_ABSTRACT: Final = {
    "no abstract",
    "no abstract available",
    "[no abstract available]",
    "abstract not available",
    "not available",
}

Fields = Mapping[str, Any]


def canonical(name: str) -> str:
    """A field's name in the spelling of ALIASES."""
    return _canonical(name) if len(name) <= _NAME_CHARACTERS else _spelt(name)


def _spelt(name: str) -> str:
    return _BETWEEN.sub("", name.strip().lstrip("\ufeff")).lower()


_NAME_CHARACTERS: Final = 60  # of a field's name worth remembering; every record of a file has the same ones
_BETWEEN: Final = re.compile(r"[\s_\-:]+")
_canonical = lru_cache(maxsize=4096)(_spelt)


def known_columns(names: Iterable[str]) -> set[str]:
    """Which of our fields the columns `names` would give; a table is one only where this has `title` or `abstract`."""
    spelt = {canonical(name) for name in names}
    return {field for field, aliases in ALIASES.items() if spelt & set(aliases)}


def record(fields: Fields, where: str, source: str) -> Record | Rejected:
    """One record of `fields` in whatever spelling they came; rejected without a title or an abstract. Never raises."""
    spelt = _flattened(fields)
    title = _collapsed(_text(spelt, "title"))
    abstract = _text(spelt, "abstract") or _inverted(spelt.get("abstractinvertedindex"))
    if missing := _missing(title, abstract):
        named = f" ({_shortened(title)!r})" if title else ""
        return Rejected(where, f"{missing}{named}")
    doi = normalise_doi(_first_text(spelt, ALIASES["doi"])) or _doi_of(spelt)
    venue, printed = _venue(_collapsed(_first_text(spelt, ALIASES["venue"])))
    arxiv_id = _arxiv(spelt) or arxiv_of_doi(doi)
    return Record(
        where=where,
        source=source,
        title=title,
        abstract=abstract,
        authors=authors(_first(spelt, ALIASES["authors"]) or spelt.get("authorsparsed")),
        year=next((found for name in ALIASES["year"] if (found := year(spelt.get(name)))), printed),
        venue=venue or None,
        doi=doi,
        arxiv_id=arxiv_id,
        url=_url(spelt),
        categories=names(_first(spelt, ALIASES["categories"]), blanks=True),
        tags=_tags(spelt),
        citekey=_collapsed(_first_text(spelt, ALIASES["citekey"])) or None,
        keys=_keys(spelt),
        others=_others(spelt),
        notices=_notices(spelt, title),
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


def authors(value: Any) -> tuple[str, ...]:
    """Authors in display order, each `Given Family`.

    Takes a list of strings, of pairs `[family, given]` or of objects (`name`, or `given`/`family` under their usual
    names), or one text joined by `and`, `;`, or commas where those can only separate whole names.
    """
    if isinstance(value, str):
        parsed = _literal(value)
        return authors(parsed) if isinstance(parsed, list) else _named(_separated(value))
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, Sequence):
        return ()
    return _named(name for item in value for name in _author(item))


def initials_first(name: str) -> str:
    """`Smith JA` and `van Dyk R.` as `JA Smith` and `R. van Dyk`; anything else stays."""
    match = _INITIALS_LAST.match(name.strip())
    return f"{match.group(2)} {match.group(1)}" if match else name


def names(value: Any, *, blanks: bool = False) -> tuple[str, ...]:
    """A list of categories or tags, or a text joined by `;`, `,` or `|` (or by blanks, for arXiv's categories)."""
    if isinstance(value, str):
        parsed = _literal(value)
        if isinstance(parsed, list):
            return names(parsed)
        separator = ";" if ";" in value else "|" if "|" in value else ","
        parts = _outside_brackets(value, separator)
        if blanks and len(parts) == 1 and all(_ARXIV_CATEGORY.match(part) for part in value.split()):
            parts = value.split()
    elif isinstance(value, Mapping):
        parts = [key for key, kept in value.items() if kept]
    elif isinstance(value, Sequence):
        parts = [_spoken(item) for item in value]
    else:
        return ()
    return tuple(
        dict.fromkeys(
            name for part in parts if (name := _collapsed(normalise(str(part)))) and name.lower() not in _NOTHING
        )
    )


def _notices(spelt: Fields, title: str) -> tuple[str, ...]:
    """What a reader found, what the columns of other exports say, and what publishers write before a title."""
    given = spelt.get("notices")
    found = (
        [_collapsed(normalise(str(part)))[:_NOTICE_CHARACTERS] for part in given] if isinstance(given, list) else []
    )
    flag = spelt.get("isretracted", spelt.get("retracted"))
    kind = " ".join(_first_text(spelt, (name,)) for name in _TYPE_FIELDS)
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
_INITIALS_LAST: Final = re.compile(r"^([^\W\d_][^,.]*?) ((?:[^\W\d_a-z]\.?-?){1,4})$")
_PLAIN_NAME: Final = re.compile(r"^[A-Za-z]+[A-Za-z ,.'-]{0,80}$", re.ASCII)  # nothing that cleaning would change
_NUMBERED: Final = re.compile(r"\s*\(\d{5,}\)\s*$")  # Scopus's author ids
_DOTTED_LAST: Final = re.compile(r"^[^\W\d_][^,.]+ (?:[^\W\d_]\.[ -]?)+$")
_ARXIV_CATEGORY: Final = re.compile(r"^[a-z-]+(?:\.[A-Za-z-]+)?$")
_NAME_KEYS: Final = ("name", "fullname", "displayname", "literal", "authorname", "rawauthorname")
_FAMILY_KEYS: Final = ("family", "last", "lastname", "surname", "familyname")
_GIVEN_KEYS: Final = ("given", "first", "firstname", "givenname", "forename", "forenames", "initials")


def _author(item: Any) -> list[str]:
    if isinstance(item, str):
        return _separated(item) if ";" in item or " and " in item else [item]
    if isinstance(item, Mapping):
        spelt = {canonical(str(key)): part for key, part in item.items()}
        if isinstance(spelt.get("author"), Mapping):  # OpenAlex wraps each author once more
            return _author(spelt["author"])
        family, given = _first_text(spelt, _FAMILY_KEYS), _first_text(spelt, _GIVEN_KEYS)
        return [f"{given} {family}".strip()] if family else [_first_text(spelt, _NAME_KEYS)]
    if isinstance(item, Sequence) and item and all(isinstance(part, str) for part in item):
        return [" ".join(part for part in (*item[1:2], item[0], *item[2:3]) if part)]
    return []


def _separated(text: str) -> list[str]:
    """The single names of one text; the strongest separator that occurs in it decides."""
    for separator in (r"\s*;\s*", r"\s*\|\s*", r"\s+and\s+|\s*,\s*and\s+", r"\n+"):
        parts = [part for part in re.split(separator, text.strip()) if part.strip()]
        if len(parts) > 1:
            return [name for part in parts for name in (_by_commas(part) if part.count(",") > 1 else [part])]
    return _by_commas(text)


def _by_commas(text: str) -> list[str]:
    """`Ann Lee, Bo Ek` are two people, `Lee, Ann` is one, `Lee, A., Ek, B.` are two again."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > 2 and len(parts) % 2 == 0 and all(_INITIALS.match(part) for part in parts[1::2]):
        return [f"{family}, {given}" for family, given in zip(parts[::2], parts[1::2], strict=True)]
    if len(parts) > 1 and (len(parts) > 2 or all(" " in part for part in parts)):
        return parts
    return [text]


_INITIALS: Final = re.compile(r"^(?:[^\W\d_]\.?[\s-]?){1,4}$")


def _named(found: Iterable[str]) -> tuple[str, ...]:
    """Names decoded, `Family, Given` turned round, empty and repeated ones dropped."""
    turned = []
    for name in found:
        if not _PLAIN_NAME.match(name):
            name = _NUMBERED.sub("", clean(normalise(name)).text.replace("{", "").replace("}", ""))
        name = name.strip(" ,;")
        family, comma, given = name.partition(",")
        if comma and "," in given:  # BibTeX's "Family, Jr, Given"
            suffix, _, given = given.partition(",")
            name = f"{given.strip()} {family.strip()} {suffix.strip()}"
        elif comma:
            name = f"{given.strip()} {family.strip()}"
        elif _DOTTED_LAST.match(name):  # Embase and Scopus write "Liu R."
            name = initials_first(name)
        if name and name.lower() not in _NOTHING | _NOBODY:
            turned.append(_collapsed(name))
    return tuple(dict.fromkeys(turned))


def _flattened(fields: Fields) -> dict[str, Any]:
    """Fields by canonical name, empty ones dropped; one level of objects (`externalIds`) reachable by a dotted name."""
    spelt: dict[str, Any] = {}
    for key, value in fields.items():
        name = canonical(str(key))
        if isinstance(value, Mapping):
            spelt.update({f"{name}.{canonical(str(inner))}": part for inner, part in value.items()})
        if value is None or (isinstance(value, str) and value.strip().lower() in _NOTHING):
            continue
        spelt.setdefault(name, value)
    return spelt


def _first(spelt: Fields, aliases: Sequence[str]) -> Any:
    return next((spelt[name] for name in aliases if spelt.get(name) not in (None, "", [], {})), None)


def _first_text(spelt: Fields, aliases: Sequence[str]) -> str:
    return next((text for name in aliases if name in spelt and (text := _spoken(spelt[name]))), "")


def _text(spelt: Fields, field: str) -> str:
    return next((text for name in ALIASES[field] if name in spelt and (text := normalise(_spoken(spelt[name])))), "")


def _spoken(value: Any) -> str:
    """A scalar, or the one scalar inside a list or object, as text."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, Mapping):
        return next(
            (
                _spoken(value[key])
                for key in ("name", "value", "text", "displayname", "display_name", "title", "term", "tag")
                if key in value
            ),
            "",
        )
    if isinstance(value, Sequence):
        parts = [spoken for item in value if (spoken := _spoken(item))]
        return "\n".join(parts)
    return ""


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


def _literal(text: str) -> Any:
    """A list that an export wrote as text, `["a", "b"]` or `['a', 'b']`; None otherwise."""
    text = text.strip()
    if not (text.startswith("[") and text.endswith("]")) or len(text) > 100_000:
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return None


def _missing(title: str, abstract: str) -> str | None:
    if not title or title.lower() in _NOTHING:
        return "no title"
    if not abstract or abstract.lower().rstrip(".") in _NO_ABSTRACT | _NOTHING:
        return "no abstract"
    return None


def _arxiv(spelt: Fields) -> str | None:
    archive = str(spelt.get("archiveprefix") or spelt.get("eprinttype") or "arxiv").lower()
    for name in ALIASES["arxiv"]:
        if name in spelt and archive == "arxiv" and (found := normalise_arxiv(_spoken(spelt[name]))):
            return found
    for name in (*_ID_FIELDS, *ALIASES["url"], "journal", "note", "howpublished"):
        if name in spelt and (found := normalise_arxiv(_spoken(spelt[name]))):
            return found
    return None


def _doi_of(spelt: Fields) -> str | None:
    """A DOI that an id or an address holds. An address adds things of its own to it, which are cut off."""
    for name in (*_ID_FIELDS, *ALIASES["url"]):
        if name not in spelt:
            continue
        text = _spoken(spelt[name])
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
    found = names(_first(spelt, ALIASES["tags"]))
    return tuple(dict.fromkeys((*found, *names(spelt.get("automatictags")))))


def _keys(spelt: Fields) -> tuple[str, ...]:
    """Further keys of the user's own: what a reader found, and Zotero's, whose tables have it as `Key`."""
    zotero = _spoken(spelt.get("key")) if "itemtype" in spelt else ""
    return tuple(dict.fromkeys((*names(spelt.get("keys")), *([zotero] if _ZOTERO_KEY.match(zotero) else []))))


def _venue(text: str) -> tuple[str, int | None]:
    """The venue, and the year that Embase's `Source` has behind it: `Journal (2014) 3:3 (152-160). Date …`."""
    match = _SOURCE_LINE.match(text)
    return (match.group(1), int(match.group(2))) if match else (text, None)


_ADDRESS_END: Final = re.compile(
    r"(?:/(?:full|abstract|pdf|epdf|html|full/html|meta|summary|pdfdirect|fulltext|references|export)|\.pdf)+/?(?:#.*)?$|#.*$",
    re.IGNORECASE,
)
_ZOTERO_KEY: Final = re.compile(r"^[A-Z0-9]{8}$")
_SOURCE_LINE: Final = re.compile(
    r"^(.{3,200}?) \((1[89]\d\d|20\d\d)\) (?:\S+ )?\(?[\w: -]{0,40}\)?\. Date of Publication"
)


def _others(spelt: Fields) -> tuple[Identifier, ...]:
    found = [
        identifier
        for scheme, columns in _SCHEME_FIELDS.items()
        for name in columns
        if name in spelt and (identifier := normalise_identifier(scheme, _spoken(spelt[name])))
    ]
    for name in (*_ID_FIELDS, "url"):
        if name in spelt:
            text = _spoken(spelt[name])
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
    text = _first_text(spelt, ALIASES["url"])
    match = re.search(r"https?://[^\s<>\"{}]+", clean(text).text) if text else None
    return match.group() if match else None


def _collapsed(text: str) -> str:
    return " ".join(text.split())


def _shortened(title: str) -> str:
    return title if len(title) <= 80 else f"{title[:79]}…"
