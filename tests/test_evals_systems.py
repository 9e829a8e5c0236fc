"""Other systems: baselines on the bundled papers, and an endpoint over a real local HTTP server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from evals_corpus import bundled_papers, bundled_shelf
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import InputError
from evals import run
from evals.baselines import Options, maker
from evals.baselines.endpoint import Endpoint, Reply, read_reply
from evals.baselines.first_sentence import FirstSentence
from evals.baselines.parsing import declines, keys, sentences
from evals.cases import Case, load, select
from evals.responses import Cited, Corpus, Response, Usage
from evals.testing import OracleAssistant

_PAPER = bundled_papers()[0]
_CORPUS = Corpus(bundled_papers())
_SOURCES = {key: Cited(key, f"p{key}", f"Title {key}") for key in ("1", "2", "3")}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A is so [1]. B is so [2].", [("A is so [1].", ["1"]), ("B is so [2].", ["2"])]),
        ("Cats sleep. [1] Birds sing. [2]", [("Cats sleep. [1]", ["1"]), ("Birds sing. [2]", ["2"])]),
        ("A is so [1, 3].", [("A is so [1, 3].", ["1", "3"])]),
        ("A is so [1-3].", [("A is so [1-3].", ["1", "2", "3"])]),
        ("A is so [9].", [("A is so [9].", [])]),
        ("Nothing cited.", [("Nothing cited.", [])]),
        ("", []),
    ],
)
def test_plain_answers_are_read(text: str, wanted: list[tuple[str, list[str]]]) -> None:
    found = [(said.text, [cited.key for cited in said.citations]) for said in sentences(text, _SOURCES)]
    assert found == wanted


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="Ab. [1]2,-\n", max_size=60))
def test_sentences_slice_to_themselves(text: str) -> None:
    for said in sentences(text, _SOURCES):
        assert text[said.start : said.end] == said.text


def test_a_monstrous_marker_is_bounded() -> None:
    assert len(keys("[1-99999999]")) < 100


@pytest.mark.parametrize(
    ("text", "declined"),
    [
        ("I don't know.", True),
        ("I don\u2019t know.", True),
        ("The provided context does not mention the learning rate.", True),
        ("", True),
        ("The learning rate is 0.001 [1].", False),
        ("They show that models do not know what they miss [1].", False),
    ],
)
def test_refusals_by_wording(text: str, declined: bool) -> None:
    assert declines(text) is declined


def test_first_sentence_quotes_exactly_and_never_refuses_a_question_about_its_papers() -> None:
    cases = select(load("bundled"), limit=40)
    found = run(FirstSentence(bundled_papers()), cases)
    assert found.value("citation_validity") == 1.0
    assert found.value("first_paper") > 0.6  # type: ignore[operator]  # there are answerable cases
    assert found.value("refusal_recall") < 0.3  # type: ignore[operator]  # there are unanswerable cases
    assert found.summary.verdict == "fail"


def test_bm25_is_the_formula() -> None:
    system = FirstSentence(bundled_papers())
    assert system.rank(_PAPER.title)[0] == _PAPER
    assert system.rank("zzzz qqqq") == ()
    assert system.respond(Case("x", "x", "test", "fact", ("zzzz qqqq",))).status == "abstained"


class _Server(BaseHTTPRequestHandler):
    """Speaks just enough of the protocol; `reply` decides what comes back."""

    reply: Any = None
    heard: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server: Any = self.server
        server.heard.append({"path": self.path, "key": self.headers.get("Authorization"), **body})
        status, content = server.reply(body)
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Any]:
    made: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    made.heard = []
    made.options = Options(f"http://127.0.0.1:{made.server_port}/v1", "some-model", "secret", timeout_s=5)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def _completion(text: str, **more: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": 100, "completion_tokens": 20}
    return {"choices": [{"message": {"role": "assistant", "content": text, **more}}], "usage": usage}


def test_an_endpoint_that_cites_papers_is_scored(server: Any) -> None:
    quote = _PAPER.abstract[:50]
    source = {"title": _PAPER.title, "quote": quote, "start": 0, "end": 50}
    server.reply = lambda body: (200, _completion(f"{quote} [1].", citations=[source]))
    case = Case("x", "x", "test", "fact", ("What?",), (_PAPER.title,), ((quote,),))
    found = run(Endpoint(bundled_papers(), server.options), [case])
    assert found.results[0].outcome == "right_and_supported"
    assert found.value("citation_validity") == 1.0
    assert found.value("tokens") == 120
    assert found.summary.metric("cost").unscored == 1
    assert found.summary.metric("recall_at_10").unscored == 1
    asked = server.heard[0]
    assert asked["path"] == "/v1/chat/completions"
    assert asked["key"] == "Bearer secret"
    assert asked["messages"] == [{"role": "user", "content": "What?"}]


def test_turns_are_sent_with_the_replies_between_them(server: Any) -> None:
    server.reply = lambda body: (200, _completion(f"reply {len(body['messages'])}"))
    Endpoint(bundled_papers(), server.options).respond(Case("x", "x", "test", "follow_up", ("one", "two")))
    assert [message["content"] for message in server.heard[1]["messages"]] == ["one", "reply 1", "two"]


@pytest.mark.parametrize(
    ("status", "content", "name"),
    [
        (500, {}, "ModelUnavailable"),
        (429, {}, "ModelUnavailable"),
        (401, {}, "ModelRefused"),
        (200, b"<html>", "ModelMalformed"),
        (200, {"choices": []}, "ModelMalformed"),
        (200, {"choices": [{"message": {"content": None}}]}, "ModelMalformed"),
    ],
)
def test_a_failing_endpoint_is_an_error_not_a_refusal(server: Any, status: int, content: Any, name: str) -> None:
    server.reply = lambda body: (status, content)
    case = Case("x", "x", "test", "unanswerable", ("What?",), answerable=False)
    found = run(Endpoint(bundled_papers(), server.options), [case])
    assert found.results[0].outcome == "error"
    assert found.summary.metric("refusal_recall").unscored == 1
    assert name in next(iter(found.summary.unanswered))
    assert "secret" not in json.dumps(found.summary.to_dict())


def test_nobody_listening_is_an_error(server: Any) -> None:
    closed = Options("http://127.0.0.1:9/v1", "m", timeout_s=2)
    found = run(Endpoint(bundled_papers(), closed), [Case("x", "x", "test", "fact", ("What?",))])
    assert found.summary.errors == 1


def test_ibid_s_own_answer_comes_back_whole_over_the_protocol() -> None:
    case = next(case for case in load("bundled") if case.answerable and len(case.turns) == 1)
    answer = OracleAssistant(bundled_shelf(), [case]).ask(case.question)
    body = _completion(answer.text, ibid=answer.to_dict())
    response = read_reply(Reply(answer.text, body, Usage()), _CORPUS, 0.1)
    assert [said.verdict for said in response.said] == ["quoted"] * len(answer.claims)
    assert [cited.quote for cited in response.citations] == [cited.quote for cited in answer.citations]


@pytest.mark.parametrize(
    "entries", [["A title"], [{"name": "A title"}], [{"paper": {"title": "A title"}}], [3], "x", {}]
)
def test_source_lists_of_any_shape_are_read(entries: Any) -> None:
    response = read_reply(Reply("So [1].", _completion("So [1].", sources=entries), Usage()), _CORPUS, 0.1)
    assert isinstance(response, Response)
    assert len(response.citations) <= 1


def test_unknown_and_incomplete_systems_are_refused() -> None:
    with pytest.raises(InputError, match="no system"):
        maker("nothing", Options())
    with pytest.raises(InputError, match="--base-url"):
        maker("endpoint", Options())


def test_the_langchain_tutorial_runs_on_the_same_cases() -> None:
    pytest.importorskip("langchain_chroma")
    from assistant.testing import HashEmbedder
    from evals.baselines.langchain_tutorial import LangChainTutorial

    cases = select(load("bundled"), limit=12)
    system = LangChainTutorial(bundled_papers(), options=Options(), embedder=HashEmbedder(128))
    found = run(system, cases)
    assert found.summary.errors == 0
    assert found.value("citation_validity") == 1.0
    assert found.summary.metric("recall_at_10").unscored == 0


def test_the_tutorial_s_chat_model_is_given_numbered_papers(server: Any) -> None:
    pytest.importorskip("langchain_chroma")
    from assistant.testing import HashEmbedder
    from evals.baselines.langchain_tutorial import LangChainTutorial

    server.reply = lambda body: (200, _completion("I don't know."))
    system = LangChainTutorial(bundled_papers(), options=server.options, embedder=HashEmbedder(128))
    response = system.respond(Case("x", "x", "test", "fact", (_PAPER.title,)))
    assert response.status == "abstained"
    prompt = server.heard[0]["messages"][0]["content"]
    assert any(f"[1] {paper.title}\n{paper.abstract}" in prompt for paper in bundled_papers())
