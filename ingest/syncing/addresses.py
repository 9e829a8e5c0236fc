"""What a source's address stands for, and the parts that a source is read in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from assistant.errors import SourceError
from assistant.identity import normalise_doi
from ingest.records import Record, Rejected
from ingest.sources import files, read
from ingest.syncing import zotero

Kind = Literal["file", "folder", "zotero", "zotero-file", "arxiv", "crossref", "openalex", "doi"]
ONLINE: Final[frozenset[Kind]] = frozenset(("arxiv", "crossref", "openalex", "doi"))
_GROUPS: Final = re.compile(rf"{zotero.GROUPS}(?:/\d{{1,12}})?$", re.IGNORECASE)
_BLOCK: Final = 1 << 20
_PREFIX: Final = re.compile(r"^(arxiv|crossref|openalex|doi|zotero):(.*)$", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """A source by the one spelling under which it is remembered; `value` is its path, query or list of DOIs."""

    text: str
    kind: Kind
    value: str

    @property
    def online(self) -> bool:
        """Whether reading it reaches beyond this machine."""
        return self.kind in ONLINE


@dataclass(frozen=True, slots=True)
class Part:
    """A piece that is read as a whole. An equal `state` means that nothing in it changed; None: it may have."""

    name: str
    state: str | None
    read: Callable[[], Iterator[Record | Rejected]]


def parsed(given: str) -> Address:
    """A path, `zotero`, `zotero:groups`, `zotero:groups/12345`, `zotero:PATH`, `arxiv:QUERY`, `doi:`, `crossref:` or `openalex:` with a DOI or a file of DOIs.

    Raises SourceError for anything else.
    """
    text = given.strip()
    if text.lower() == "zotero":
        return Address("zotero", "zotero", zotero.OWN)
    match = _PREFIX.match(text)
    if match and not Path(text).exists():
        kind, value = match.group(1).lower(), match.group(2).strip()
        if not value:
            raise SourceError(f"{given!r} names nothing; write e.g. arxiv:cat:cs.CL or doi:10.1000/182")
        if kind == "zotero" and _GROUPS.match(value):
            return Address(f"zotero:{value.lower()}", "zotero", value.lower())
        if kind == "zotero":
            return _path(value, given)
        if kind == "arxiv":
            return Address(f"arxiv:{value}", "arxiv", value)
        return _registry(kind, value, given)
    if normalise_doi(text) and not Path(text).exists():
        return Address(f"doi:{normalise_doi(text)}", "doi", str(normalise_doi(text)))
    return _path(text, given)


def _registry(kind: str, value: str, given: str) -> Address:
    path = Path(value).expanduser()
    if path.is_file():
        value = str(path.resolve())
    elif normalise_doi(value):
        value = str(normalise_doi(value))
    else:
        raise SourceError(f"{given!r} names neither a DOI nor a file of DOIs; write e.g. {kind}:10.1000/182")
    chosen: Kind = "crossref" if kind == "crossref" else "openalex" if kind == "openalex" else "doi"
    return Address(f"{kind}:{value}", chosen, value)


def _path(value: str, given: str) -> Address:
    if value == "-":
        raise SourceError("standard input cannot be synced with, as it is gone afterwards; add it with: ibid add -")
    path = Path(value).expanduser()
    try:
        path = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise SourceError(
            f"no source {given!r}; give a file, a folder, zotero, arxiv:QUERY, or doi:, crossref: or openalex: with DOIs"
        ) from error
    if path.is_dir() and (path / zotero.FILE).is_file():
        path = path / zotero.FILE
    if path.suffix.lower() == ".sqlite":
        return Address(str(path), "zotero-file", str(path))
    return Address(str(path), "folder" if path.is_dir() else "file", str(path))


def parts(address: Address, library_folder: Path) -> Iterator[Part]:
    """The parts of a file, a folder or a Zotero file. Raises SourceError when it is not there any more."""
    path = Path(address.value)
    if not path.exists():
        raise SourceError(
            f"{address.text!r} is not there any more; forget it with: ibid sync --forget {address.text}"
        )
    if address.kind == "zotero-file":
        yield Part("", _digest(path), lambda: zotero.from_file(path, f"zotero:{path.name}"))
    elif address.kind == "file":
        yield _file(path, path.name)
    else:
        home = library_folder.resolve()
        for found in files(path):
            if home not in found.resolve().parents:
                yield _file(found, found.relative_to(path).as_posix())


def _file(path: Path, name: str) -> Part:
    return Part(name, _digest(path), lambda: read(path, name))


def _digest(path: Path) -> str | None:
    """Of the content; None when it cannot be read, and reading will then tell why."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except OSError:
        return None
    return digest.hexdigest()


def dois(address: Address) -> list[str]:
    """The DOIs that a `doi:`, `crossref:` or `openalex:` address stands for, each once. Raises SourceError."""
    path = Path(address.value)
    if not path.is_absolute():
        return [address.value]
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise SourceError(f"{address.text!r} cannot be read: {error.strerror or error}") from error
    found = dict.fromkeys(doi for line in lines if (doi := normalise_doi(line)))
    if not found:
        raise SourceError(f"no DOI in {address.value!r}; write one a line, e.g. 10.1000/182")
    return list(found)
