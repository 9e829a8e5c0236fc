"""An arXiv query: pages of Atom, newest first, three seconds apart as arXiv asks."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Final

from ingest.online.client import Client, Pace, Reply
from ingest.records import Record, Rejected
from ingest.sources import read

ADDRESS: Final = "https://export.arxiv.org/api/query"
PACE: Final = Pace(interval_s=3.0, retry_s=3.0)
FRESH_S: Final = 24 * 3600.0  # arXiv announces once a day
_PAGE: Final = 100
_TOTAL: Final = re.compile(rb"<opensearch:totalResults[^>]*>\s*(\d+)")


def query(client: Client, address: str, words: str, most: int) -> Iterator[Record | Rejected]:
    """Up to `most` papers that match `words`, in arXiv's query language. Raises SourceError."""
    start, total = 0, most
    while start < min(total, most):
        wanted = min(_PAGE, most - start)
        params: dict[str, str | int] = {"search_query": words, "start": start, "max_results": wanted}
        params |= {"sortBy": "submittedDate", "sortOrder": "descending"}
        reply = client.get(address, params, _wrong)
        found = _TOTAL.search(reply.body)
        total = int(found.group(1)) if found else 0
        if not total:
            return
        count = 0
        for item in read(io.BytesIO(reply.body), f"arxiv:{words}"):
            count += 1
            yield item
        if not count:
            return
        start += count


def _wrong(reply: Reply) -> str | None:
    """arXiv answers under load with a page, half a feed, or a feed that says nothing."""
    kind = reply.headers.get("content-type", "")
    if "xml" not in kind:
        return f"answered with {kind.partition(';')[0] or 'no type'!r} instead of Atom"
    if not reply.body.rstrip().endswith(b"</feed>"):
        return "sent a feed that breaks off"
    return None
