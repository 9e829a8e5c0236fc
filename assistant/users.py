"""Users of a served library: names and salted hashes of passwords, a line each, in a file that its owner alone reads.

A line is `name:scrypt:n:r:p:salt:hash`, salt and hash in hexadecimal; a blank line or one that begins with `#` is nobody.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assistant.errors import InputError

SHORTEST_PASSWORD: Final = 8
_LONGEST_PASSWORD: Final = 1024
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
# 16 MB and some 50 ms a check: RFC 7914's interactive figures.
_N, _R, _P, _BYTES = 2**14, 8, 1, 32


@dataclass(frozen=True, slots=True)
class User:
    """A name with the hash of its password."""

    name: str
    n: int
    r: int
    p: int
    salt: bytes
    hashed: bytes

    @classmethod
    def of(cls, name: str, password: str) -> User:
        """Hashes a password. Raises InputError for a name or a password that cannot be used."""
        if not _NAME.fullmatch(name):
            raise InputError(f"user name {name!r:.80} cannot be used; take letters, digits and . _ - @, up to 64")
        if not SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
            raise InputError(f"a password has {SHORTEST_PASSWORD} to {_LONGEST_PASSWORD} characters; choose another")
        salt = secrets.token_bytes(16)
        return cls(name, _N, _R, _P, salt, _hash(password, _N, _R, _P, salt))

    def has(self, password: str) -> bool:
        """Whether this is the password; takes as long for a wrong one."""
        if len(password) > _LONGEST_PASSWORD:
            return False
        return hmac.compare_digest(self.hashed, _hash(password, self.n, self.r, self.p, self.salt))

    def line(self) -> str:
        return f"{self.name}:scrypt:{self.n}:{self.r}:{self.p}:{self.salt.hex()}:{self.hashed.hex()}"


def read(path: Path) -> Mapping[str, User]:
    """The users of a file, by name. Raises InputError for a file that cannot be read, or that holds nobody."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InputError(
            f"cannot read users from {str(path)!r} ({reason}); make it with: ibid serve --add-user NAME"
        ) from error
    users = [_user(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if _says(line)]
    if not users:
        raise InputError(f"no user in {str(path)!r}; add one with: ibid serve --add-user NAME --auth-file {path}")
    return {user.name: user for user in users}


def add(path: Path, user: User) -> bool:
    """Writes the user into the file, in place of one of the same name; whether there was none."""
    there = dict(read(path)) if path.exists() and any(map(_says, path.read_text("utf-8").splitlines())) else {}
    new = user.name not in there
    there[user.name] = user
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=".users.", delete=False
    ) as beside:
        try:  # a temporary file is its owner's alone from the start
            beside.writelines(f"{each.line()}\n" for each in there.values())
            beside.flush()
            os.replace(beside.name, path)
        except BaseException:
            os.unlink(beside.name)
            raise
    return new


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _user(line: str, where: str) -> User:
    name, *rest = line.strip().split(":")
    try:
        kind, n, r, p, salt, hashed = rest
        user = User(name, int(n), int(r), int(p), bytes.fromhex(salt), bytes.fromhex(hashed))
        usable = (
            kind == "scrypt"
            and user.n & (user.n - 1) == 0
            and len(user.hashed) == _BYTES
            and len(user.salt) >= 8
            and _NAME.fullmatch(name)
        )
        # A hash that takes more memory than this was not made here, and OpenSSL would refuse it.
        if not usable or not 2 <= user.n <= 2**17 or not 1 <= user.r * user.p <= 32:
            raise ValueError(line)
    except ValueError as error:
        raise InputError(f"{where} is no user; write it with: ibid serve --add-user NAME --auth-file FILE") from error
    return user


def _hash(password: str, n: int, r: int, p: int, salt: bytes) -> bytes:
    given = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(given, salt=salt, n=n, r=r, p=p, maxmem=2**28, dklen=_BYTES)
