"""Connections to `library.sqlite`: WAL, foreign keys, explicit transactions, SQLite's errors in our words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool

from assistant.errors import DiskFull, InputError, LibraryError, LibraryLocked, LibraryNotFound
from assistant.storage import dialect, migrations

FILE = "library.sqlite"
_BUSY_MS = 60_000  # on a busy machine a transaction of papers was seen to keep others waiting for nearly 10 s
_FREE_SHARE = 0.25  # of pages that hold nothing, from which on a rebuild compacts the file
_CACHE_KIB = 32 * 1024
_PAGE_BYTES = 8192  # SQLite's 4096 leave a sixth of themselves empty: a paper or its sentence vectors take 1.5 kB


class Database:
    """The truth's file with three ways in.

    `read()` sees one snapshot. `write()` commits with fsync: what it stored survives a power cut. `note()` commits
    without fsync: it survives any death of the process and cannot tear the file, but the last notes before a
    power cut may be missing; made for records and turns, which sit in the answer's path.
    """

    def __init__(self, folder: Path, *, read_only: bool = False, create: bool = True) -> None:
        self.path = folder / FILE
        self.read_only = read_only
        if not self.path.exists() and (read_only or not create):
            raise LibraryNotFound(f"no library at {str(folder)!r}; add papers with: ibid add FILE --library {folder}")
        self._reader = self._engine("BEGIN", "NORMAL")
        self._noter = self._engine("BEGIN IMMEDIATE", "NORMAL")
        self._writer = self._engine("BEGIN IMMEDIATE", "FULL")

    def prepare(self) -> None:
        """Checks the schema and takes missing migrations; raises SchemaMismatch or LibraryError."""
        with self.read() as connection:
            found = migrations.version(connection)
        migrations.check(found)
        if found == len(migrations.STEPS):
            return
        if self.read_only:
            raise LibraryError(f"library {str(self.path.parent)!r} needs a migration; open it once for writing")
        with self.write() as connection:
            migrations.migrate(connection)
        try:
            self._resize_pages()
        except sqlite3.Error:  # somebody else has the library open, or the disk is full
            with suppress(LibraryError):  # then a rebuild can do it later
                self._shrink(_FREE_SHARE)

    def compact(self) -> None:
        """Gives back the space of deleted rows when they are a good part of the file. Needs the file's size free."""
        self._refuse_read_only()
        self._shrink(_FREE_SHARE)

    def _shrink(self, free_share: float) -> None:
        """Writes the file anew without its free pages, if those are more than a share of it."""
        with self._translated(), self._writer.connect() as pooled:
            connection = pooled.connection.driver_connection
            if connection is None:
                return
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            free = connection.execute("PRAGMA freelist_count").fetchone()[0]
            if free > free_share * pages:
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _resize_pages(self) -> None:
        """Writes the file anew with pages of our size, for which SQLite wants it alone and without its log."""
        self.close()
        with closing(self._connect()) as connection:
            connection.execute("PRAGMA busy_timeout = 0")
            try:
                connection.execute("PRAGMA journal_mode = DELETE")
                connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
                connection.execute("VACUUM")
            finally:
                connection.execute("PRAGMA journal_mode = WAL")

    def close(self) -> None:
        for engine in (self._reader, self._noter, self._writer):
            engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._translated(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        self._refuse_read_only()
        with self._translated(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def note(self) -> Iterator[Connection]:
        self._refuse_read_only()
        with self._translated(), self._noter.begin() as connection:
            yield connection

    def _refuse_read_only(self) -> None:
        if self.read_only:
            raise LibraryError(f"library {str(self.path.parent)!r} is open for reading only; nothing was saved")

    def _engine(self, begin: str, synchronous: str) -> Engine:
        engine = create_engine("sqlite://", creator=self._connect, poolclass=QueuePool, pool_size=8, max_overflow=64)

        @event.listens_for(engine, "connect")
        def _configure(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.create_function("ibid_fold", 1, dialect.fold_text, deterministic=True)
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            if not self.read_only:
                connection.execute("PRAGMA journal_mode = WAL")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine

    def _connect(self) -> sqlite3.Connection:
        # isolation_level None: the sqlite3 module must not open transactions of its own beside our BEGIN.
        return sqlite3.connect(
            self._uri(), uri=True, timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False
        )

    def _uri(self) -> str:
        address = "file:" + quote(str(self.path.resolve()))
        if not self.read_only:
            return address + "?mode=rwc"
        # A WAL file can be read in a folder that forbids writing only when nobody else can be writing to it.
        if not os.access(self.path.parent, os.W_OK) and not self._unfinished_and_sealed():
            return address + "?mode=ro&immutable=1"
        return address + "?mode=ro"

    def _unfinished_and_sealed(self) -> bool:
        """Whether a WAL file waits to be read into a file whose folder cannot be written to."""
        return not os.access(self.path.parent, os.W_OK) and _has_content(self.path.with_name(FILE + "-wal"))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except UnicodeEncodeError as error:
            raise InputError(f"{error.object!r} holds half a character (a lone surrogate); take it out") from error
        except (DatabaseError, sqlite3.Error) as error:
            reason = str(error.orig if isinstance(error, DatabaseError) else error)
            folder = str(self.path.parent)
            if "locked" in reason or "busy" in reason:
                raise LibraryLocked(f"library {folder!r} stayed busy for {_BUSY_MS // 1000} s; try again") from error
            if "full" in reason:
                raise DiskFull(f"no space left for library {folder!r}; free some and try again") from error
            if self._unfinished_and_sealed():
                raise LibraryError(
                    f"library {folder!r} was left in the middle of a write and its folder forbids finishing it; "
                    f"run once as somebody who may write there: ibid doctor --library {folder}"
                ) from error
            raise LibraryError(
                f"library file {str(self.path)!r} cannot be used ({reason}); "
                "restore it from a backup, or move the folder away and add the papers again with: ibid add"
            ) from error


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0
