"""What an answer took: tokens read and written, and what they cost where the user has said what a token costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

_PER = 1_000_000  # prices are for a million tokens


@dataclass(frozen=True, slots=True)
class Prices:
    """Of a million tokens, in the user's own currency; None where unknown."""

    prompt: float | None = None
    completion: float | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """`source` tells who counted: the provider, or Ibid by cl100k_base, which is near but not the model's own count.

    `cost` is None unless both prices are known and every call was counted by the provider: it is never guessed.
    """

    calls: int
    input_tokens: int
    output_tokens: int
    source: Literal["provider", "counted"]
    cost: float | None

    def note(self) -> str | None:
        """One line for the user, where the cost is known."""
        if self.cost is None:
            return None
        return f"cost {self.cost:.6g}: {self.input_tokens} tokens read, {self.output_tokens} written"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a model: the usage its provider told, if any, and the texts that passed."""

    usage: Mapping[str, Any] | None
    sent: str
    came: str


def spent(calls: Sequence[Call], prices: Prices) -> Spent:
    """Adds up the calls of one answer."""
    told = [_told(call.usage) for call in calls]
    known = [pair for pair in told if pair is not None]
    if len(known) == len(calls):
        counts, whole = known, True
    else:
        counts, whole = [pair or _counted(call) for pair, call in zip(told, calls, strict=True)], False
    read, written = sum(pair[0] for pair in counts), sum(pair[1] for pair in counts)
    cost = None
    if whole and prices.prompt is not None and prices.completion is not None:
        cost = (read * prices.prompt + written * prices.completion) / _PER
    return Spent(len(calls), read, written, "provider" if whole else "counted", cost)


def _told(usage: Mapping[str, Any] | None) -> tuple[int, int] | None:
    read, written = (usage or {}).get("input_tokens"), (usage or {}).get("output_tokens")
    if isinstance(read, int) and isinstance(written, int) and (read or written):
        return read, written
    return None


def _counted(call: Call) -> tuple[int, int]:
    from assistant import tokens

    return tokens.count(call.sent), tokens.count(call.came)
