"""The page's server, without a browser."""

from __future__ import annotations

import socket

import pytest
from starlette.testclient import TestClient

from assistant.errors import InputError
from assistant.library import Library
from tests.scripted_assistant import PAPER, ScriptedAssistant
from ui.guard import HEADERS, MAX_BODY_BYTES
from ui.server import application, listen
from ui.services import Services


def test_a_taken_port_gives_the_next_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with listen("127.0.0.1", port) as found:
            assert port < found.getsockname()[1] <= port + 100


def test_an_address_of_another_machine_is_refused_in_one_line() -> None:
    with pytest.raises(InputError, match=r"^cannot listen on '192\.0\.2\.1': .*; use 127\.0\.0\.1$"):
        listen("192.0.2.1", 7860)


@pytest.fixture(scope="module")
def client(bundled: Library) -> TestClient:
    app = application(Services(bundled, ScriptedAssistant(), ("What is it?",)))
    return TestClient(app, base_url="http://127.0.0.1:7860")


def test_every_reply_carries_the_security_headers(client: TestClient) -> None:
    for path in ("/", "/no-such-page", "/gradio_api/upload"):
        headers = client.get(path).headers
        assert {name: headers[name] for name in HEADERS} == HEADERS


def test_the_page_names_no_other_machine_to_load_from(client: TestClient) -> None:
    page = client.get("/").text
    assert "fonts.googleapis" not in page
    assert "cdnjs" not in page
    assert "ibid-chat" in client.get("/config").text


def test_the_pages_files_are_served_and_no_others(client: TestClient) -> None:
    for name in ("page.css", "page.js", "newsreader-latin-wght-normal.woff2"):
        assert client.get(f"/page/{name}").status_code == 200
    for name in ("page.py", "services.py", "..%2fpage.py", "LICENSE-newsreader.txt"):
        assert client.get(f"/page/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/gradio_api/proxy=http://192.0.2.1/x", "/gradio_api/stream/x"])
def test_proxying_is_not_served(client: TestClient, path: str) -> None:
    assert client.post(path, files={"files": b"x"}).status_code == 404


def test_a_large_body_is_refused(client: TestClient) -> None:
    reply = client.post("/gradio_api/queue/join", content=b'"' + b"x" * MAX_BODY_BYTES + b'"')
    assert reply.status_code == 413


def test_a_name_rebound_to_loopback_is_turned_away(client: TestClient) -> None:
    assert client.get("/", headers={"host": "attacker.example"}).status_code == 400
    assert client.get("/", headers={"host": "localhost:7860"}).status_code == 200


def test_no_file_of_the_machine_is_served(client: TestClient) -> None:
    for path in ("/gradio_api/file=/etc/passwd", "/gradio_api/file=pyproject.toml", "/static/../../../etc/passwd"):
        assert client.get(path).status_code in {403, 404}


def test_the_scripted_paper_is_hostile_enough_to_test_with() -> None:
    assert "<script>" in PAPER.abstract
