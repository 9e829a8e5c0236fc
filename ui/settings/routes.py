"""What the Settings tab's script asks the server for."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from assistant.calibration import store as calibrations
from assistant.errors import IbidError, SettingsError
from assistant.local_models import checking
from assistant.local_models import store as models
from ui.services import Services
from ui.settings import choosing, mending
from ui.settings.choosing import Choice
from ui.settings.mending import Cure, Doctor
from ui.settings.running import Running
from ui.tabs.replies import Told


class Wanted(BaseModel):
    cure: Cure


def routes(services: Services) -> APIRouter:
    """The tab's part of the server."""
    router = APIRouter(prefix="/settings", route_class=Told, include_in_schema=False)
    _answering(router, services)
    _health(router, services)
    return router


def _answering(router: APIRouter, services: Services) -> None:
    running = services.assistant

    @router.get("/now")
    def now(request: Request) -> JSONResponse:
        """What answers are made by; of a key only whether there is one."""
        why = _fixed(services, request)
        if not isinstance(running, Running):
            return JSONResponse({"fixed": why})
        settings = running.settings
        return JSONResponse(
            {
                **choosing.shown(settings),
                "fixed": why,
                "models": [model.name for model in models.installed(settings.models_path())],
                "calibrated": _calibrated(services),
                "variables": choosing.variables(settings),
            }
        )

    @router.post("/use")
    def use(choice: Choice, request: Request) -> JSONResponse:
        """Answers by these settings from now on, until the server stops."""
        if why := _fixed(services, request):
            raise SettingsError(why)
        if not isinstance(running, Running):  # pragma: no cover  # `_fixed` said so
            raise SettingsError("this assistant's settings are fixed")
        try:
            running.use(choosing.chosen(choice, running.settings, running.started))
        except IbidError as error:
            raise SettingsError(_without(str(error), choice.key.get_secret_value())) from None
        return now(request)


def _fixed(services: Services, request: Request) -> str:
    """Why settings cannot be changed here; empty when they can."""
    if services.user(request) is not None:
        return "Several people use this server; its settings are given where it is started."
    if not isinstance(services.assistant, Running):
        return "This server's assistant was given to it ready-made; its settings cannot be changed here."
    return ""


def _without(message: str, key: str) -> str:
    return message.replace(key, "…") if key.strip() else message


def _calibrated(services: Services) -> str:
    found = calibrations.stored(services.library)
    if found is None:
        return ""
    return f"Calibrated on {found.questions:,} questions made from these papers, on {found.made_at[:10]}."


def _health(router: APIRouter, services: Services) -> None:
    doctor = Doctor(services.library)

    @router.get("/health")
    def health(request: Request) -> JSONResponse:
        """The doctor's findings; takes seconds for a large library."""
        checks = services.library.doctor()
        if isinstance(services.assistant, Running):
            local = checking.finding(services.assistant.settings)
            checks = (*checks, local) if local is not None else checks
        may = not services.library.read_only and services.user(request) is None
        return JSONResponse({"html": mending.findings(checks, may=may), "mending": _told(doctor)})

    @router.get("/mending")
    def now() -> JSONResponse:
        """How the latest cure goes."""
        return JSONResponse({"mending": _told(doctor)})

    @router.post("/mend")
    def mend(wanted: Wanted, request: Request) -> JSONResponse:
        """Starts a cure."""
        if services.user(request) is not None:
            raise SettingsError("several people use this server; mend the library where it is started: ibid doctor")
        return JSONResponse({"mending": asdict(doctor.begin(wanted.cure))}, 202)


def _told(doctor: Doctor) -> dict[str, Any] | None:
    return asdict(doctor.latest) if doctor.latest else None
