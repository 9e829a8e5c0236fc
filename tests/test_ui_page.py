"""The page's conversation logic and its server, without a browser."""

from __future__ import annotations

import asyncio
import copy
import socket

import pytest
from starlette.testclient import TestClient

from assistant.errors import InputError
from assistant.library import Library
from tests.scripted_assistant import PAPER, ScriptedAssistant
from ui.guard import HEADERS, MAX_BODY_BYTES
from ui.server import application, listen
from ui.services import Services
from ui.tabs.chat import MAX_QUESTION_CHARACTERS, Message, Session, replies


def _ask(assistant: ScriptedAssistant, session: Session, question: str) -> list[list[Message]]:
    async def collect() -> list[list[Message]]:
        return [messages async for messages in replies(assistant, session, question)]

    return asyncio.run(collect())


def test_a_question_streams_and_ends_with_its_answer() -> None:
    session = Session()
    seen = _ask(ScriptedAssistant(), session, "How many?")
    assert [message["role"] for message in seen[0]] == ["user"]
    assert any("ibid-draft" in messages[-1]["content"] for messages in seen)
    assert seen[-1] == session.messages
    assert "ibid-references" in session.messages[-1]["content"]


def test_a_session_keeps_one_conversation_and_sessions_do_not_share() -> None:
    assistant = ScriptedAssistant()
    first, second = Session(), Session()
    for session, question in ((first, "one"), (second, "two"), (first, "three")):
        _ask(assistant, session, question)
    assert [conversation for _, conversation in assistant.asked] == [
        "conversation 1",
        "conversation 2",
        "conversation 1",
    ]
    assert len(first.messages) == 4
    assert len(second.messages) == 2


def test_a_question_sent_while_another_is_answered_waits_its_turn() -> None:
    session, assistant = Session(), ScriptedAssistant()

    async def ask(question: str) -> None:
        async for _ in replies(assistant, session, question):
            await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(ask("first"), ask("second"))

    asyncio.run(both())
    assert [message["role"] for message in session.messages] == ["user", "assistant"] * 2
    assert "first" in session.messages[0]["content"]
    assert "second" in session.messages[2]["content"]


def test_a_failure_is_shown_as_one_and_the_next_question_works() -> None:
    session, assistant = Session(), ScriptedAssistant()
    _ask(assistant, session, "broken")
    assert "ibid-failure" in session.messages[-1]["content"]
    _ask(assistant, session, "How many?")
    assert "ibid-answer" in session.messages[-1]["content"]


@pytest.mark.parametrize("question", ["", "  \n\t "])
def test_a_blank_question_asks_nothing(question: str) -> None:
    session, assistant = Session(), ScriptedAssistant()
    assert _ask(assistant, session, question) == [[]]
    assert assistant.asked == []


def test_a_long_question_is_cut_at_the_limit_the_field_enforces() -> None:
    assistant = ScriptedAssistant()
    _ask(assistant, Session(), "x" * (MAX_QUESTION_CHARACTERS + 500))
    assert len(assistant.asked[0][0]) == MAX_QUESTION_CHARACTERS


def test_a_fresh_session_can_be_copied_for_each_visitor() -> None:
    assert copy.deepcopy(Session()).messages == []


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
    assert "59 papers" in client.get("/config").text


@pytest.mark.parametrize(
    "path", ["/gradio_api/upload", "/gradio_api/proxy=http://192.0.2.1/x", "/gradio_api/stream/x"]
)
def test_uploads_and_proxying_are_not_served(client: TestClient, path: str) -> None:
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
