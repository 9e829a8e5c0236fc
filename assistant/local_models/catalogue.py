"""The models that Ibid knows by name, each with its digest, size, licence, and the packages that hold its parts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from assistant.errors import InputError


@dataclass(frozen=True, slots=True)
class Parts:
    """A file in pieces: package `<package>1` … `<package><count>`, each holding `data/partNN.bin`. Other people's uploads,
    so nothing of them is believed but the digest of the whole."""

    package: str
    version: str
    count: int

    def requirement(self, number: int) -> str:
        return f"{self.package}{number}=={self.version}"


@dataclass(frozen=True, slots=True)
class Known:
    """A model of the catalogue."""

    name: str
    title: str
    licence: str
    bytes: int
    sha256: str
    memory_gb: float  # measured, with a context of 4,096 tokens
    parts: Parts | None


@cache
def catalogue() -> tuple[Known, ...]:
    """Every known model; the first is the default."""
    text = resources.files("assistant.local_models").joinpath("catalogue.json").read_text(encoding="utf-8")
    return tuple(_read(entry) for entry in json.loads(text)["models"])


def _read(entry: dict[str, Any]) -> Known:
    parts = entry.pop("parts", None)
    return Known(**entry, parts=Parts(**parts) if parts else None)


def default() -> Known:
    """The model that `local` means when none was chosen."""
    return catalogue()[0]


def find(name: str) -> Known | None:
    return next((known for known in catalogue() if known.name == name), None)


def known(name: str) -> Known:
    """The catalogue's model `name`. Raises InputError with the names that there are."""
    found = find(name)
    if found is None:
        names = ", ".join(entry.name for entry in catalogue())
        raise InputError(
            f"no model {name!r} is known; known are {names}, and any GGUF file: ibid model pull --from FILE"
        )
    return found
