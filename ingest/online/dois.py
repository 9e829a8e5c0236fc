"""Papers by their DOIs, from Crossref or OpenAlex; where the first has no abstract the other is asked."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final, Literal
from urllib.parse import quote

from ingest.online.client import Client, Pace, Reply
from ingest.records import Record, Rejected
from ingest.sources import read

Registry = Literal["crossref", "openalex"]
ADDRESSES: Final[dict[Registry, str]] = {
    "crossref": "https://api.crossref.org/works/",
    "openalex": "https://api.openalex.org/works/doi:",
}
PACE: Final = Pace(interval_s=0.2)  # both ask for at most some requests a second
FRESH_S: Final = 30 * 24 * 3600.0


def look_up(
    registries: Iterable[tuple[Registry, str, Client]], dois: Iterable[str], contact: str | None
) -> Iterator[Record | Rejected]:
    """A record for each DOI, from the first registry that has it with an abstract. Raises SourceError."""
    asked = tuple(registries)
    for doi in dois:
        told: list[str] = []
        for registry, address, client in asked:
            params: dict[str, str | int] = {"mailto": contact} if contact else {}
            reply = client.get(f"{address}{quote(doi, safe='/')}", params, _wrong)
            if reply.status == 404:
                told.append(f"{registry} does not know it")
                continue
            item = _record(registry, doi, reply.body)
            if isinstance(item, Record):
                yield item
                break
            told.append(f"{registry}: {item.reason}")
        else:
            yield Rejected(doi, "; ".join(told))


def _record(registry: Registry, doi: str, body: bytes) -> Record | Rejected:
    work: dict[str, Any] = json.loads(body)
    work = work.get("message", work)
    line = json.dumps(work).encode() + b"\n"
    name = f"{registry}:{doi}"
    first = next(iter(read(io.BytesIO(line), name)), Rejected(doi, "nothing inside"))
    return replace(first, where=name, source=name) if isinstance(first, Record) else Rejected(doi, first.reason)


def _wrong(reply: Reply) -> str | None:
    kind = reply.headers.get("content-type", "")
    if "json" not in kind:
        return f"answered with {kind.partition(';')[0] or 'no type'!r} instead of JSON"
    try:
        told = json.loads(reply.body)
    except ValueError:
        return "sent JSON that breaks off"
    return None if isinstance(told, dict) else "sent JSON that is no work"
