"""Streams: clients that leave, models that are slow, many at once, and a server that is told to stop."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from assistant.library import Library
from assistant.testing import tiny_library
from tests.fake_openai import MODEL, FakeOpenAI, Script
from tests.served import listening, served, services
from ui.api.limits import Limits
from ui.server import Stop, application

QUESTION = {"question": "How much did PromptLadder raise the pass rate?"}
DRAFT = "PromptLadder raised the pass rate by 12.5% in a study with 8,349 students [1]. " * 40
SLOW = Script(DRAFT, pause=0.2)  # some two minutes if it were let
_CHAT = {"model": "tiny", "messages": [{"role": "user", "content": QUESTION["question"]}]}


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Library]:
    with tiny_library(tmp_path / "tiny") as library:
        yield library


def _slow(library: Library, fake: FakeOpenAI) -> object:
    return services(library, chat_model=MODEL, chat_base_url=fake.base_url)


def _answering(address: str) -> bool:
    return "ibid_answers_in_progress 0.0" not in httpx.get(f"{address}/metrics").text


def _wait(seconds: float, until: object) -> float:
    """How long it took; fails when it takes longer than that."""
    began = time.monotonic()
    while not until():  # type: ignore[operator]  # a callable
        assert time.monotonic() - began < seconds
        time.sleep(0.02)
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/ask", {**QUESTION, "stream": True}), ("/v1/chat/completions", {**_CHAT, "stream": True})],
)
def test_a_client_that_leaves_a_stream_stops_the_model(tiny: Library, path: str, body: dict[str, object]) -> None:
    with FakeOpenAI(SLOW) as fake, served(_slow(tiny, fake)) as address:
        with httpx.stream("POST", address + path, json=body, timeout=30) as reply:
            pieces = reply.iter_text()
            while "by 12.5%" not in (piece := next(pieces)) or "Retrieved" in piece:
                pass  # until the model has spoken
        assert fake.left.wait(2), "the model went on for nobody"
        _wait(2, lambda: not _answering(address))
        assert "ibid_answers_given_up_total 1.0" in httpx.get(f"{address}/metrics").text


@pytest.mark.parametrize(("path", "body"), [("/v1/ask", QUESTION), ("/v1/chat/completions", _CHAT)])
def test_a_client_that_leaves_a_whole_answer_stops_the_model(
    tiny: Library, path: str, body: dict[str, object]
) -> None:
    with FakeOpenAI(SLOW) as fake, served(_slow(tiny, fake)) as address:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(address + path, json=body, timeout=httpx.Timeout(30, read=3))
        assert fake.left.wait(2), "the model went on for nobody"
        _wait(2, lambda: not _answering(address))


def test_a_client_that_leaves_a_model_that_says_nothing_stops_it_too(tiny: Library) -> None:
    with FakeOpenAI(Script(DRAFT, fault="stall", after=20)) as fake, served(_slow(tiny, fake)) as address:
        with httpx.stream("POST", f"{address}/v1/ask", json={**QUESTION, "stream": True}, timeout=30) as reply:
            pieces = reply.iter_text()
            next(pieces)
            _wait(10, lambda: fake.requests)
        _wait(2, lambda: not _answering(address))


def test_slow_streams_block_nobody(tiny: Library) -> None:
    with FakeOpenAI(SLOW) as fake, served(_slow(tiny, fake)) as address:
        streams = [httpx.stream("POST", f"{address}/v1/ask", json={**QUESTION, "stream": True}) for _ in range(8)]
        try:
            for stream in streams:
                stream.__enter__()
            _wait(20, lambda: len(fake.requests) == 8)
            for _ in range(3):
                began = time.monotonic()
                assert httpx.post(f"{address}/v1/search", json=QUESTION, timeout=10).status_code == 200
                refused = httpx.post(f"{address}/v1/ask", json={"question": "Which cars use hydrogen?"}, timeout=10)
                assert refused.json()["status"] == "abstained"  # needs no model
                assert time.monotonic() - began < 3
        finally:
            for stream in streams:
                stream.__exit__(None, None, None)


def test_more_answers_at_once_than_there_are_places_are_told_to_wait(tiny: Library) -> None:
    limits = Limits(answers=8, answers_each=1)
    with FakeOpenAI(SLOW) as fake, served(_slow(tiny, fake), limits=limits) as address:
        with httpx.stream("POST", f"{address}/v1/ask", json={**QUESTION, "stream": True}, timeout=30) as reply:
            pieces = reply.iter_text()  # closed when let go of
            next(pieces)
            refused = httpx.post(f"{address}/v1/ask", json=QUESTION)
            assert (refused.status_code, refused.json()["error"]["code"]) == (429, "busy")
            assert refused.headers["retry-after"] == "1"
        _wait(2, lambda: not _answering(address))


def test_a_model_that_fails_is_told_of_as_what_it_is(tiny: Library) -> None:
    scripts = Script(status=401, error={"message": "Incorrect API key"})
    with FakeOpenAI(scripts) as fake, served(_slow(tiny, fake)) as address:
        reply = httpx.post(f"{address}/v1/ask", json=QUESTION, timeout=30)
        assert (reply.status_code, reply.json()["error"]["code"]) == (502, "model_refused")
        streamed = httpx.post(f"{address}/v1/ask", json={**QUESTION, "stream": True}, timeout=30).text
        assert "event: Error" in streamed
        assert '"code":"model_refused"' in streamed
        assert "event: Finished" not in streamed
        chat = httpx.post(f"{address}/v1/chat/completions", json={**_CHAT, "stream": True}, timeout=30).text
        assert json.loads(chat.strip().split("\n\n")[-1].removeprefix("data: "))["error"]["type"] == "server_error"


def test_a_stopped_server_finishes_its_streams_but_not_for_ever(tiny: Library) -> None:
    quick = Script(DRAFT[:200], pause=0.05)
    for script, whole in ((quick, True), (SLOW, False)):
        with FakeOpenAI(script) as fake:
            stop = Stop()
            app = application(_slow(tiny, fake), stop=stop)  # type: ignore[arg-type]  # Services
            got: list[str] = []
            with listening(app, stop, finish_s=4) as (address, server), ThreadPoolExecutor() as pool:
                started = threading.Event()

                def read(address: str = address, started: threading.Event = started, got: list[str] = got) -> None:
                    body = {**QUESTION, "stream": True}
                    with httpx.stream("POST", f"{address}/v1/ask", json=body, timeout=30) as reply:
                        for piece in reply.iter_text():
                            got.append(piece)
                            started.set()

                reading = pool.submit(read)
                assert started.wait(20)
                began = time.monotonic()
                server.should_exit = True
                error = reading.exception(timeout=20)
                assert time.monotonic() - began < 10
                assert ("event: Finished" in "".join(got)) is whole
                assert whole is (error is None)


def test_an_open_page_does_not_hold_up_the_end(bundled: Library) -> None:
    stop = Stop()
    app = application(services(bundled), stop=stop)
    began = time.monotonic()
    with (
        listening(app, stop, finish_s=10) as (address, server),
        httpx.stream("GET", f"{address}/gradio_api/heartbeat/abc", timeout=30) as reply,
    ):
        pieces = reply.iter_text()
        next(pieces)
        server.should_exit = True
        began = time.monotonic()
        with suppress(httpx.HTTPError):
            for _ in pieces:
                pass
    assert time.monotonic() - began < 5


def test_eight_people_at_once_each_get_their_own_answer(bundled: Library) -> None:
    papers = [paper.title for paper in bundled.papers()][:24]
    with served(services(bundled)) as address:

        def ask(title: str) -> tuple[str, httpx.Response]:
            return title, httpx.post(f"{address}/v1/ask", json={"question": f"What does “{title}” show?"}, timeout=60)

        with ThreadPoolExecutor(8) as people:
            for title, reply in people.map(ask, papers * 2):
                answer = reply.json()
                assert title in answer["question"]
                assert {citation["paper"]["title"] for citation in answer["citations"]} == {title}
                assert (
                    httpx.get(f"{address}/v1/answers/{answer['record_id']}").json()["question"] == answer["question"]
                )
