"""How much a client may ask: requests a minute, answers at once, the size and kind of what it sends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from ui.api.errors import Refusal

_CLIENTS_KEPT: Final = 4096


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server allows. Sizes are in bytes; a client is a user, or an address where there are no users."""

    body: int = 256 * 1024
    upload: int = 50 * 1024 * 1024
    suffixes: tuple[str, ...] = (
        ".bib", ".bibtex", ".csv", ".json", ".jsonl", ".nbib", ".ndjson", ".ris", ".tsv", ".txt", ".xml",
        ".gz", ".zip", ".zst",
    )  # fmt: skip
    requests_per_minute: int = 600
    answers: int = 32  # at once, of all clients; more would only make each later
    answers_each: int = 16
    refused_logins_per_minute: int = 10


class Rate:
    """So many a minute for each client, with the whole minute's share ready at the start (a token bucket)."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = float(per_minute)
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}  # client: (what is left, as of when)

    def wait(self, client: str) -> float:
        """Seconds until the client may go on; 0 when it may now."""
        left = self._now(client)
        return 0.0 if left >= 1 else (1 - left) * 60 / self._most

    def take(self, client: str) -> float:
        """Counts a request that is let through; one that is not costs nothing. Gives `wait`."""
        wait = self.wait(client)
        if not wait:
            self._left[client] = (self._now(client) - 1, self._clock())
            if len(self._left) > _CLIENTS_KEPT:
                self._forget()
        return wait

    def _now(self, client: str) -> float:
        left, since = self._left.get(client, (self._most, 0.0))
        return min(self._most, left + (self._clock() - since) * self._most / 60)

    def _forget(self) -> None:
        """Clients that have their whole share again, else the older half."""
        kept = {client: entry for client, entry in self._left.items() if self._now(client) < self._most}
        if len(kept) > _CLIENTS_KEPT // 2:
            latest = sorted(kept, key=lambda client: kept[client][1])[-_CLIENTS_KEPT // 2 :]
            kept = {client: kept[client] for client in latest}
        self._left = kept


class Places:
    """How many answers are being made, of all clients and of each."""

    def __init__(self, most: int, each: int) -> None:
        self._most, self._each = most, each
        self._taken: dict[str, int] = {}

    @property
    def taken(self) -> int:
        return sum(self._taken.values())

    @contextmanager
    def one(self, client: str) -> Iterator[None]:
        """Holds a place; raises Refusal (429) when there is none."""
        if self.taken >= self._most:
            raise Refusal(429, "busy", f"{self._most} questions are being answered; ask again soon", retry_after=1)
        mine = self._taken.get(client, 0)
        if mine >= self._each:
            told = f"you have {mine} questions being answered; wait for one of them"
            raise Refusal(429, "busy", told, retry_after=1)
        self._taken[client] = mine + 1
        try:
            yield
        finally:
            self._taken[client] -= 1
            if not self._taken[client]:
                del self._taken[client]
