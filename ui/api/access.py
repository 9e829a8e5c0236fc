"""Who may ask: anyone at this machine, whoever knows the token, or the users of a file.

Programs send `Authorization: Bearer TOKEN`, or for a user `Basic` credentials or `Bearer NAME:PASSWORD` (OpenAI's
clients have one field for a key). Browsers get a cookie for it at `/login`: signed, not stored, so that it outlives a
restart of the server and dies with the password that it was given for.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers

from assistant.users import User

COOKIE: Final = "ibid_session"
SESSION_S: Final = 14 * 24 * 3600
_PROVEN_KEPT: Final = 256  # credentials that need no second scrypt


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who may ask; `user` is None where users have no names."""

    user: str | None = None


class Access:
    """Tells who sent a request. Without token and users anyone may ask."""

    def __init__(
        self, token: str | None = None, users: Mapping[str, User] | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self._token = token
        self._users = dict(users or {})
        self._now = now
        self._nobody = User("nobody", 2**14, 8, 1, secrets.token_bytes(16), bytes(32))
        self._salt = secrets.token_bytes(32)
        self._proven: OrderedDict[bytes, Who] = OrderedDict()

    @property
    def open(self) -> bool:
        """Whether anyone may ask."""
        return self._token is None and not self._users

    @property
    def named(self) -> bool:
        """Whether there are users."""
        return bool(self._users)

    def who(self, headers: Headers) -> Who | None:
        """Who sent a request with these headers, None for nobody who may ask. May take a hash's 50 ms."""
        if self.open:
            return Who()
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.bearer(given.strip())
        if scheme.lower() == "basic":
            return self.bearer(_decoded(given))
        return self._of_cookie(_cookie(headers.get("cookie", "")))

    def bearer(self, given: str) -> Who | None:
        """Whose key this is: the token's, or a `NAME:PASSWORD`."""
        if self._token is not None and _same(given, self._token):
            return Who()
        name, colon, password = given.partition(":")
        if not colon:
            return None
        if self._token is not None and _same(password, self._token):  # Basic credentials: any name, or none
            return Who()
        return self.login(name, password)

    def login(self, name: str, password: str) -> Who | None:
        """The user of this name and password; an unknown name takes as long as a wrong password."""
        if not self._users:
            return None
        proof = hmac.digest(self._salt, f"{name}\x00{password}".encode("utf-8", "surrogatepass"), "sha256")
        if proof in self._proven:
            self._proven.move_to_end(proof)
            return self._proven[proof]
        user = self._users.get(name)
        if not (user or self._nobody).has(password) or user is None:
            return None
        self._proven[proof] = Who(name)
        while len(self._proven) > _PROVEN_KEPT:
            self._proven.popitem(last=False)
        return self._proven[proof]

    # --- browsers -----------------------------------------------------------------------------------------------------

    def cookie(self, who: Who) -> str:
        """A signed cookie's value for somebody who has proven who they are."""
        name = base64.urlsafe_b64encode((who.user or "").encode()).decode()
        told = f"{name}.{int(self._now()) + SESSION_S}"
        return f"{told}.{self._signed(told, who.user)}"

    def _of_cookie(self, value: str) -> Who | None:
        told, _, signature = value.rpartition(".")
        encoded, _, until = told.partition(".")
        try:
            name = base64.urlsafe_b64decode(encoded).decode() or None
            fresh = int(until) > self._now()
        except (ValueError, binascii.Error):
            return None
        known = name in self._users if name is not None else self._token is not None
        if not known or not _same(signature, self._signed(told, name)) or not fresh:
            return None
        return Who(name)

    def _signed(self, told: str, name: str | None) -> str:
        """Signed with what is proven by it, so that another password or token makes the cookie worthless."""
        secret = self._users[name].line() if name is not None else self._token or ""
        key = hashlib.sha256(b"ibid session\x00" + secret.encode()).digest()
        return hmac.new(key, told.encode(), "sha256").hexdigest()


def _same(given: str, wanted: str) -> bool:
    """Compares in a time that tells nothing of what is wanted, not even its length."""
    first, second = (hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in (given, wanted))
    return hmac.compare_digest(first, second)


def _decoded(given: str) -> str:
    try:
        return base64.b64decode(given.strip(), validate=True).decode("utf-8")
    except (ValueError, binascii.Error):
        return ""


def _cookie(header: str) -> str:
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    return ""
