"""`/v1/papers`: list, get, add, change, delete."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, File, Query, UploadFile

from assistant.editing import Changes
from assistant.filters import Filters
from ui.api.errors import Refusal
from ui.api.models import (
    ListedPaper,
    Name,
    NewPapers,
    PaperChanges,
    PaperOut,
    PaperPage,
    PassageSpan,
    Removed,
    Report,
    YearText,
)
from ui.api.replies import FAILURES
from ui.api.serving import Served, Serving
from ui.uploads import MOST_UNPACKED, safe, without_paths

if TYPE_CHECKING:
    from assistant.library import Library

router = APIRouter(prefix="/v1/papers", tags=["papers"])

_PIECE: Final = 1 << 20  # bytes copied at a time
_SENT: Final = "sent.jsonl"  # what papers that were sent one by one are called in reports and sources

_Filter = Annotated[list[Name] | None, Query(max_length=100)]


@router.get("", responses=FAILURES)
async def list_papers(
    serving: Served,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    year: Annotated[YearText | None, Query(examples=["2020-2024"])] = None,
    author: _Filter = None,
    venue: _Filter = None,
    category: _Filter = None,
    tag: _Filter = None,
    source: _Filter = None,
    note: _Filter = None,
    ids: _Filter = None,
) -> PaperPage:
    """Papers in the order in which they were added, a page at a time; filters as in `/v1/ask`, repeatable."""
    given = {"author": author, "venue": venue, "category": category, "tag": tag, "source": source}
    given |= {"note": note, "ids": ids}
    wanted: Mapping[str, Any] = {name: value for name, value in {"year": year, **given}.items() if value is not None}
    return await asyncio.to_thread(_page, serving, Filters.parse(wanted), offset, limit)


def _page(serving: Serving, filters: Filters, offset: int, limit: int) -> PaperPage:
    total = serving.library.count(filters)
    found = list(islice(serving.library.papers(filters), offset, offset + limit)) if offset < total else []
    following = offset + len(found)
    return PaperPage(
        papers=[ListedPaper.model_validate(paper) for paper in found],
        total=total,
        offset=offset,
        limit=limit,
        next=following if found and following < total else None,
    )


@router.get("/{reference:path}", responses=FAILURES)
async def get_paper(reference: str, serving: Served) -> PaperOut:
    """One paper, by id, DOI, arXiv id, citekey or exact title."""
    return await asyncio.to_thread(whole, serving.library, reference)


def whole(library: Library, reference: str) -> PaperOut:
    """A paper with its passages, names and provenance; raises NotInLibrary."""
    paper = library.paper(reference)
    return PaperOut(
        **ListedPaper.model_validate(paper).model_dump(),
        abstract=paper.abstract,
        passages=[PassageSpan.model_validate(passage) for passage in library.passages(paper.id)],
        citekeys=list(library.editions.citekeys(paper.id)),
        identifiers=list(library.editions.identifiers(paper.id)),
        provenance=library.editions.provenance(paper.id),
    )


@router.patch("/{reference:path}", responses=FAILURES)
async def change_paper(reference: str, body: PaperChanges, serving: Served) -> PaperOut:
    """Changes fields, tags and the note of a paper, as `ibid edit` does; gives it as it is then."""
    may_write(serving)
    edit, changes = serving.services.hook("edit"), body.changes()
    if changes != Changes():
        await serving.add(lambda: edit(serving.library, reference, changes))
    return await asyncio.to_thread(whole, serving.library, reference)


@router.delete("/{reference:path}", responses=FAILURES)
async def delete_paper(reference: str, serving: Served) -> Removed:
    """Removes a paper. Records of earlier answers keep the text that they quote."""
    may_write(serving)
    removed = await serving.add(lambda: serving.library.remove([reference]))
    return Removed(removed=removed, papers=await asyncio.to_thread(serving.library.count))


@router.post("", responses=FAILURES)
async def add_papers(body: NewPapers, serving: Served) -> Report:
    """Adds papers. One that is there already is left as it is, a changed one updated; the report says which."""
    may_write(serving)
    lines = "\n".join(json.dumps(paper.model_dump(exclude_defaults=True)) for paper in body.papers)
    with tempfile.TemporaryDirectory(prefix="ibid-") as folder:
        path = Path(folder) / _SENT
        path.write_text(lines + "\n", encoding="utf-8")
        return await ingested(serving, [path])


@router.post("/files", responses=FAILURES)
async def add_files(files: Annotated[list[UploadFile], File()], serving: Served) -> Report:
    """Adds the papers of files: BibTeX, JSON Lines, CSV, dumps of search pages and the others that `ibid add` reads."""
    may_write(serving)
    with tempfile.TemporaryDirectory(prefix="ibid-") as folder:
        paths = [await _kept(Path(folder) / str(number), file) for number, file in enumerate(files)]
        return await ingested(serving, paths)


async def _kept(folder: Path, file: UploadFile) -> Path:
    """The file under its own name, as far as that is one, in a folder of its own."""
    folder.mkdir()
    path = folder / safe(file.filename or "")
    with path.open("wb") as target:
        while piece := await file.read(_PIECE):
            await asyncio.to_thread(target.write, piece)
    return path


async def ingested(serving: Serving, paths: Sequence[Path]) -> Report:
    """Adds the files' papers by the `ingest` hook. Raises LibraryLocked when another process is writing."""
    add = serving.services.hook("ingest")
    report = await serving.add(lambda: add(serving.library, *paths, max_unpacked_bytes=MOST_UNPACKED))
    return Report.model_validate(without_paths(report.to_dict(), paths))


def may_write(serving: Serving) -> None:
    """Raises Refusal where the library is open for reading only."""
    if serving.library.read_only:
        raise Refusal(403, "read_only", "this library is open for reading only; nothing was changed")
