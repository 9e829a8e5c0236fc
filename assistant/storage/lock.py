"""One writer at a time. The operating system holds the lock, so that of a dead process is gone with it."""

from __future__ import annotations

import json
import os
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from assistant.errors import LibraryError, LibraryLocked
from assistant.storage.truth import now

_LOCK = "writer.lock"
_HOLDER = "writer.json"


class WriterLock:
    """Re-entrant within a thread; other threads of this object wait, other processes get LibraryLocked."""

    def __init__(self, folder: Path, wait_s: float = 0.0) -> None:
        self._holder = folder / _HOLDER
        self._folder = folder
        self._wait_s = wait_s
        self._lock = FileLock(folder / _LOCK, thread_local=False)
        self._threads = threading.RLock()
        self._depth = 0

    @contextmanager
    def held(self, what: str, wait_s: float | None = None) -> Iterator[None]:
        """Holds the lock; `what` tells others what for. Raises LibraryLocked after `wait_s` seconds."""
        # -1: without a limit, other threads of this process are waited for as long as they write.
        if not self._threads.acquire(timeout=-1 if wait_s is None else wait_s):
            raise LibraryLocked(self._message())
        try:
            if self._depth == 0:
                self._acquire(what, self._wait_s if wait_s is None else wait_s)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._release()
        finally:
            self._threads.release()

    @property
    def nested(self) -> bool:
        """Whether the holder is inside another hold of its own."""
        return self._depth > 1

    def _acquire(self, what: str, wait_s: float) -> None:
        try:
            self._lock.acquire(timeout=wait_s, poll_interval=0.05)
        except Timeout as error:
            raise LibraryLocked(self._message()) from error
        except OSError as error:
            raise LibraryError(
                f"cannot write to library {str(self._folder)!r} ({error.strerror}); check its permissions"
            ) from error
        holder = {"pid": os.getpid(), "host": platform.node(), "what": what, "since": now()}
        # Only a courtesy to whoever finds the lock taken; a full disk is reported by the write itself.
        with suppress(OSError):
            self._holder.write_text(json.dumps(holder), encoding="utf-8")

    def _release(self) -> None:
        with suppress(OSError):
            self._holder.unlink()
        self._lock.release()

    def _message(self) -> str:
        try:
            holder = json.loads(self._holder.read_text(encoding="utf-8"))
            who = f"process {holder['pid']} on {holder['host']} ({holder['what']}, since {holder['since'][:19]} UTC)"
        except (OSError, ValueError, KeyError, TypeError):
            who = "another process"
        return f"library {str(self._folder)!r} is being written by {who}; try again when it has finished"
