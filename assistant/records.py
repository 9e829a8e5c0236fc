"""The record of an answer: what was asked, what was shown to the engine, what it said. Enough to replay and re-check."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

_ID_RANDOM_BYTES = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span that was shown to the engine, with its text as it stood then."""

    paper_id: str
    passage_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """What one question did. Mappings hold only what JSON can.

    `papers` gives, per quoted paper, the digest of its title and abstract when the record was saved, so that a later
    check can tell that a paper has changed; `Library.former_text` still has the old text.
    """

    id: str
    created_at: str  # UTC, ISO 8601
    question: str
    query: str
    engine: str
    answer: Mapping[str, Any]  # `Answer.to_dict()`
    filters: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    prompts: Mapping[str, Any] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    papers: Mapping[str, str] = field(default_factory=dict)
    conversation_id: str | None = None
    user: str | None = None  # who asked, where a server knows its users
    extra: Mapping[str, Any] = field(default_factory=dict)  # whatever else the engine saved

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; `from_dict` reads it back."""
        content = asdict(self)
        content["evidence"] = [asdict(item) for item in self.evidence]
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> AnswerRecord:
        """Reads `to_dict`'s form or a plain mapping with at least `question` and `answer`.

        Missing id and time are made here; keys that are not fields go to `extra`.
        """
        known = {name: content[name] for name in cls.__dataclass_fields__ if name in content}
        known.setdefault("id", new_id())
        known.setdefault("created_at", datetime.now(UTC).isoformat(timespec="microseconds"))
        known.setdefault("query", content["question"])
        known.setdefault("engine", "")
        known["evidence"] = tuple(
            item if isinstance(item, Evidence) else Evidence(**item) for item in known.get("evidence", ())
        )
        unknown = {name: value for name, value in content.items() if name not in cls.__dataclass_fields__}
        known["extra"] = {**known.get("extra", {}), **unknown}
        return cls(**known)


def new_id() -> str:
    """A fresh record id: `r`, milliseconds and chance in hexadecimal; later ids sort later."""
    return f"r{time.time_ns() // 1_000_000:012x}{secrets.token_hex(_ID_RANDOM_BYTES)}"
