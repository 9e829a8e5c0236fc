"""A polite HTTP client: one request at a time, spaced out, retried where that helps, cached on disk, bounded in size."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from assistant.errors import SourceError

if TYPE_CHECKING:
    import httpx
    from tenacity import RetryCallState

_ATTEMPTS: Final = 5
_LONGEST_WAIT_S: Final = 120.0  # a server that asks for more is told of instead
_TIMEOUT_S: Final = 30.0
_MOST_BYTES: Final = 64 << 20
_RETRIED: Final = frozenset((408, 425, 429, 500, 502, 503, 504))


@dataclass(frozen=True, slots=True)
class Pace:
    """How a service wants to be asked: seconds between requests, and before the first retry."""

    interval_s: float
    retry_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A body with what its headers say of it, in lower case; `status` 200 or 404."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class _Retry(Exception):
    """Worth asking again; `after_s` is what the server asked for."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.after_s = after_s


class Client:
    """Asks one service. A `local` one is never asked through a proxy, and may not send us elsewhere."""

    def __init__(
        self,
        service: str,
        pace: Pace,
        *,
        contact: str | None = None,
        cache: Path | None = None,
        fresh_s: float = 0.0,
        headers: Mapping[str, str] | None = None,
        local: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._service = service
        self._pace = pace
        self._contact = contact
        self._cache = cache
        self._fresh_s = fresh_s
        self._headers = dict(headers or {})
        self._local = local
        self._sleep = sleep
        self._asked_at = 0.0
        self._client: httpx.Client | None = None

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def get(
        self, url: str, params: Mapping[str, str | int], check: Callable[[Reply], str | None] = lambda _: None
    ) -> Reply:
        """The reply, from the cache while that is fresh; 404 is a reply too. Raises SourceError, one line.

        `check` says what is wrong with a body that came with status 200, or None.
        """
        kept = self._kept(url, params)
        if kept is not None and (found := self._read(kept)) is not None:
            return found
        reply = self._retried(url, params, check)
        if kept is not None and reply.status == 200:
            self._keep(kept, reply)
        return reply

    def _retried(self, url: str, params: Mapping[str, str | int], check: Callable[[Reply], str | None]) -> Reply:
        from tenacity import (
            RetryError,
            Retrying,
            retry_if_exception_type,
            stop_after_attempt,
            wait_random_exponential,
        )

        usual = wait_random_exponential(multiplier=self._pace.retry_s, max=30)

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.after_s if isinstance(error, _Retry) else None
            return max(asked or 0.0, usual(state))

        attempts = Retrying(
            stop=stop_after_attempt(_ATTEMPTS), wait=wait, retry=retry_if_exception_type(_Retry), sleep=self._sleep
        )
        try:
            return attempts(self._once, url, params, check)
        except RetryError as error:
            last = error.last_attempt.exception()
            raise SourceError(f"{self._service} {last} ({_ATTEMPTS} attempts); try again later") from error

    def _once(self, url: str, params: Mapping[str, str | int], check: Callable[[Reply], str | None]) -> Reply:
        import httpx

        self._sleep(max(0.0, self._asked_at + self._pace.interval_s - time.monotonic()))
        try:
            reply = self._fetched(url, params)
        except httpx.TimeoutException as error:
            raise _Retry(f"did not answer within {_TIMEOUT_S:.0f} s") from error
        except httpx.ConnectError as error:
            raise SourceError(
                f"{self._service} cannot be reached at {httpx.URL(url).host!r}: {_line(error)}"
            ) from error
        except httpx.HTTPError as error:
            raise _Retry(f"broke off: {_line(error)}") from error
        finally:
            self._asked_at = time.monotonic()
        if reply.status in _RETRIED:
            after = _after(reply.headers.get("retry-after"))
            if after is not None and after > _LONGEST_WAIT_S:
                raise SourceError(
                    f"{self._service} asks to wait {after:.0f} s (status {reply.status}); try again then"
                )
            raise _Retry(f"answered with status {reply.status}", after)
        if reply.status not in (200, 404):
            raise SourceError(f"{self._service} refused the request with status {reply.status}: {_start(reply.body)}")
        if reply.status == 200 and (wrong := check(reply)):
            raise _Retry(wrong)
        return reply

    def _fetched(self, url: str, params: Mapping[str, str | int]) -> Reply:
        if self._client is None:
            import httpx

            headers = {"User-Agent": self._agent(), **self._headers}
            outside = not self._local
            self._client = httpx.Client(
                headers=headers, timeout=_TIMEOUT_S, follow_redirects=outside, trust_env=outside
            )
        pieces, size = [], 0
        with self._client.stream("GET", url, params=dict(params)) as response:
            for piece in response.iter_bytes():
                size += len(piece)
                if size > _MOST_BYTES:
                    raise SourceError(f"{self._service} sent more than {_MOST_BYTES >> 20} MB for one request")
                pieces.append(piece)
            return Reply(response.status_code, b"".join(pieces), {k.lower(): v for k, v in response.headers.items()})

    def _agent(self) -> str:
        from importlib import metadata

        contact = f" (mailto:{self._contact})" if self._contact else ""
        return f"ibid-papers/{metadata.version('ibid-papers')}{contact}"

    def _kept(self, url: str, params: Mapping[str, str | int]) -> Path | None:
        if self._cache is None or not self._fresh_s:
            return None
        asked = json.dumps([url, sorted(params.items())])
        return self._cache / f"{hashlib.sha256(asked.encode()).hexdigest()[:32]}.reply"

    def _read(self, kept: Path) -> Reply | None:
        try:
            if not 0 <= time.time() - kept.stat().st_mtime < self._fresh_s:
                return None
            head, _, body = kept.read_bytes().partition(b"\n")
            headers: dict[str, Any] = json.loads(head)
            return Reply(200, body, headers)
        except (OSError, ValueError):
            return None

    def _keep(self, kept: Path, reply: Reply) -> None:
        beside = kept.with_suffix(f".{os.getpid()}")
        head = {name: value for name, value in reply.headers.items() if name == "content-type"}
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(json.dumps(head).encode() + b"\n" + reply.body)
            beside.replace(kept)
        except OSError:
            beside.unlink(missing_ok=True)  # a cache that cannot be written is only slower


def _after(value: str | None) -> float | None:
    """Seconds of a Retry-After header, which holds a number or a date."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def _start(body: bytes) -> str:
    return " ".join(body[:160].decode("utf-8", "replace").split()) or "no reason given"
