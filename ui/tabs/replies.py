"""How the tabs' routes tell of what went wrong: one line of JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from assistant.errors import IbidError, LibraryLocked, NotInLibrary


class Told(APIRoute):
    """Our errors as `{"message"}`: 404 for what is not there, 409 while another writes, 400 for the others."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]  # as Starlette types it
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except NotInLibrary as error:
                return JSONResponse({"message": str(error)}, 404)
            except LibraryLocked as error:
                return JSONResponse({"message": str(error)}, 409)
            except IbidError as error:
                return JSONResponse({"message": str(error)}, 400)
            except RequestValidationError as error:
                return JSONResponse({"message": _first(error)}, 422)

        return handled


def _first(error: RequestValidationError) -> str:
    found = error.errors()[0]
    where = ".".join(str(part) for part in found["loc"][1:]) or "the request"
    return f"{where}: {found['msg'][:1].lower()}{found['msg'][1:]}"
