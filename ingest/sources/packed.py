"""Compressed sources: gzip, Zstandard and zip opened as streams, their output bounded while it is read."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from assistant.errors import SourceError

if TYPE_CHECKING:
    import zipfile

__all__ = ["DEFAULT_LIMITS", "Limits", "Replayed", "opened"]

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZIP: Final = b"PK\x03\x04"
_WINDOW: Final = 1 << 27  # bytes that Zstandard may hold; `zstd --long` writes up to this
_RATIO_FROM: Final = 64 << 20  # bytes unpacked before the ratio counts: small files may well be repetitive
_JUNK: Final = ("__MACOSX/", ".DS_Store")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a compressed source may become. arXiv's snapshot is 4.6 GB, 3.3 times its zip."""

    unpacked_bytes: int = 64 << 30  # all files of an archive together
    ratio: int = 200  # unpacked to packed bytes; text of papers stays below 12
    members: int = 10_000  # of one zip archive


DEFAULT_LIMITS: Final = Limits()


def opened(stream: BinaryIO, name: str, limits: Limits = DEFAULT_LIMITS) -> Iterator[tuple[str, BinaryIO]]:
    """The plain streams inside `stream`, each with its name in reports: one, or those of a zip archive's files.

    A file of an archive is named after its last part, so that no path is ever followed. Raises SourceError for an
    archive that cannot be opened; what is wrong further in is raised as SourceError while it is read.
    """
    head = _exactly(stream, 4)
    whole = Replayed(head, stream)
    if head.startswith(_GZIP):
        packed = _Counted(whole)
        yield name, io.BufferedReader(_Bounded(gzip.GzipFile(fileobj=packed), packed, "gzip", limits))
    elif head.startswith(_ZSTD):
        yield name, io.BufferedReader(_zstd(_Counted(whole), limits))
    elif head.startswith(_ZIP):
        yield from _members(stream, name, limits)
    else:
        yield name, io.BufferedReader(whole)


class Replayed(io.RawIOBase):
    """The bytes already looked at, then the rest of the stream: standard input cannot be rewound."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = memoryview(head)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed wants any buffer
        if not self._head:
            self._head = memoryview(self._rest.read(len(buffer)))  # some streams give more than they are asked for
        piece = self._head[: len(buffer)]
        self._head = self._head[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


class _Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


class _Counted(io.RawIOBase):
    """A stream that knows how many bytes were taken from it."""

    def __init__(self, stream: io.RawIOBase) -> None:
        self._stream = stream
        self.taken = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size) or b""
        self.taken += len(piece)
        return piece

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # as above
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


class _Total:
    """What all files of one archive have given."""

    def __init__(self) -> None:
        self.bytes = 0


class _Bounded(io.RawIOBase):
    """What comes out of a decompressor, until it is more than the limits allow."""

    def __init__(
        self, unpacked: _Readable, packed: _Counted | int, kind: str, limits: Limits, total: _Total | None = None
    ) -> None:
        self._unpacked = unpacked
        self._packed = packed
        self._kind = kind
        self._limits = limits
        self._given = 0
        self._total = total or _Total()
        self._failure: SourceError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # as above
        if self._failure is None:
            try:
                piece = self._unpacked.read(len(buffer))
                self._given += len(piece)
                self._total.bytes += len(piece)
                self._check()
                buffer[: len(piece)] = piece
                return len(piece)
            except SourceError as error:
                self._failure = error
            except (EOFError, zlib.error, OSError, ValueError) as error:
                self._failure = SourceError(f"{self._kind} data that end early or are damaged: {_one_line(error)}")
            except Exception as error:  # zipfile and zstandard have errors of their own
                self._failure = SourceError(f"{self._kind} data that cannot be unpacked: {_one_line(error)}")
        raise self._failure  # at every further read too: what was read before may be in somebody's buffer

    def _check(self) -> None:
        taken = self._packed if isinstance(self._packed, int) else self._packed.taken
        if self._total.bytes > self._limits.unpacked_bytes:
            raise SourceError(
                f"more than {self._limits.unpacked_bytes:,} bytes when unpacked; unpack and split it, or raise the limit"
            )
        if self._given > _RATIO_FROM and self._given > self._limits.ratio * max(taken, 1):
            raise SourceError(f"unpacks to more than {self._limits.ratio} times its size; no text of papers does")


def _zstd(packed: _Counted, limits: Limits) -> _Bounded:
    import zstandard

    reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(
        packed,  # type: ignore[arg-type]  # it only ever calls read()
        read_across_frames=True,
    )
    return _Bounded(reader, packed, "zstd", limits)


def _members(stream: BinaryIO, name: str, limits: Limits) -> Iterator[tuple[str, BinaryIO]]:
    import zipfile

    if not stream.seekable():
        raise SourceError("a zip archive that cannot be rewound; save it to a file and add that")
    try:
        archive = zipfile.ZipFile(stream)
        entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _junk(entry.filename)]
    except Exception as error:  # a damaged directory raises many kinds
        raise SourceError(f"a zip archive that cannot be opened: {_one_line(error)}") from error
    if len(entries) > limits.members:
        raise SourceError(f"a zip archive of {len(entries):,} files; at most {limits.members:,} are read")
    if not entries:
        raise SourceError("a zip archive without files")
    total = _Total()
    for entry in entries:
        inner = PurePosixPath(entry.filename.replace("\\", "/")).name or "unnamed"
        yield f"{name}/{inner}", io.BufferedReader(_Member(archive, entry, limits, total))


class _Member(io.RawIOBase):
    """One file of an archive, opened when it is first read, so that a refusal is its own line of the report."""

    def __init__(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: Limits, total: _Total) -> None:
        self._archive = archive
        self._entry = entry
        self._limits = limits
        self._total = total
        self._bounded: _Bounded | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # as above
        if self._bounded is None:
            self._bounded = self._open()
        return self._bounded.readinto(buffer)

    def _open(self) -> _Bounded:
        from zipfile import ZIP_DEFLATED, ZIP_STORED

        if self._entry.flag_bits & 1:
            raise SourceError("encrypted inside its zip archive; unpack it first")
        if self._entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):  # zipfile does not bound the others' output
            raise SourceError("packed by an unusual method inside its zip archive; unpack it first")
        try:
            member = self._archive.open(self._entry)
        except Exception as error:
            raise SourceError(f"cannot be opened inside its zip archive: {_one_line(error)}") from error
        return _Bounded(member, self._entry.compress_size, "zip", self._limits, self._total)


def _junk(path: str) -> bool:
    return path.startswith(_JUNK) or path.endswith(_JUNK) or PurePosixPath(path).name.startswith(".")


def _exactly(stream: BinaryIO, size: int) -> bytes:
    head = b""
    while len(head) < size and (piece := stream.read(size - len(head))):
        head += piece
    return head


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
