"""Counts for Prometheus, in a registry of the server's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from assistant.answers import Answer

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


class Metrics:
    """What the server has done since it started."""

    def __init__(self, papers: Callable[[], int]) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "ibid_http_requests", "Replies sent.", ("route", "method", "status"), registry=registry
        )
        self._replies = Histogram(
            "ibid_http_reply_seconds",
            "Time to a reply's first byte.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._answers = Counter("ibid_answers", "Answers finished.", ("engine", "status"), registry=registry)
        self._seconds = Histogram(
            "ibid_answer_seconds", "Time to a whole answer.", ("engine",), buckets=_SECONDS, registry=registry
        )
        self._given_up = Counter("ibid_answers_given_up", "Answers whose client went away.", registry=registry)
        self.answering = Gauge("ibid_answers_in_progress", "Answers being made.", registry=registry)
        Gauge("ibid_papers", "Papers in the library.", registry=registry).set_function(papers)

    def replied(self, scope: Any, status: int, seconds: float) -> None:
        """Counts a reply under its route's template, so that ids do not become names of series."""
        route = getattr(scope.get("route"), "path", "") or "other"
        if not route.startswith(("/v1", "/health", "/metrics", "/login", "/mcp")):
            route = "page"
        self._requests.labels(route, scope["method"], status).inc()
        self._replies.labels(route).observe(seconds)

    def answered(self, answer: Answer) -> None:
        self._answers.labels(answer.engine, answer.status).inc()
        self._seconds.labels(answer.engine).observe(answer.seconds)

    def given_up(self) -> None:
        self._given_up.inc()

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)
