"""What an answer took: tokens read and written, and what they cost, by the user's prices, else by a dated list of known models."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

from assistant import tokens
from assistant.tokens import Counter

if TYPE_CHECKING:
    from assistant.chat_model import Address

_PER = 1_000_000  # prices are for a million tokens
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}\Z")  # gpt-4o-mini-2024-07-18 costs what gpt-4o-mini does


@dataclass(frozen=True, slots=True)
class Prices:
    """Of a million tokens, in the user's own currency; None where unknown. `source` is empty for the user's own."""

    prompt: float | None = None
    completion: float | None = None
    source: str = ""


def prices_for(given: Prices, at: Address, *, free: bool = False) -> Prices:
    """The user's prices where both are set; nothing for a `free` model; else the list's, for models asked of OpenAI itself.

    Whoever serves a model of the same name elsewhere has prices of their own, and they are not guessed.
    """
    if given.prompt is not None and given.completion is not None:
        return given
    if free:
        return Prices(0.0, 0.0, "runs on this machine")
    host = (at.base_url or "").partition("//")[2].partition("/")[0].casefold()
    if at.provider != "openai-chat" or (at.base_url is not None and host != "api.openai.com"):
        return given
    listed = _list()
    pair = listed["models"].get(_SNAPSHOT.sub("", at.name))
    return Prices(float(pair[0]), float(pair[1]), str(listed["source"])) if pair else given


@cache
def _list() -> dict[str, Any]:
    text = resources.files("assistant").joinpath("prices.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@dataclass(frozen=True, slots=True)
class Spent:
    """`source` tells who counted: the provider, or Ibid by the tokenizer `counted_by`, which is empty for the provider.

    `cost` is None unless both prices are known and every call was counted by the provider: it is never guessed. It takes
    every token at full price, so what a provider charges less for having it cached makes it too high, never too low.
    `priced_by` tells whose prices: empty for the user's.
    """

    calls: int
    input_tokens: int
    output_tokens: int
    source: Literal["provider", "counted"]
    cost: float | None
    counted_by: str = ""
    priced_by: str = ""

    def note(self) -> str | None:
        """One line for the user, where something was paid and it is known how much."""
        if not self.cost:
            return None
        by = f" by {self.priced_by}" if self.priced_by else ""
        return f"cost {self.cost:.6g}{by}: {self.input_tokens} tokens read, {self.output_tokens} written"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a model: the usage its provider told, if any, and the texts that passed."""

    usage: Mapping[str, Any] | None
    sent: str
    came: str


def spent(calls: Sequence[Call], prices: Prices, counter: Counter | None = None) -> Spent:
    """Adds up the calls of one answer; what no provider told is counted by `counter`, by default cl100k_base."""
    by = counter or tokens.counter("")
    told = [_told(call.usage) for call in calls]
    known = [pair for pair in told if pair is not None]
    whole = len(known) == len(calls)
    counts = known if whole else [pair or _counted(call, by) for pair, call in zip(told, calls, strict=True)]
    read, written = sum(pair[0] for pair in counts), sum(pair[1] for pair in counts)
    if not whole:
        return Spent(len(calls), read, written, "counted", None, by.name)
    if prices.prompt is None or prices.completion is None:
        return Spent(len(calls), read, written, "provider", None)
    cost = (read * prices.prompt + written * prices.completion) / _PER
    return Spent(len(calls), read, written, "provider", cost, priced_by=prices.source)


def _told(usage: Mapping[str, Any] | None) -> tuple[int, int] | None:
    read, written = (usage or {}).get("input_tokens"), (usage or {}).get("output_tokens")
    if isinstance(read, int) and isinstance(written, int) and (read or written):
        return read, written
    return None


def _counted(call: Call, by: Counter) -> tuple[int, int]:
    return by.count(call.sent), by.count(call.came)
