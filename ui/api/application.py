"""Puts the HTTP routes into a FastAPI application, before the page takes every other address."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response
from starlette.routing import Match, Route

from ui.api import asking, completions, errors, login, papers
from ui.api.access import Access
from ui.api.errors import Refusal
from ui.api.limits import Limits, Places
from ui.api.metrics import CONTENT_TYPE, Metrics
from ui.api.models import Health
from ui.api.replies import FAILURES
from ui.api.serving import Served, Serving
from ui.api.threads import Threads

if TYPE_CHECKING:
    from ui.services import Services

_SUMMARY: Final = "Answers from a library of paper abstracts; every sentence points at the characters it rests on."
router = APIRouter(tags=["server"])


def threads() -> int:
    """How many pieces of CPU-bound work go on at once: a few more than cores, as part of each waits for the disk."""
    return max(4, 2 * (os.cpu_count() or 1))


def new(serving: Serving) -> FastAPI:
    """The application with every route for programs; the page is mounted behind them."""
    app = FastAPI(
        title="Ibid",
        summary=_SUMMARY,
        version=_version(),
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        lifespan=_lifespan,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    app.state.serving = serving
    for part in (*_PARTS, login.router):
        app.include_router(part)
    for path in ("/v1/{rest:path}", "/health", "/metrics"):
        app.add_api_route(path, _unknown, methods=_METHODS, include_in_schema=False)
    errors.install(app)
    return app


def serving(services: Services, access: Access, limits: Limits) -> Serving:
    """What the routes work with, new."""
    places = Places(limits.answers, limits.answers_each)
    return Serving(services, access, limits, Metrics(services.papers), places, Threads())


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Answers' CPU-bound work shares a bounded pool: it takes its turn, and a stream that waits holds no thread."""
    pool = ThreadPoolExecutor(threads(), thread_name_prefix="ibid")
    asyncio.get_running_loop().set_default_executor(pool)
    yield
    app.state.serving.adding.shutdown(wait=True, cancel_futures=True)


@router.get("/health", responses={503: FAILURES[503]})
async def health(serving: Served) -> Health:
    """Whether the library can be read; asked without a key."""
    return Health(status="ok", papers=await asyncio.to_thread(serving.library.count), version=_version())


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, 401: FAILURES[401]},
)
async def metrics(serving: Served) -> Response:
    """Counts for Prometheus."""
    return Response(await asyncio.to_thread(serving.metrics.text), media_type=CONTENT_TYPE)


_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


_PARTS: Final = (asking.router, papers.router, completions.router, router)


async def _unknown(request: Request) -> Response:
    """An address that there isn't, or not by this method: else the page would answer."""
    routes = [route for part in _PARTS for route in part.routes if isinstance(route, Route)]
    found = [route.methods or set() for route in routes if route.matches(request.scope)[0] is Match.PARTIAL]
    allowed = set().union(*found)
    if not allowed:
        raise Refusal(404, "not_found", f"nothing is served at {request.url.path!r:.200}; see /openapi.json")
    reply = errors.response(Refusal(405, "method_not_allowed", f"not by {request.method}"), request.url.path)
    reply.headers["Allow"] = ", ".join(sorted(allowed))
    return reply


def _version() -> str:
    from importlib import metadata

    return metadata.version("ibid-papers")
