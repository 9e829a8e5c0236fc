"""A Zotero library: over its local API while Zotero runs, or out of its SQLite file, which is only ever read from a copy."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from assistant.errors import SourceError
from ingest.fields import record
from ingest.online.client import Client, Pace, Reply
from ingest.records import Record, Rejected
from ingest.sources.shapes import zotero_details

ADDRESS: Final = "http://127.0.0.1:23119/api"
OWN: Final = "users/0"  # the library of whoever runs Zotero
GROUPS: Final = "groups"  # all that they are in
FILE: Final = "zotero.sqlite"
PACE: Final = Pace(interval_s=0.0, retry_s=0.2)
HEADERS: Final = {"Zotero-API-Version": "3"}
_KEYS_FILE: Final = "better-bibtex.sqlite"
_PAGE: Final = 100
_NO_PAPERS: Final = frozenset(("attachment", "note", "annotation"))
_EXTRA: Final = re.compile(r"^\s*([A-Za-z][\w ]{1,30}?)\s*:\s*(\S.*?)\s*$", re.MULTILINE)
_VENUES: Final = (
    "publicationTitle", "proceedingsTitle", "bookTitle", "conferenceName", "repository", "university", "institution",
    "websiteTitle", "publisher",
)  # fmt: skip

# --- the local API ----------------------------------------------------------------------------------------------------


def groups(client: Client, address: str) -> list[str]:
    """Each group library of the user, as `groups/12345`. Raises SourceError when Zotero does not answer."""
    found = (item.get("id") for item in _pages(client, f"{address}/{OWN}/groups"))
    return [f"groups/{number}" for number in found if isinstance(number, int)]


def version(client: Client, address: str, library: str) -> str | None:
    """The library's version, which any change of it moves. Raises SourceError when Zotero does not answer."""
    reply = _asked(client, f"{address}/{library}/items", {"limit": 1})
    return reply.headers.get("last-modified-version")


def from_api(client: Client, address: str, library: str) -> Iterator[Record | Rejected]:
    """Every item of the user's own library or of a group's. Raises SourceError."""
    name = "zotero" if library == OWN else f"zotero:{library}"
    collections = {
        item["data"]["key"]: str(item["data"]["name"])
        for item in _pages(client, f"{address}/{library}/collections")
        if "name" in item.get("data", {})
    }
    for item in _pages(client, f"{address}/{library}/items"):
        data = item.get("data")
        if not isinstance(data, Mapping) or data.get("itemType") in _NO_PAPERS or data.get("deleted"):
            continue
        filed = [collections[key] for key in data.get("collections", ()) if key in collections]
        yield _item({**data, "collections": filed}, name)


def _pages(client: Client, url: str) -> Iterator[Mapping[str, Any]]:
    start = 0
    while True:
        reply = _asked(client, url, {"limit": _PAGE, "start": start, "format": "json"})
        items = json.loads(reply.body)
        yield from (item for item in items if isinstance(item, Mapping))
        start += len(items)
        total = reply.headers.get("total-results", "")
        if not items or start >= int(total if total.isdigit() else 0):
            return


def _asked(client: Client, url: str, params: Mapping[str, str | int]) -> Reply:
    try:
        reply = client.get(url, params, _wrong)
    except SourceError as error:
        raise SourceError(
            f"{error}; start Zotero and allow other applications to talk to it (Settings, Advanced), "
            f"or give the path of its {FILE}"
        ) from error
    if reply.status == 404:
        raise SourceError(f"Zotero knows nothing at {url!r}; is that its local API?")
    return reply


def _wrong(reply: Reply) -> str | None:
    try:
        told = json.loads(reply.body)
    except ValueError:
        return "sent JSON that breaks off"
    return None if isinstance(told, list) else "sent JSON that is no list of items"


# --- the SQLite file --------------------------------------------------------------------------------------------------

_ITEMS: Final = """
    SELECT i.itemID, i.key, t.typeName FROM items i JOIN itemTypes t ON t.itemTypeID = i.itemTypeID
    JOIN libraries l ON l.libraryID = i.libraryID
    WHERE t.typeName NOT IN ('attachment', 'note', 'annotation') AND l.type = 'user'
    AND i.itemID NOT IN (SELECT itemID FROM deletedItems) ORDER BY i.itemID
"""
_VALUES: Final = """
    SELECT d.itemID, f.fieldName, v.value FROM itemData d JOIN fields f ON f.fieldID = d.fieldID
    JOIN itemDataValues v ON v.valueID = d.valueID
"""
_CREATORS: Final = """
    SELECT ic.itemID, c.firstName, c.lastName, ct.creatorType FROM itemCreators ic
    JOIN creators c ON c.creatorID = ic.creatorID JOIN creatorTypes ct ON ct.creatorTypeID = ic.creatorTypeID
    ORDER BY ic.itemID, ic.orderIndex
"""
_TAGS: Final = (
    "SELECT it.itemID, t.name FROM itemTags it JOIN tags t ON t.tagID = it.tagID ORDER BY it.itemID, t.name"
)
_COLLECTIONS: Final = """
    SELECT ci.itemID, c.collectionName FROM collectionItems ci
    JOIN collections c ON c.collectionID = ci.collectionID ORDER BY ci.itemID, c.collectionName
"""
_RETRACTED: Final = "SELECT itemID, data FROM retractedItems"


def from_file(path: Path, name: str) -> Iterator[Record | Rejected]:
    """Every item of the user's own library in a `zotero.sqlite`. Raises SourceError for what is no such file."""
    try:
        with _copied(path) as connection:
            items = _items(connection)
    except sqlite3.DatabaseError as error:
        raise SourceError(f"{str(path)!r} is not a Zotero database that can be read: {error}") from error
    keys = _better_bibtex(path.with_name(_KEYS_FILE))
    for item in items:
        yield _item({"citationKey": keys.get(item["key"], ""), **item}, name)


def _items(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {
        number: {"key": key, "itemType": kind, "creators": [], "tags": [], "collections": []}
        for number, key, kind in connection.execute(_ITEMS)
    }
    for number, field, value in connection.execute(_VALUES):
        if number in found and value is not None:
            found[number][field] = str(value)
    for number, first, last, kind in connection.execute(_CREATORS):
        if number in found:
            found[number]["creators"].append({"creatorType": kind, "firstName": first, "lastName": last})
    for query, field in ((_TAGS, "tags"), (_COLLECTIONS, "collections")):
        for number, text in connection.execute(query):
            if number in found:
                found[number][field].append(text)
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'retractedItems'").fetchone():
        for number, data in connection.execute(_RETRACTED):
            if number in found:
                found[number]["retraction"] = data
    return list(found.values())


def _better_bibtex(path: Path) -> dict[str, str]:
    """Citekeys by item key, where Better BibTeX keeps a database of its own beside Zotero's."""
    if not path.is_file():
        return {}
    try:
        with _copied(path) as connection:
            rows = connection.execute("SELECT itemKey, citationKey FROM citationkey").fetchall()
    except sqlite3.DatabaseError:
        return {}  # another version's layout: Zotero's own fields are asked for the key then
    return {str(key): str(citekey) for key, citekey in rows if citekey}


@contextmanager
def _copied(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a private copy: Zotero holds its file locked, and an unfinished write is rolled back in the copy."""
    with tempfile.TemporaryDirectory(prefix="ibid-zotero-") as folder:
        copy = Path(folder) / path.name
        try:
            for suffix in ("", "-journal", "-wal"):
                part = path.with_name(path.name + suffix)
                if not suffix or part.exists():
                    shutil.copyfile(part, copy.with_name(copy.name + suffix))
        except OSError as error:
            raise SourceError(f"{str(path)!r} cannot be read: {error.strerror or error}") from error
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("PRAGMA query_only = ON")
            yield connection


# --- an item ----------------------------------------------------------------------------------------------------------


def _item(data: Mapping[str, Any], name: str) -> Record | Rejected:
    key = str(data.get("key", ""))
    extra = {label.lower().replace(" ", ""): value for label, value in _EXTRA.findall(str(data.get("extra") or ""))}
    archive = str(data.get("archiveID") or extra.get("arxiv") or "")
    creators = [who for who in data.get("creators", ()) if isinstance(who, Mapping)]
    authors = [who for who in creators if who.get("creatorType") == "author"] or creators
    fields = {
        "title": data.get("title"),
        "abstract": data.get("abstractNote"),
        "authors": [_author(who) for who in authors],
        "date": _date(str(data.get("date") or "")),
        "venue": next((data[field] for field in _VENUES if data.get(field)), ""),
        "doi": data.get("DOI") or extra.get("doi"),
        "arxivid": archive if "arxiv" in archive.lower() or not data.get("archiveID") else "",
        "url": data.get("url"),
        "pmid": extra.get("pmid"),
        "pmcid": extra.get("pmcid"),
        "categories": list(data.get("collections", ())),
        "tags": [tag.get("tag") if isinstance(tag, Mapping) else tag for tag in data.get("tags", ())],
        "citekey": data.get("citationKey") or extra.get("citationkey") or extra.get("bibtexkey"),
        "details": {**zotero_details(data), "date": _date(str(data.get("date") or ""))},
    }
    found = record(fields, f"{name}:{key}", name)
    if isinstance(found, Rejected):
        return found
    return replace(found, keys=(key,) if key else (), notices=found.notices or _notices(data.get("retraction")))


def _author(who: Mapping[str, Any]) -> str:
    parts = (who.get("firstName"), who.get("lastName") or who.get("name"))
    return " ".join(part for part in parts if part)


def _date(text: str) -> str:
    """Zotero stores `2020-03-00 March 2020`: the first half is the date, the second what was typed."""
    return text.split(" ", 1)[0] if re.match(r"^\d{4}-\d\d-\d\d ", text) else text


def _notices(data: object) -> tuple[str, ...]:
    """Zotero keeps Retraction Watch's entry as JSON."""
    if data is None:
        return ()
    try:
        told = json.loads(str(data))
    except ValueError:
        told = {}
    date = told.get("date") if isinstance(told, Mapping) else None
    reasons = told.get("reasons") if isinstance(told, Mapping) else None
    why = "; ".join(str(reason) for reason in reasons if isinstance(reason, str)) if isinstance(reasons, list) else ""
    return (f"Retracted{f' {date}' if date else ''}" + (f": {why}" if why else ""),)
