"""The names of uploaded files, read as they pass by, so that a file of a kind not taken is refused before it is kept."""

from __future__ import annotations

from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ui.api.errors import Refusal

_MOST_FILES: Final = 100


class Kinds:
    """Watches a multipart body for files whose names do not end as they should."""

    def __init__(self, content_type: str, suffixes: tuple[str, ...]) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        self._suffixes = suffixes
        self._files = 0
        self._header = self._value = b""
        self._refusal: Refusal | None = None
        self._parser: MultipartParser | None = None
        if kind != b"multipart/form-data" or not boundary:
            self._refusal = Refusal(415, "wrong_kind", "send files as multipart/form-data")
            return
        self._parser = MultipartParser(
            boundary,
            {
                "on_header_field": self._on_field,
                "on_header_value": self._on_value,
                "on_header_end": self._on_end,
            },
        )

    def refusal(self, piece: bytes) -> Refusal | None:
        """Why the body up to and with this piece is refused; None as long as it isn't."""
        if self._parser is not None and self._refusal is None and piece:
            try:
                self._parser.write(piece)
            except FormParserError:
                self._refusal = Refusal(400, "bad_request", "the form cannot be read: its parts are not as announced")
        return self._refusal

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_end(self) -> None:
        header, value = self._header.lower(), self._value
        self._header = self._value = b""
        if header != b"content-disposition":
            return
        name = parse_options_header(value)[1].get(b"filename")
        if name is None:
            return
        self._files += 1
        if self._files > _MOST_FILES:
            self._refusal = Refusal(413, "too_large", f"send at most {_MOST_FILES} files at once")
        elif not name.decode("utf-8", "replace").lower().endswith(self._suffixes):
            shown = name.decode("utf-8", "replace")[-80:]
            kinds = " ".join(self._suffixes)
            self._refusal = Refusal(415, "wrong_kind", f"a file such as {shown!r} is not taken; send one of {kinds}")
