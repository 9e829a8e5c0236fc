"""From bytes to text: encodings, line ends, and refusing what is no text at all."""

from __future__ import annotations

import codecs
import io
from typing import BinaryIO, Final

from assistant.errors import SourceError

HEAD_BYTES: Final = 1 << 20  # looked at to tell encoding and format
MAX_RECORD_CHARACTERS: Final = 8 << 20  # no bibliographic record is longer; bounds memory on broken files
_CHOICES: Final = (
    "cp1252", "cp1250", "cp1251", "cp1253", "iso8859_2", "iso8859_15", "mac_roman", "koi8_r",
    "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr",
)  # fmt: skip
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MAGIC: Final = (
    (b"%PDF-", "a PDF; export its record from a reference manager instead"),
    (b"\x1f\x8b", "gzip-compressed; unpack it first"),
    (b"PK\x03\x04", "a zip archive; unpack it first"),
    (b"SQLite format 3\x00", "an SQLite database"),
)
_STRAY_BYTES: Final = "ibid-stray-bytes"


class Text(io.TextIOWrapper):
    """A decoded source, read once from its start; `sample` is its beginning, for telling formats apart."""

    sample: str = ""


def open_text(stream: BinaryIO) -> Text:
    """`stream` decoded, line ends as `\\n`. Raises SourceError for an empty, compressed or binary one.

    Bytes that the encoding does not know are read as Windows-1252, one by one: a stray byte costs one character.
    """
    head = _head(stream)
    encoding = _encoding(head)
    codecs.register_error(_STRAY_BYTES, _stray_bytes)
    text = Text(io.BufferedReader(_Replayed(head, stream)), encoding=encoding, errors=_STRAY_BYTES, newline=None)
    text.sample = _decoded(head, encoding)
    if not text.sample.strip():
        raise SourceError("empty; nothing to add")
    return text


def _head(stream: BinaryIO) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while size < HEAD_BYTES and (piece := stream.read(HEAD_BYTES - size)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _encoding(head: bytes) -> str:
    if not head.strip():
        raise SourceError("empty; nothing to add")
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            raise SourceError(f"not a source of papers: {kind}")
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    if b"\x00" in head:
        return _without_bom(head)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < HEAD_BYTES)
    except UnicodeDecodeError as error:
        # One slip in a long stretch of good UTF-8 is a slip, not another encoding.
        return "utf-8" if _mostly_utf8(head, error) else _guessed(head)
    return "utf-8"


def _without_bom(head: bytes) -> str:
    """UTF-16 betrays itself by NULs at every other place; NULs elsewhere are binary."""
    half = max(len(head) // 2, 1)
    odd, even = head[1::2].count(0) / half, head[::2].count(0) / half
    if max(odd, even) > 0.6 and min(odd, even) < 0.05:
        return "utf-16-le" if odd > even else "utf-16-be"
    raise SourceError("not a source of papers: binary data")


def _mostly_utf8(head: bytes, error: UnicodeDecodeError) -> bool:
    good = head.decode("utf-8", "ignore")
    bad = len(head) - len(good.encode("utf-8"))
    multibyte = sum(1 for char in good if ord(char) > 127)
    return multibyte > 10 * bad


def _guessed(head: bytes) -> str:
    """A legacy encoding by charset-normalizer; Windows-1252 where that explains the bytes as well."""
    from charset_normalizer import from_bytes

    matches = from_bytes(head[: 1 << 16], cp_isolation=list(_CHOICES))
    best = matches.best()
    if best is None:
        return "cp1252"
    western = next((match for match in matches if match.encoding == "cp1252"), None)
    return "cp1252" if western is not None and western.chaos <= best.chaos else best.encoding


def _decoded(head: bytes, encoding: str) -> str:
    decoder = codecs.getincrementaldecoder(encoding)(errors=_STRAY_BYTES)
    return decoder.decode(head).replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")


def _stray_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    stray = error.object[error.start : error.end]
    if error.encoding.startswith("utf-8") or error.encoding in _CHOICES:
        return "".join(_western(byte) for byte in stray), error.end
    return "\ufffd", error.end


def _western(byte: int) -> str:
    try:
        return bytes((byte,)).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


class _Replayed(io.RawIOBase):
    """The bytes already looked at, then the rest of the stream: standard input cannot be rewound."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = memoryview(head)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed wants any buffer
        size = len(buffer)
        if self._head:
            piece: bytes | memoryview = self._head[:size]
            self._head = self._head[len(piece) :]
        else:
            piece = self._rest.read(size)
        buffer[: len(piece)] = piece
        return len(piece)
