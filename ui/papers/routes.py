"""What the Papers tab's script asks the server for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, File, Query, Request, UploadFile
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, field_validator

from assistant.editing import Changes, EditField, written
from assistant.errors import InputError, LibraryError, NotInLibrary
from assistant.papers import DetailName, Hit
from assistant.storage.shelf import MOST, Order, Wanted
from ui import standing
from ui.papers import sources, views
from ui.papers.adding import Adding
from ui.papers.atlas import Atlas, Atlases
from ui.papers.known import NOTE_CHARACTERS, known
from ui.services import Services
from ui.tabs.replies import Told

if TYPE_CHECKING:
    from assistant.library import Library

_SIMILAR: Final = 6
_PASSAGES: Final = 40  # looked at for similar papers
_MOST_REMOVED: Final = 500

Id = Annotated[str, Field(max_length=300)]
Line = Annotated[str, Field(max_length=2000)]


class Typed(BaseModel):
    """A paper as it was typed in; authors and tags are apart by commas, semicolons or lines."""

    title: Annotated[str, Field(min_length=1, max_length=2000)]
    abstract: Annotated[str, Field(max_length=100_000)] = ""
    authors: Annotated[str, Field(max_length=20_000)] = ""
    year: Annotated[int, Field(ge=1000, le=2999)] | None = None
    venue: Line = ""
    doi: Line = ""
    arxiv_id: Line = ""
    url: Line = ""
    tags: Line = ""

    @field_validator("title")
    @classmethod
    def _has_words(cls, title: str) -> str:
        if not title.strip():
            raise ValueError("a paper needs a title")
        return title.strip()

    def fields(self) -> dict[str, Any]:
        """As a line of JSON Lines."""
        given: dict[str, Any] = self.model_dump()
        for name, signs in (("authors", ";\n"), ("tags", ",;\n")):
            given[name] = _parts(given[name], signs)
        return {name: value for name, value in given.items() if value not in ("", None, [])}


def _parts(text: str, signs: str) -> list[str]:
    """What stands between any of the signs; between commas where there is none of them."""
    parts = [text]
    for sign in signs if any(sign in text for sign in signs) else ",":
        parts = [piece for part in parts for piece in part.split(sign)]
    return [part.strip() for part in parts if part.strip()]


class Correction(BaseModel):
    """One change to a paper: a field that is set (blank empties it) or given back, a tag given or taken away, the note."""

    paper: Id
    field: EditField | DetailName | None = None
    text: Annotated[str, Field(max_length=NOTE_CHARACTERS)] = ""
    back: bool = False  # the field as its sources have it
    tag: Annotated[str, Field(max_length=2000)] = ""
    untag: Annotated[str, Field(max_length=2000)] = ""

    def changes(self) -> Changes:
        """Raises InputError for what cannot be a field."""
        if self.tag.strip() or self.untag:
            tags = tuple(dict.fromkeys(tag.strip() for tag in self.tag.split(",") if tag.strip()))
            return Changes(tags=tags, untags=(self.untag,) if self.untag else ())
        if self.field is None:
            raise InputError("say what to change: a field, a tag or the note")
        if self.back:
            return Changes(reset=(self.field,))
        if self.field == "authors":
            return Changes(written({"authors": [name for name in re.split(r"[;\n]", self.text) if name.strip()]}))
        return Changes(written({self.field: self.text}))


class Source(BaseModel):
    source: Annotated[str, Field(min_length=1, max_length=4000)]


class Syncing(Source):
    """A source to sync with: with `dry` only to tell what would change, with `prune` also what would go."""

    dry: bool = True
    prune: bool = False


class Chosen(BaseModel):
    ids: Annotated[list[Id], Field(min_length=1, max_length=_MOST_REMOVED)]


def routes(services: Services) -> APIRouter:
    """The tab's part of the server."""
    router = APIRouter(prefix="/papers", route_class=Told, include_in_schema=False)
    adding, atlases = Adding(services), Atlases(services.library)
    _looking(router, services, adding, atlases)
    _changing(router, services, adding, atlases)
    _syncing(router, services, adding)
    return router


def _looking(router: APIRouter, services: Services, adding: Adding, atlases: Atlases) -> None:
    library = services.library

    @router.get("/state")
    def state() -> JSONResponse:
        """What an open page keeps up with."""
        work = adding.latest.told() if adding.latest else None
        told = {"stamp": library.shelf.stamp(), "papers": library.count(), "read_only": library.read_only}
        return JSONResponse({**told, "work": work})

    @router.get("/page")
    def page(
        search: Annotated[str, Query(max_length=500)] = "",
        order: Order = "added",
        descending: bool = False,
        group: Annotated[int, Query(ge=0)] | None = None,
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    ) -> JSONResponse:
        """Rows of the table."""
        atlas = atlases.latest
        ids = None
        if group is not None:
            if atlas is None or group >= len(atlas.groups):
                raise InputError("the map was drawn anew; choose a group again")
            ids = atlas.of(group)
        found = library.shelf.page(Wanted(search, order, descending, ids), offset, limit)
        whole = library.papers_by_id([one.id for one in found.papers])
        rows = "".join(views.row(one, _hue(atlas, one.id), whole.get(one.id)) for one in found.papers)
        return JSONResponse({"html": rows, "total": found.total, "offset": found.offset, "count": len(found.papers)})

    @router.get("/one")
    def one(paper: Id) -> JSONResponse:
        """A paper with all that is known of it."""
        return JSONResponse({"html": _opened(library, paper)})

    @router.get("/similar")
    def similar(paper: Id) -> JSONResponse:
        """Papers that are near it on the whole."""
        return JSONResponse({"html": views.similar(_similar(services, paper))})

    @router.get("/map")
    def map_() -> JSONResponse:
        """The map, or that it is being drawn."""
        atlas, making = atlases.asked()
        if atlas is None:
            return JSONResponse({"state": "making" if making else "none"})
        return JSONResponse(_drawn(services, atlas))


def _opened(library: Library, paper: str) -> str:
    found = library.papers_by_id([paper]).get(paper)
    listed = library.shelf.page(Wanted(ids=[paper])).papers
    if found is None or not listed:
        raise NotInLibrary("this paper is no longer in the library")
    return views.opened(known(library, found, listed[0].added), library.passages(paper), library.read_only)


def _similar(services: Services, paper: str) -> tuple[Hit, ...]:
    """The papers with the passages nearest to the mean of the paper's own."""
    library = services.library
    ids, rows = library.shelf.mean_vectors([paper])
    if not ids:
        return ()
    near = library.dense(rows[0], _PASSAGES)
    passages = library.passages_by_id([passage for passage, _ in near])
    best: dict[str, tuple[float, str]] = {}
    for passage, score in near:
        if passage in passages and passages[passage].paper_id != paper:
            best.setdefault(passages[passage].paper_id, (score, passage))
    chosen = list(best.items())[:_SIMILAR]
    papers = library.papers_by_id([one for one, _ in chosen])
    return tuple(
        Hit(papers[one], score, rank, (passages[passage],))
        for rank, (one, (score, passage)) in enumerate(chosen, 1)
        if one in papers
    )


def _drawn(services: Services, atlas: Atlas) -> dict[str, Any]:
    papers = services.library.papers_by_id([point.paper for point in atlas.points])
    points = [
        {
            "paper": point.paper,
            "x": point.x,
            "y": point.y,
            "group": point.group,
            "title": papers[point.paper].title[:200],
            "year": papers[point.paper].year,
            "standing": standing.word(papers[point.paper]),
        }
        for point in atlas.points
        if point.paper in papers
    ]
    groups = [
        {"label": group.label, "papers": group.papers, "hue": hue(number, len(atlas.groups))}
        for number, group in enumerate(atlas.groups)
    ]
    every = sum(group.papers for group in atlas.groups)
    return {"state": "ready", "stamp": atlas.stamp, "groups": groups, "points": points, "papers": every}


def hue(group: int, groups: int) -> int:
    """Degrees on the colour circle; neighbours in number are far apart there."""
    step = 1 if groups < 5 else next(s for s in (5, 3, 7, 2, 1) if groups % s or s == 1)
    return (25 + group * step * 360 // max(groups, 1)) % 360


def _hue(atlas: Atlas | None, paper: str) -> str:
    if atlas is None or paper not in atlas.members:
        return ""
    return f"--hue:{hue(atlas.members[paper], len(atlas.groups))}"


def _changing(router: APIRouter, services: Services, adding: Adding, atlases: Atlases) -> None:
    library = services.library

    @router.post("/files")
    def files(files: Annotated[list[UploadFile], File(max_length=100)]) -> JSONResponse:
        """Starts to add the papers of files; `state` tells how it goes."""
        return JSONResponse(adding.files([(one.filename or "", one.file) for one in files]).told(), 202)

    @router.post("/add")
    def add(typed: Typed) -> JSONResponse:
        """Starts to add one paper."""
        return JSONResponse(adding.paper(typed.fields()).told(), 202)

    @router.post("/edit")
    def edit(wanted: Correction) -> JSONResponse:
        """The reader's own word on a paper, which is given as it is then."""
        adding.refuse_while_running()
        if library.read_only:
            raise LibraryError("this library is open for reading only; nothing was changed")
        before = library.shelf.stamp()
        services.hook("edit")(library, wanted.paper, wanted.changes())
        if wanted.field not in ("title", "year"):  # which the map shows
            atlases.unmoved(before)
        return JSONResponse({"html": _opened(library, wanted.paper)})

    @router.post("/remove")
    def remove(chosen: Chosen) -> JSONResponse:
        """Takes papers out of the library."""
        adding.refuse_while_running()
        removed = library.remove([one for one in chosen.ids if one in library.papers_by_id([one])])
        return JSONResponse({"removed": removed})


def _syncing(router: APIRouter, services: Services, adding: Adding) -> None:
    """Sources are files of the server's machine and services on the internet: only its own reader may have them read."""
    library = services.library

    def refuse(request: Request) -> None:
        if services.user(request) is not None:
            raise InputError("several people use this server; sync with sources where it is started: ibid sync")

    @router.get("/sources")
    def remembered(request: Request) -> JSONResponse:
        """What is remembered, and whether this page may sync with it."""
        if services.user(request) is not None or library.read_only:
            return JSONResponse({"html": "", "may": False})
        return JSONResponse({"html": sources.listed(library), "may": True})

    @router.post("/sync")
    def sync(wanted: Syncing, request: Request) -> JSONResponse:
        """Starts a sync, or the plan of one; `state` tells how it goes."""
        refuse(request)
        address = sources.chosen(library, wanted.source)
        begun = adding.sync(address, sources.named(address), prune=wanted.prune, dry=wanted.dry)
        return JSONResponse(begun.told(), 202)

    @router.post("/forget")
    def forget(wanted: Source, request: Request) -> JSONResponse:
        """Forgets a source; its papers stay."""
        refuse(request)
        adding.refuse_while_running()
        with library.writing("forgetting a source"):
            library.sources.forget(wanted.source)
        return JSONResponse({"forgotten": wanted.source})
