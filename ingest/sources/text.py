"""From bytes to text: encodings, line ends, and refusing what is no text at all."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from assistant.errors import SourceError
from ingest.sources.packed import Replayed

HEAD_BYTES: Final = 1 << 20  # looked at to tell encoding and format
_PIECE_BYTES: Final = io.DEFAULT_BUFFER_SIZE
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
    (b"\x1f\x8b", "gzip inside a compressed file; archives within archives are not opened"),
    (b"\x28\xb5\x2f\xfd", "Zstandard inside a compressed file; archives within archives are not opened"),
    (b"PK\x03\x04", "a zip archive inside a compressed file; archives within archives are not opened"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"BZh", "bzip2-compressed; unpack it first"),
    (b"\xfd7zXZ\x00", "xz-compressed; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"SQLite format 3\x00", "an SQLite database"),
)
_STRAY_BYTES: Final = "ibid-stray-bytes"


class Text(io.TextIOWrapper):
    """A decoded source, read once from its start; `sample` is its beginning, for telling formats apart."""

    sample: str = ""
    # Asked for; a reader may pass over a record that plainly has none of them.
    categories: frozenset[str] = frozenset()

    def numbered(self, limit: int = MAX_RECORD_CHARACTERS) -> Iterator[tuple[int, str | None]]:
        """Every line with its number, without its end; None for one of more than `limit` characters, never held."""
        number = 0
        while line := self.readline(limit):
            number += 1
            if len(line) < limit or line.endswith("\n"):
                yield number, line.rstrip("\n")
                continue
            while (rest := self.readline(limit)) and not rest.endswith("\n"):
                pass
            yield number, None

    def bounded(self, limit: int) -> str:
        """All of the text. Raises SourceError where it is longer than `limit` characters."""
        whole = self.read(limit + 1)
        if len(whole) > limit:
            raise SourceError(
                f"longer than {limit:,} characters without the marks of a format that is read piece by piece"
            )
        return whole


def open_text(stream: BinaryIO) -> Text:
    """`stream` decoded, line ends as `\\n`. Raises SourceError for an empty, compressed or binary one.

    Bytes that the encoding does not know are read as Windows-1252, one by one: a stray byte costs one character.
    """
    head = _head(stream)
    encoding = _encoding(head)
    codecs.register_error(_STRAY_BYTES, _stray_bytes)
    text = Text(io.BufferedReader(Replayed(head, stream)), encoding=encoding, errors=_STRAY_BYTES, newline=None)
    text.sample = _decoded(head, encoding)
    if not text.sample.strip():
        raise SourceError("empty; nothing to add")
    return text


def _head(stream: BinaryIO) -> bytes:
    """The beginning. Where reading fails further on, what came before; the failure comes again when that is read."""
    pieces: list[bytes] = []
    size = 0
    try:
        while size < HEAD_BYTES and (piece := stream.read(min(_PIECE_BYTES, HEAD_BYTES - size))):
            pieces.append(piece)
            size += len(piece)
    except SourceError:
        if not pieces:
            raise
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
        return "utf-8" if _mostly_utf8(head, error) else _declared(head) or _guessed(head)
    return "utf-8"


def _declared(head: bytes) -> str | None:
    """The encoding that an XML declaration names, where Python has it as a text encoding."""
    match = re.match(rb"""\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z][\w.-]{1,40})["']""", head)
    if match is None:
        return None
    name = match.group(1).decode("ascii").lower()
    try:
        known = codecs.lookup(name)
    except LookupError:
        return None
    if not known._is_text_encoding or known.name.startswith(
        ("utf", "us-ascii", "ascii")
    ):  # UTF-8 is found by its bytes
        return None
    return known.name


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
    western = next((match for match in matches if "cp1252" in match.could_be_from_charset), None)  # same text
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
