"""`/login` and `/logout`, for browsers."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ui.api.access import COOKIE, SESSION_S, Who
from ui.api.serving import Served

router = APIRouter(include_in_schema=False)

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ibid: log in</title><style>
:root {{ color-scheme: light dark; --ink: #1c1917; --paper: #faf9f7; --line: #d6d3d1; --mark: #0f766e; --wrong: #b91c1c }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #f5f5f4; --paper: #1c1917; --line: #57534e; --mark: #2dd4bf; --wrong: #fca5a5 }} }}
body {{ background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; margin: 0;
  min-height: 100vh; display: grid; place-items: center }}
form {{ width: min(20rem, calc(100vw - 3rem)); display: grid; gap: .9rem }}
h1 {{ font-size: 2rem; letter-spacing: -.02em; margin: 0 }} h1 span {{ color: var(--mark) }}
label {{ display: grid; gap: .25rem; font-size: .9rem }}
input {{ font: inherit; padding: .55rem .7rem; border: 1px solid var(--line); border-radius: .5rem;
  background: transparent; color: inherit }}
input:focus-visible, button:focus-visible {{ outline: 2px solid var(--mark); outline-offset: 2px }}
button {{ font: inherit; font-weight: 600; padding: .6rem; border: 0; border-radius: .5rem;
  background: var(--mark); color: var(--paper); cursor: pointer }}
p {{ margin: 0; color: var(--wrong) }}
</style></head><body><form method="post" action="/login"><h1>Ibid<span>.</span></h1>
{wrong}{fields}<button>Log in</button></form></body></html>
"""
_NAME: Final = '<label>Name<input name="name" autocomplete="username" autofocus required></label>'
_PASSWORD: Final = """<label>{label}<input name="password" type="password"
 autocomplete="current-password" required{focus}></label>"""


@router.get("/login")
async def page(serving: Served) -> Response:
    """Where a browser says who asks."""
    if serving.access.open:
        return RedirectResponse("/", 303)
    return _page(serving.access.named)


@router.post("/login")
async def login(
    request: Request, serving: Served, password: Annotated[str, Form()] = "", name: Annotated[str, Form()] = ""
) -> Response:
    """Gives the cookie that the page is then served for."""
    who = await asyncio.to_thread(_who, serving, name.strip(), password)
    if who is None:
        return _page(serving.access.named, wrong=True)
    reply = RedirectResponse("/", 303)
    secure = request.url.scheme == "https"
    reply.set_cookie(
        COOKIE, serving.access.cookie(who), max_age=SESSION_S, httponly=True, samesite="strict", secure=secure
    )
    return reply


@router.get("/logout")
async def logout() -> Response:
    """Takes the cookie away."""
    reply = RedirectResponse("/login", 303)
    reply.delete_cookie(COOKIE)
    return reply


def _who(serving: Served, name: str, password: str) -> Who | None:
    access = serving.access
    return access.login(name, password) or access.bearer(password)


def _page(named: bool, *, wrong: bool = False) -> Response:
    fields = _NAME if named else ""
    fields += _PASSWORD.format(label="Password" if named else "Token", focus="" if named else " autofocus")
    told = '<p role="alert">That is not right; try again.</p>' if wrong else ""
    return HTMLResponse(_PAGE.format(wrong=told, fields=fields), status_code=401 if wrong else 200)
