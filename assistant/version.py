"""Versions of Ibid and of what decides its answers, for records and runs."""

from __future__ import annotations

from functools import cache
from importlib import metadata

_DECIDING = ("ibid-papers", "chromadb", "langchain-core", "onnxruntime", "tantivy", "tokenizers")


@cache
def versions() -> dict[str, str]:
    """Installed versions by distribution name; "" for one that is not installed."""
    return {name: _version(name) for name in _DECIDING}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
