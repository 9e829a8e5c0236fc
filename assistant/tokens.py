"""Counts tokens of OpenAI's byte-pair encodings, without network: tiktoken over the tables that bpe-openai ships.

`tiktoken.get_encoding` downloads its table on first use. The tables inside bpe-openai are the same bytes, which the
digests published in tiktoken's source prove each time one is read.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from assistant.errors import SettingsError

if TYPE_CHECKING:
    from tiktoken import Encoding

EncodingName = Literal["cl100k_base", "o200k_base"]


@dataclass(frozen=True, slots=True)
class _Table:
    """What tiktoken's `openai_public` says of an encoding: digest of its table, splitting pattern, special tokens."""

    sha256: str
    pattern: str
    special_tokens: tuple[tuple[str, int], ...]


_TABLES: dict[str, _Table] = {
    "cl100k_base": _Table(
        sha256="223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        pattern=(
            r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
            r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
        ),
        special_tokens=(
            ("<|endoftext|>", 100257),
            ("<|fim_prefix|>", 100258),
            ("<|fim_middle|>", 100259),
            ("<|fim_suffix|>", 100260),
            ("<|endofprompt|>", 100276),
        ),
    ),
    "o200k_base": _Table(
        sha256="446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        pattern="|".join(
            (
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                r"\p{N}{1,3}",
                r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
                r"\s*[\r\n]+",
                r"\s+(?!\S)",
                r"\s+",
            )
        ),
        special_tokens=(("<|endoftext|>", 199999), ("<|endofprompt|>", 200018)),
    ),
}


@cache
def encoding(name: str = "cl100k_base") -> Encoding:
    """The tiktoken encoding `name` ("cl100k_base" or "o200k_base"), built once per process (about a second).

    Raises SettingsError for another name or when the installed table is not the published one.
    """
    import tiktoken

    table = _TABLES.get(name)
    if table is None:
        raise SettingsError(f"no token table for encoding {name!r}; use one of {', '.join(_TABLES)}")
    content = gzip.decompress((files("bpe_openai.data") / f"{name}.tiktoken.gz").read_bytes())
    if hashlib.sha256(content).hexdigest() != table.sha256:
        raise SettingsError(f"bpe-openai's table {name!r} is not the published one; install bpe-openai>=0.1.4 again")
    return tiktoken.Encoding(
        name=name,
        pat_str=table.pattern,
        mergeable_ranks=_ranks(content),
        special_tokens=dict(table.special_tokens),
    )


def count(text: str, name: str = "cl100k_base") -> int:
    """How many tokens of an encoding `text` has; 0 for the empty text. Special tokens in it count as ordinary text."""
    return len(encoding(name).encode_ordinary(text))


def encoding_of(model: str) -> EncodingName | None:
    """The encoding that a chat model of OpenAI reads, by its name; None for any other model."""
    from tiktoken.model import encoding_name_for_model

    try:
        name = encoding_name_for_model(model)
    except KeyError:
        return None
    # The tables of gpt-oss differ from o200k_base in special tokens only.
    return "o200k_base" if name.startswith("o200k") else "cl100k_base" if name == "cl100k_base" else None


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts the tokens of texts; `name` tells a record by what, and `own` whether it is what the model itself reads by."""

    name: str
    own: bool
    count: Callable[[str], int]


def counter(model: str) -> Counter:
    """Counts for the model of that name: its own encoding where it is one of OpenAI's, else by cl100k_base, which is near."""
    name = encoding_of(model)
    return Counter(name or "cl100k_base", name is not None, partial(count, name=name or "cl100k_base"))


def _ranks(content: bytes) -> dict[bytes, int]:
    """Reads lines of "base64-of-token rank"."""
    pairs = (line.split() for line in content.splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in pairs}
