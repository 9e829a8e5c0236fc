"""What the Evals tab's script asks the server for."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from assistant.errors import NotInLibrary
from assistant.papers import Span
from ui.chat import panel
from ui.runs import views
from ui.services import Services
from ui.tabs.replies import Told

FOLDER: Final = "runs"  # within the library's
Name = Annotated[str, Query(min_length=1, max_length=300)]


def routes(services: Services) -> APIRouter:
    """The tab's part of the server."""
    router = APIRouter(prefix="/evals", route_class=Told, include_in_schema=False)
    folder = services.library.path / FOLDER

    def recorded() -> Any:
        return services.hook("runs")(folder)

    @router.get("/runs")
    def runs(chosen: Annotated[str, Query(max_length=300)] = "") -> JSONResponse:
        """The recorded runs, latest first, and the command that makes one."""
        found = recorded().runs()
        command = f"ibid eval run --library {services.library.path} --out {folder}/NAME"
        names = [run["name"] for run in found]
        return JSONResponse({"names": names, "html": views.listed(found, chosen), "command": command})

    @router.get("/run")
    def run(name: Name) -> JSONResponse:
        """A run with its cases."""
        shelf = recorded()
        every = shelf.runs()
        told = next((one for one in every if one["name"] == name), None)
        if told is None:
            raise NotInLibrary(f"no recorded run {name!r}")
        others = [one["name"] for one in every if one["name"] != name]
        return JSONResponse({"html": views.run(told, shelf.cases(name), others)})

    @router.get("/case")
    def case(name: Name, case: Name) -> JSONResponse:
        """A case with its answer."""
        return JSONResponse({"html": views.case(recorded().case(name, case))})

    @router.get("/source")
    def source(name: Name, paper: Name, start: int = 0, end: int = 0) -> JSONResponse:
        """A paper of a run, with the span that an answer cites marked."""
        found = recorded().paper(name, paper)
        return JSONResponse({"html": panel.paper(found, Span(start, end) if end > start >= 0 else None)})

    @router.get("/compare")
    def compare(before: Name, after: Name) -> JSONResponse:
        """What changed between two runs."""
        return JSONResponse({"html": views.comparison(recorded().compare(before, after), before, after)})

    return router
