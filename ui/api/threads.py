"""Which answers a chat client's messages are: OpenAI's protocol sends the whole conversation each time, without ids."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

_KEPT: Final = 4096


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a user or of Ibid, as text."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a conversation: the records of its answers, and once it went on, its id."""

    record_ids: tuple[str, ...]
    conversation_id: str | None = None


class Threads:
    """Remembers, for each sequence of messages that ended with an answer of ours, which answers they were."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._past: OrderedDict[bytes, Past] = OrderedDict()

    def find(self, user: str | None, messages: Sequence[Said]) -> Past | None:
        """The past that these messages are; None when it was not here, or is long gone."""
        return self._past.get(_key(user, messages))

    def remember(self, user: str | None, messages: Sequence[Said], past: Past) -> None:
        key = _key(user, messages)
        self._past[key] = past
        self._past.move_to_end(key)
        while len(self._past) > self._kept:
            self._past.popitem(last=False)


def _key(user: str | None, messages: Sequence[Said]) -> bytes:
    """Blanks don't count: front ends trim what they send back."""
    digest = hashlib.sha256(repr(user).encode())
    for message in messages:
        text = " ".join(message.text.split())
        digest.update(f"\x00{message.role}\x00{text}".encode("utf-8", "surrogatepass"))
    return digest.digest()
