"""The shapes in which services give papers as JSON, told apart object by object, and what each field of theirs means.

What has none of these shapes is read by the names of its fields (`ingest.fields`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from assistant.entry_types import ENTRY_TYPES, entry_type
from assistant.papers import DETAIL_NAMES
from ingest.detailing import page_range
from ingest.fields import known_columns
from ingest.sources.atom import unwrapped
from ingest.sources.xml_stream import raised

Object = Mapping[str, Any]

_WRAPS_ONE: Final = ("paper", "citedPaper", "citingPaper", "message", "work", "data", "entry")
_WRAPS_MANY: Final = (
    "items", "results", "data", "papers", "works", "references", "recommendedPapers", "entries", "hits", "message",
)  # fmt: skip
_MAX_DEPTH: Final = 4  # of wrappers: Crossref's list is the second
_OPENALEX: Final = re.compile(r"^https?://openalex\.org/W\d+$", re.IGNORECASE)
_ARXIV_ID: Final = re.compile(r"^(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?$")
_JATS_HEADING: Final = re.compile(
    r"\s*<(?:jats:)?title[^>]*>\s*(.*?)\s*</(?:jats:)?title>\s*(?:<(?:jats:)?p>\s*)?", re.DOTALL | re.IGNORECASE
)
_RAISED: Final = re.compile(r"<(?:jats:)?sup>\s*([^<>]{1,40}?)\s*</(?:jats:)?sup>", re.IGNORECASE)
_JATS_BREAK: Final = re.compile(r"\s*</?(?:jats:)?(?:p|sec|list|list-item|abstract|br|div)\b[^>]*>\s*", re.IGNORECASE)
_JATS_TAG: Final = re.compile(
    r"</?(?:jats:|mml:)[A-Za-z][^<>]{0,300}>|</?(?:i|b|em|strong|sup|sub|span|sc|scp)(?: [^<>]{0,200})?/?>"
)
_EXTRA: Final = re.compile(r"^\s*(DOI|PMID|PMCID|arXiv)\s*:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_UPDATES: Final = {
    "retraction": "retracted", "partial_retraction": "partly retracted", "removal": "removed", "withdrawal": "withdrawn",
    "expression_of_concern": "expression of concern", "correction": "corrected", "corrigendum": "corrected",
    "erratum": "corrected",
}  # fmt: skip


def papers(value: Object, depth: int = 0) -> Iterator[Object | None]:
    """The objects of papers that `value` is or wraps, None for an empty place in a list; `value` itself in doubt."""
    named = known_columns(map(str, value)) & {"title", "abstract"}
    one = next((value[key] for key in _WRAPS_ONE if isinstance(value.get(key), Mapping)), None)
    if one is not None and depth < _MAX_DEPTH and (not named or _described(one)):
        yield from papers(one, depth + 1)
        return
    many = None if named else _listed(value)
    if many is None or depth >= _MAX_DEPTH:
        yield value
        return
    for item in many:
        if isinstance(item, Mapping):
            yield from papers(item, depth + 1)
        else:
            yield None


def fields(value: Object) -> tuple[str | None, Mapping[str, Any]]:
    """The name of the shape of one paper's object, and its fields by our names; None and itself where it has no known one."""
    for name, matches, read in _SHAPES:
        try:
            if matches(value):
                return name, read(value)
        except (TypeError, ValueError, AttributeError, KeyError, IndexError, RecursionError):
            continue  # it only looked like that shape
    return None, value


def _described(value: Object) -> bool:
    return bool(known_columns(map(str, value)) & {"title", "abstract"})


def _listed(value: Object) -> Sequence[Any] | None:
    """The one list of objects inside, or the one whose name says that it holds papers."""
    lists = {key: part for key, part in value.items() if isinstance(part, list) and _objects(part)}
    named = next((lists[key] for key in _WRAPS_MANY if key in lists), None)
    return named if named is not None else next(iter(lists.values())) if len(lists) == 1 else None


def _objects(part: Sequence[Any]) -> bool:
    return any(isinstance(item, Mapping) for item in part[:20])


# --- OpenAlex -------------------------------------------------------------------------------------------------------


def _is_openalex(value: Object) -> bool:
    return "abstract_inverted_index" in value or bool(
        _OPENALEX.match(str(value.get("id"))) and "display_name" in value
    )


def _openalex(value: Object) -> Object:
    identifiers = _object(value.get("ids"))
    places = [_object(place) for place in _list(value.get("locations")) or [value.get("primary_location")]]
    primary = _object(value.get("primary_location"))
    source = _object(primary.get("source") or value.get("host_venue"))
    topic = _object(value.get("primary_topic"))
    pages = [str(place.get("landing_page_url") or "") for place in places]
    return {
        "title": value.get("title") or value.get("display_name"),
        "abstract_inverted_index": value.get("abstract_inverted_index"),
        "abstract": value.get("abstract"),
        "authors": [
            named
            for one in _list(value.get("authorships"))
            if (
                named := _object(_object(one).get("author")).get("display_name")
                or _object(one).get("raw_author_name")
            )
        ],
        "year": value.get("publication_year") or value.get("publication_date"),
        "venue": source.get("display_name"),
        "doi": value.get("doi") or identifiers.get("doi"),
        "arxiv": next((page for page in pages if "arxiv.org/" in page), None),
        "openalex": value.get("id") or identifiers.get("openalex"),
        "pmid": str(identifiers.get("pmid") or "").rpartition("/")[2],
        "pmc": _pmc(identifiers.get("pmcid")),
        "url": primary.get("landing_page_url") or value.get("doi") or value.get("id"),
        "categories": [
            name for part in ("field", "subfield") if (name := _object(topic.get(part)).get("display_name"))
        ],
        "tags": [named for one in _list(value.get("keywords")) if (named := _object(one).get("display_name"))],
        "notices": ["retracted: so says OpenAlex"] if value.get("is_retracted") is True else [],
        "details": _openalex_details(value, source),
    }


def _openalex_details(value: Object, source: Object) -> Object:
    printed = _object(value.get("biblio"))
    kind = str(value.get("type_crossref") or value.get("type") or "")
    where = {"conference": "paper-conference", "repository": "preprint", "book series": "chapter"}.get(
        str(source.get("type")), ""
    )
    plain = entry_type(kind) in ("", "article-journal")
    return {
        "type": entry_type((where if plain and where else kind) or "article"),
        "volume": printed.get("volume"),
        "issue": printed.get("issue"),
        "page": page_range(str(printed.get("first_page") or ""), str(printed.get("last_page") or "")),
        "publisher": source.get("host_organization_name") or source.get("publisher"),
        "ISSN": source.get("issn") or source.get("issn_l"),
        "language": value.get("language"),
        "date": value.get("publication_date"),
    }


# --- Semantic Scholar -----------------------------------------------------------------------------------------------


def _is_semantic_scholar(value: Object) -> bool:
    known = {
        "externalIds",
        "externalids",
        "corpusId",
        "corpusid",
        "s2FieldsOfStudy",
        "publicationVenue",
        "citationCount",
    }
    return bool(known & set(value)) and bool({"paperId", "corpusId", "corpusid"} & set(value))


def _semantic_scholar(value: Object) -> Object:
    external = {
        str(key).lower(): part for key, part in _object(value.get("externalIds") or value.get("externalids")).items()
    }
    fields_ = value.get("fieldsOfStudy") or [
        _object(one).get("category") for one in _list(value.get("s2FieldsOfStudy") or value.get("s2fieldsofstudy"))
    ]
    journal = value.get("journal")
    return {
        "title": value.get("title"),
        "abstract": value.get("abstract"),
        "authors": value.get("authors"),
        "year": value.get("year") or value.get("publicationDate"),
        "venue": _object(journal).get("name")
        or value.get("venue")
        or _object(value.get("publicationVenue")).get("name"),
        "doi": external.get("doi"),
        "arxiv": external.get("arxiv"),
        "pmid": external.get("pubmed"),
        "pmc": _pmc(external.get("pubmedcentral")),
        "acl": external.get("acl"),
        "dblp": external.get("dblp"),
        "s2id": value.get("paperId"),
        "corpusid": value.get("corpusId") or value.get("corpusid") or external.get("corpusid"),
        "url": value.get("url"),
        "categories": list(dict.fromkeys(one for one in _list(fields_) if isinstance(one, str))),
        "worktype": " ".join(one for one in _list(value.get("publicationTypes")) if isinstance(one, str)),
        "details": {
            "type": _semantic_scholar_type(_words(value.get("publicationTypes"))),
            "volume": _object(journal).get("volume"),
            "page": " ".join(str(_object(journal).get("pages") or "").split()),
            "ISSN": _object(value.get("publicationVenue")).get("issn"),
            "date": value.get("publicationDate"),
        },
    }


def _semantic_scholar_type(kinds: Sequence[str]) -> str:
    """It gives several; where a conference's or a book's is among them, that one says where the paper stands."""
    for name, kind in (
        ("Conference", "paper-conference"),
        ("BookSection", "chapter"),
        ("Book", "book"),
        ("Dataset", "dataset"),
        ("JournalArticle", "article-journal"),
    ):
        if name in kinds:
            return kind
    return ""


# --- Crossref -------------------------------------------------------------------------------------------------------


def _is_crossref(value: Object) -> bool:
    return "DOI" in value and isinstance(value.get("title"), list) and ("URL" in value or "publisher" in value)


def _crossref(value: Object) -> Object:
    subtitle = " ".join(_words(value.get("subtitle")))
    title = " ".join(_words(value.get("title"))[:1])
    joined = title if not subtitle or subtitle.lower() in title.lower() else f"{title}: {subtitle}"
    return {
        "title": markup_removed(joined),
        "abstract": markup_removed(str(value.get("abstract") or "")),
        "authors": [_crossref_name(one) for one in _list(value.get("author"))],
        "year": value.get("issued") or value.get("published") or value.get("published-print") or value.get("created"),
        "venue": html.unescape(next(iter(_words(value.get("container-title"))), "")),
        "doi": value.get("DOI"),
        "url": value.get("URL"),
        "categories": _words(value.get("subject")),
        "notices": _crossref_notices(value),
        "details": _crossref_details(value),
    }


def _crossref_details(value: Object) -> Object:
    event, issue = _object(value.get("event")), _object(value.get("journal-issue"))
    institution = _object(next(iter(_list(value.get("institution"))), None)).get("name")
    titles = _words(value.get("container-title"))
    return {
        "type": entry_type(str(value.get("type") or "")),
        "genre": next(iter(_words(value.get("degree"))), ""),
        "volume": value.get("volume"),
        "issue": value.get("issue") or issue.get("issue"),
        "page": value.get("page") or value.get("article-number"),
        "publisher": value.get("publisher") or institution,
        "publisher-place": value.get("publisher-location"),
        "edition": value.get("edition-number"),
        "editor": [_crossref_name(one) for one in _list(value.get("editor"))],
        "ISSN": value.get("ISSN"),
        "ISBN": value.get("ISBN"),
        "container-title-short": html.unescape(next(iter(_words(value.get("short-container-title"))), "")),
        "collection-title": html.unescape(titles[1])
        if len(titles) > 1 and value.get("type") != "journal-article"
        else "",
        "event-title": event.get("name"),
        "event-place": event.get("location"),
        "language": value.get("language"),
        "date": value.get("issued") or value.get("published"),
    }


def _crossref_name(one: Any) -> Object:
    author = _object(one)
    return author if author.get("family") else {"name": author.get("name") or author.get("given")}


def _crossref_notices(value: Object) -> list[str]:
    """What updated this work, and what it updates itself: a retraction is a work of its own there."""
    notices = []
    for update in _list(value.get("updated-by")):
        kind = _UPDATES.get(str(_object(update).get("type")).lower().replace("-", "_"))
        if kind:
            notices.append(f"{kind}: doi:{_object(update).get('DOI')}")
    for update in _list(value.get("update-to")):
        told = str(_object(update).get("type") or "update").replace("_", " ").replace("-", " ")
        notices.append(f"is the {told} of doi:{_object(update).get('DOI')}")
    return notices


def markup_removed(text: str) -> str:
    """`text` without the JATS that Crossref and publishers' files wrap it in; sections become paragraphs."""
    if "<" not in text and "&" not in text:
        return text.strip()
    text = _RAISED.sub(lambda match: raised(match.group(1)), _JATS_HEADING.sub(_heading, text))
    text = html.unescape(_JATS_TAG.sub("", _JATS_BREAK.sub("\n\n", text)))
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    return "\n\n".join(part for part in paragraphs if part)


def _heading(match: re.Match[str]) -> str:
    title = match.group(1).strip().rstrip(":.")
    return "\n\n" if title.lower() in {"abstract", "summary", ""} else f"\n\n{title}: "


# --- CSL-JSON, Better BibTeX's and Zotero's own ---------------------------------------------------------------------


def _is_csl(value: Object) -> bool:
    people = _list(value.get("author")) or _list(value.get("editor"))
    named = bool(people) and bool({"family", "literal", "given"} & set(_object(people[0])))
    dated = isinstance(_object(value.get("issued")).get("date-parts"), list)
    bare = (
        value.get("type") in ENTRY_TYPES and "id" in value and set(value) <= _CSL_NAMES
    )  # nobody wrote it, and never
    return isinstance(value.get("title"), str) and (named or dated or bare) and ("type" in value or "id" in value)


_CSL_NAMES: Final = DETAIL_NAMES | {
    "id", "citation-key", "title", "abstract", "container-title", "DOI", "URL", "archive", "archive_location", "keyword",
    "categories", "custom",
}  # fmt: skip


def _csl(value: Object) -> Object:
    noted = {match.group(1).lower(): match.group(2) for match in _EXTRA.finditer(str(value.get("note") or ""))}
    key = str(value.get("citation-key") or value.get("id") or "")
    return {
        "title": re.sub(r"</?span[^<>]{0,100}>", "", str(value.get("title"))),
        "abstract": markup_removed(str(value.get("abstract") or "")),
        "authors": [_csl_name(one) for one in _list(value.get("author"))],
        "year": value.get("issued") or value.get("original-date"),
        "venue": value.get("container-title") or value.get("event-title") or value.get("event"),
        "doi": value.get("DOI") or noted.get("doi"),
        "arxiv": noted.get("arxiv")
        or (value.get("number") if "arxiv" in str(value.get("publisher")).lower() else None),
        "pmid": value.get("PMID") or noted.get("pmid"),
        "pmc": _pmc(value.get("PMCID") or noted.get("pmcid")),
        "url": value.get("URL"),
        "tags": value.get("keyword"),
        "categories": value.get("categories"),
        "citekey": key if re.match(r"^[^\W\d_][^\s/,{}\\]*$", key) else None,
        "id": key,
        "keys": [key.rpartition("/")[2]] if "zotero.org/" in key else [],
        "worktype": str(value.get("status") or ""),
        "details": _csl_details(value),
        "noted": str(value.get("note") or "").split("\n"),
    }


def _csl_details(value: Object) -> Object:
    names = DETAIL_NAMES - {"editor", "month", "day", "note", "PMID", "PMCID"}
    given = {name: part for name in names if isinstance(part := value.get(name), str | int | float | list)}
    if "arxiv" in str(value.get("number")).lower() and str(value.get("publisher")).lower() == "arxiv":
        given = {
            name: part for name, part in given.items() if name not in ("number", "publisher")
        }  # arXiv's id, told so
    people = _list(value.get("editor")) or _list(value.get("container-author"))
    return {
        **given,
        "type": entry_type(str(value.get("type") or ""), csl=True),
        "container-title-short": value.get("container-title-short") or value.get("journalAbbreviation"),
        "event-title": value.get("event-title") or (value.get("event") if value.get("container-title") else ""),
        "editor": [_csl_name(one) for one in people],
        "page": value.get("page") or value.get("page-first"),
        "date": value.get("issued"),
    }


def _csl_name(one: Any) -> Object:
    author = _object(one)
    particles = [str(author.get(part) or "") for part in ("dropping-particle", "non-dropping-particle")]
    family = " ".join(part for part in (*particles, str(author.get("family") or "")) if part)
    if not author.get("family"):
        return {"name": author.get("literal") or author.get("given")}
    given = str(author.get("given") or "")
    suffix = str(author.get("suffix") or "")
    return {"name": " ".join(part for part in (given, family, suffix) if part)}


def _is_zotero(value: Object) -> bool:
    return "itemType" in value and ("creators" in value or "abstractNote" in value)


def _zotero(value: Object) -> Object:
    noted = {match.group(1).lower(): match.group(2) for match in _EXTRA.finditer(str(value.get("extra") or ""))}
    creators = [_object(one) for one in _list(value.get("creators"))]
    people = [one for one in creators if one.get("creatorType") in {None, "author"}] or creators
    key = value.get("key") or value.get("itemKey")
    return {
        "title": value.get("title"),
        "abstract": value.get("abstractNote"),
        "authors": [{"family": one.get("lastName"), "given": one.get("firstName"), "name": one.get("name")} for one in people],
        "year": value.get("date"),
        "venue": value.get("publicationTitle") or value.get("proceedingsTitle") or value.get("bookTitle")
        or value.get("conferenceName") or value.get("repository"),
        "doi": value.get("DOI") or noted.get("doi"),
        "arxiv": value.get("archiveID") or noted.get("arxiv"),
        "pmid": noted.get("pmid"),
        "pmc": _pmc(noted.get("pmcid")),
        "url": value.get("url"),
        "tags": [_object(tag).get("tag") for tag in _list(value.get("tags"))],
        "citekey": value.get("citationKey") or value.get("citekey"),
        "keys": [key] if isinstance(key, str) else [],
        "details": zotero_details(value),
        "noted": [*_zotero_notes(value.get("notes")), *str(value.get("extra") or "").split("\n")],
    }  # fmt: skip


def zotero_details(value: Object) -> dict[str, Any]:
    """The details of an item of Zotero's, whose fields have a name of their own for each type of work."""
    kind = entry_type(str(value.get("itemType") or value.get("typeName") or ""))
    people = [_object(one) for one in _list(value.get("creators"))]
    proceedings = value.get("proceedingsTitle") or value.get("publicationTitle")
    return {
        "type": kind,
        "genre": value.get("thesisType")
        or value.get("reportType")
        or value.get("manuscriptType")
        or value.get("genre"),
        "volume": value.get("volume"),
        "issue": value.get("issue"),
        "page": value.get("pages"),
        "number": value.get("reportNumber") or value.get("patentNumber") or value.get("number"),
        "number-of-pages": value.get("numPages"),
        "edition": value.get("edition"),
        "publisher": value.get("publisher") or value.get("university") or value.get("institution"),
        "publisher-place": value.get("place"),
        "editor": [
            {"family": one.get("lastName"), "given": one.get("firstName"), "name": one.get("name")}
            for one in people
            if one.get("creatorType") == "editor"
        ],
        "ISSN": value.get("ISSN"),
        "ISBN": value.get("ISBN"),
        "collection-title": value.get("series") or value.get("seriesTitle"),
        "collection-number": value.get("seriesNumber"),
        "container-title-short": value.get("journalAbbreviation"),
        "event-title": value.get("conferenceName") if proceedings else "",
        "language": value.get("language"),
        "date": value.get("date"),
    }


def _zotero_notes(notes: Any) -> list[str]:
    texts = [str(_object(one).get("note") or "") if isinstance(one, Mapping) else str(one) for one in _list(notes)]
    return [line for text in texts for line in markup_removed(text).split("\n")]


# --- arXiv's snapshot, Hugging Face papers --------------------------------------------------------------------------


def _is_arxiv(value: Object) -> bool:
    return isinstance(value.get("authors_parsed"), list) or ("categories" in value and "submitter" in value)


def _arxiv(value: Object) -> Object:
    first = _object(next(iter(_list(value.get("versions"))), None))
    withdrawn = re.search(r"\bwithdrawn\b", str(value.get("comments") or ""), re.IGNORECASE)
    return {
        "title": value.get("title"),
        "abstract": unwrapped(str(value.get("abstract") or "")),
        "authors": value.get("authors_parsed") or value.get("authors"),
        "year": first.get("created") or value.get("update_date"),
        "venue": value.get("journal-ref"),
        "doi": str(value.get("doi") or "").split(" ")[0],
        "arxiv": value.get("id"),
        "url": f"https://arxiv.org/abs/{value.get('id')}",
        "categories": str(value.get("categories") or "").split(),
        "notices": ["withdrawn: so says its comment on arXiv"] if withdrawn else [],
        "details": {"date": first.get("created")},
    }


def _is_hugging_face(value: Object) -> bool:
    return bool(_ARXIV_ID.match(str(value.get("id")))) and bool(
        {"upvotes", "publishedAt", "ai_keywords"} & set(value)
    )


def _hugging_face(value: Object) -> Object:
    return {
        "title": value.get("title"),
        "abstract": unwrapped(str(value.get("summary") or value.get("abstract") or "")),
        "authors": [named for one in _list(value.get("authors")) if (named := _object(one).get("name"))],
        "year": value.get("publishedAt"),
        "arxiv": value.get("id"),
        "url": f"https://huggingface.co/papers/{value.get('id')}",
        "tags": value.get("ai_keywords"),
        "details": {"date": value.get("publishedAt")},
    }


# --- small parts ----------------------------------------------------------------------------------------------------


def _object(value: Any) -> Object:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _words(value: Any) -> list[str]:
    return [part for part in ([value] if isinstance(value, str) else _list(value)) if isinstance(part, str)]


def _pmc(value: Any) -> str:
    digits = str(value or "").rstrip("/").rpartition("/")[2].upper().removeprefix("PMC")
    return f"PMC{digits}" if digits.isdigit() else ""


_SHAPES: Final[tuple[tuple[str, Callable[[Object], bool], Callable[[Object], Object]], ...]] = (
    ("openalex", _is_openalex, _openalex),
    ("semantic-scholar", _is_semantic_scholar, _semantic_scholar),
    ("crossref", _is_crossref, _crossref),
    ("arxiv", _is_arxiv, _arxiv),
    ("huggingface", _is_hugging_face, _hugging_face),
    ("zotero", _is_zotero, _zotero),
    ("csl", _is_csl, _csl),
)
