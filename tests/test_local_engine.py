"""The local engine: a server in a process of its own, its crash, and the chat that goes on. A fake runtime stands in;
`make test-local` asks a real model."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from assistant import chat_model
from assistant.answers import Answer, ClaimVerified, Finished, Token
from assistant.engine import Assistant
from assistant.errors import ModelUnavailable, SettingsError
from assistant.library import Library
from assistant.local_models import running, sources
from assistant.local_models.chat import LocalChat
from assistant.local_models.running import Job, LocalServer
from assistant.settings import Settings
from assistant.testing import tiny_library
from tests.conftest import CORPUS

ROOT = Path(__file__).resolve().parents[1]
QUESTION = "By how much did PromptLadder raise the pass rate?"
GOOD = "PromptLadder raised the pass rate by 12.5% [3]."
REAL = os.environ.get("LOCAL_MODEL_FILE")  # a GGUF file; not IBID_…, which tests do not see


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with tiny_library(Path(tmp_path_factory.mktemp("tiny"))) as opened:
        yield opened


@pytest.fixture
def made() -> Iterator[list[LocalServer]]:
    """Servers of a test, ended after it."""
    servers: list[LocalServer] = []
    yield servers
    for server in servers:
        server.stop()


def serve(made: list[LocalServer], folder: Path, text: str = GOOD, fault: str = "") -> LocalServer:
    path = folder / "model.gguf"
    path.write_text("GGUF" + json.dumps({"text": text, "fault": fault}))
    made.append(LocalServer(Job("fake", path, 1, runtime="tests.fake_runtime")))
    return made[-1]


def model(server: LocalServer) -> LocalChat:
    settings = Settings.load(chat_retries=0, chat_timeout_s=20)

    def over_http(base_url: str, key: str) -> chat_model.BaseChatModel:
        told = settings.model_copy(
            update={"chat_model": "fake", "chat_base_url": base_url, "chat_api_key": _secret(key)}
        )
        return chat_model.connect(told)

    return LocalChat(model_name="fake", server=server, over_http=over_http)


def _secret(key: str) -> object:
    from pydantic import SecretStr

    return SecretStr(key)


def lenient(library: Library, server: LocalServer) -> Assistant:
    return Assistant(library, model=model(server), settings=Settings.load(strictness="lenient"))


def test_it_answers_through_a_server_of_its_own(library: Library, made: list[LocalServer], tmp_path: Path) -> None:
    server = serve(made, tmp_path)
    assistant = lenient(library, server)
    assert not server.running  # nothing starts before a question is asked
    answer = assistant.ask(QUESTION)
    assert answer.text == "PromptLadder raised the pass rate by 12.5% [1]."
    assert answer.engine == "chat:fake"
    assert server.running
    first = server.pid
    assistant.ask(QUESTION)
    assert server.pid == first
    told = str(library.record(answer.record_id))
    assert server.key not in told
    prompts = library.record(answer.record_id).prompts
    assert prompts["tokens_by"] == "fake's own"
    assert prompts["evidence_tokens"] == len(prompts["messages"][1]["content"].split("\n\n")[0].split()) - 1
    assert library.record(answer.record_id).model["spent"]["cost"] == 0.0
    assert "'base_url': None" in told


def test_what_the_papers_say_besides_follows_in_their_own_words(
    library: Library, made: list[LocalServer], tmp_path: Path
) -> None:
    assistant = lenient(library, serve(made, tmp_path))
    events = list(assistant.stream("What is PromptLadder?"))
    assert isinstance(events[-1], Finished)
    answer = events[-1].answer
    first, *rest = answer.claims
    assert first.text == "PromptLadder raised the pass rate by 12.5% [1]."
    assert answer.text.startswith(f"{first.text}\nIn the papers' words: ")
    assert 1 <= len(rest) <= 2
    resting = {(citation.paper.id, citation.start) for citation in first.citations}
    for claim in rest:  # what the papers say besides, in their own words
        assert claim.verdict == "quoted"
        assert answer.text[claim.start : claim.end] == claim.text
        assert not resting & {(citation.paper.id, citation.start) for citation in claim.citations}
    assert "".join(event.text for event in events if isinstance(event, Token)) == answer.text


def test_a_refused_question_starts_no_model(library: Library, made: list[LocalServer], tmp_path: Path) -> None:
    server = serve(made, tmp_path)
    answer = Assistant(library, model=model(server)).ask("How do I bake bread with rye flour?")
    assert answer.status == "abstained"
    assert not server.running


def test_a_model_of_this_size_does_not_decide_to_refuse(
    library: Library, made: list[LocalServer], tmp_path: Path
) -> None:
    answer = lenient(library, serve(made, tmp_path, text="NOT STATED")).ask(QUESTION)
    assert answer.status == "answered"
    assert {claim.verdict for claim in answer.claims} == {"quoted"}
    assert answer.notes[-1] == "the model's reply held no answer, so the abstracts are quoted instead"
    record = library.record(answer.record_id)
    assert record.model["draft"] == "NOT STATED"
    assert "answer-local" in record.prompts
    assert "NOT STATED" not in record.prompts["messages"][0]["content"]


@pytest.mark.parametrize("text", ["[3]", "NOT STATED", "Rye flour rises best at 240 degrees [1]."])
def test_a_reply_that_nothing_carries_is_a_refusal_where_the_decision_was_near(
    library: Library, made: list[LocalServer], tmp_path: Path, text: str
) -> None:
    def ask(question: str, near: float) -> Answer:
        asked = model(server)
        asked.silence_refuses_below = near
        return Assistant(library, model=asked, settings=Settings.load(strictness="balanced")).ask(question)

    server = serve(made, tmp_path, text=text)
    refused = ask(QUESTION, 1.1)
    assert refused.status == "abstained"
    assert refused.abstention is not None
    assert refused.abstention.reason == "not_stated"
    assert refused.notes[-1] == "the model found nothing to say that the evidence carries"
    assert library.record(refused.record_id).model["draft"] == text
    quoted = ask(QUESTION, 0.0)
    assert (quoted.status, quoted.claims[0].verdict) == ("answered", "quoted")
    assert lenient(library, server).ask(QUESTION).status == "answered"


def test_a_reply_that_broke_off_is_no_refusal(library: Library, made: list[LocalServer], tmp_path: Path) -> None:
    asked = model(
        serve(made, tmp_path, fault="crash", text="Rye flour rises best at 240 degrees, as bakers say [1].")
    )
    asked.silence_refuses_below = 1.1
    answer = Assistant(library, model=asked, settings=Settings.load(strictness="balanced")).ask(QUESTION)
    assert answer.status == "answered"
    assert answer.notes[0].startswith("incomplete: ")


def test_a_crash_in_an_answer_is_told_and_the_next_answer_is_whole(
    library: Library, made: list[LocalServer], tmp_path: Path
) -> None:
    server = serve(made, tmp_path, fault="crash")
    assistant = lenient(library, server)
    broken = assistant.ask(QUESTION)
    assert (
        "incomplete: local model 'fake' was ended by signal 9 (out of memory?); ask again, it is started anew"
        in broken.notes
    )
    assert all(claim.verdict != "supported" for claim in broken.claims)
    assert not server.running
    assert assistant.ask(QUESTION).text == "PromptLadder raised the pass rate by 12.5% [1]."


def test_a_server_that_died_between_answers_is_started_again(
    library: Library, made: list[LocalServer], tmp_path: Path
) -> None:
    server = serve(made, tmp_path, text=GOOD + " And")
    assistant = lenient(library, server)
    assistant.ask(QUESTION)
    pid = server.pid
    assert pid is not None
    os.kill(pid, 9)
    deadline = time.monotonic() + 10
    while server.running and time.monotonic() < deadline:
        time.sleep(0.02)
    assert assistant.ask(QUESTION).status == "answered"
    assert server.pid != pid


@pytest.mark.parametrize(
    ("fault", "told"), [("refuse", "Failed to init server"), ("die", r"ended with code 3 \(error: no memory left\)")]
)
def test_a_model_that_does_not_start_is_one_line(
    library: Library, made: list[LocalServer], tmp_path: Path, fault: str, told: str
) -> None:
    server = serve(made, tmp_path, fault=fault)
    with pytest.raises(
        ModelUnavailable, match=rf"local model 'fake' did not start: {told}.*ibid model status --check"
    ) as e:
        lenient(library, server).ask(QUESTION)
    assert "\n" not in str(e.value)


def test_the_server_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_text("GGUF" + json.dumps({"text": GOOD}))
    code = (
        "import sys, os; from pathlib import Path; from assistant.local_models.running import Job, server\n"
        "s = server(Job('fake', Path(sys.argv[1]), 1, runtime='tests.fake_runtime')); s.address()\n"
        "print(s.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    pid = int(done.stdout)
    deadline = time.monotonic() + 10
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def test_a_server_that_counts_no_tokens_leaves_it_to_a_table(made: list[LocalServer], tmp_path: Path) -> None:
    server = serve(made, tmp_path)
    assert server.tokens("three words here") is None  # it is not running
    server.address()
    assert server.tokens("three words here") == 3


def test_equal_jobs_share_one_server(tmp_path: Path) -> None:
    job = Job("fake", tmp_path / "model.gguf", 1)
    assert running.server(job) is running.server(replace(job))
    assert running.server(job) is not running.server(replace(job, threads=2))


def test_its_time_outs_are_its_own_unless_given(tmp_path: Path) -> None:
    if find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp is not installed: pip install 'ibid-papers[local]'")
    source = tmp_path / "own.gguf"
    source.write_bytes(b"GGUF own")
    sources.from_file(tmp_path / "models", source, None, "own")
    for given, seconds in (({}, 180.0), ({"chat_timeout_s": 7.0}, 7.0)):
        made = chat_model.connect(Settings.load(models=tmp_path / "models", chat_model="local", **given))
        assert isinstance(made, LocalChat)
        client = made.over_http("http://127.0.0.1:9/v1", "k")
        assert client.request_timeout.read == seconds  # type: ignore[attr-defined]  # ChatOpenAI's
        assert client.max_retries == 0  # type: ignore[attr-defined]
        assert not made.server.running


def test_without_the_runtime_there_is_one_line() -> None:
    if find_spec("xllamacpp") is not None:
        pytest.skip("xllamacpp is installed")
    with pytest.raises(SettingsError, match=r"pip install 'ibid-papers\[local\]'"):
        running.require_runtime()


# --- a real model -----------------------------------------------------------------------------------------------------

needs_a_model = pytest.mark.skipif(
    REAL is None or not Path(REAL).is_file() or find_spec("xllamacpp") is None,
    reason="needs xllamacpp and a model: make test-local LOCAL_MODEL_FILE=FILE.gguf",
)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    from ingest import add

    folder = tmp_path_factory.mktemp("real")
    (folder / "models").mkdir()
    (folder / "models" / "real.gguf").symlink_to(Path(REAL or "").resolve())
    (folder / "models" / "real.json").write_text(json.dumps({"sha256": "not read here", "own": True}))
    settings = Settings.load(models=folder / "models", chat_model="local:real", chat_timeout_s=900)
    with Library.open(folder / "library") as library:
        add(library, CORPUS)
        yield Assistant(library, settings=settings)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@needs_a_model
@pytest.mark.parametrize(
    "question", ["What is ExPO?", "Which moral stage do responses reach with AI Development Support?"]
)
def test_a_real_model_answers_with_checked_claims(real: Assistant, question: str) -> None:
    events = list(real.stream(question))
    assert isinstance(events[-1], Finished)
    answer: Answer = events[-1].answer
    assert answer.engine == "chat:real"
    assert answer.status == "answered"
    assert answer.citations
    for claim in answer.claims:
        assert answer.text[claim.start : claim.end] == claim.text
    for citation in answer.citations:
        assert citation.paper.abstract[citation.start : citation.end] == citation.quote
    assert any(isinstance(event, Token | ClaimVerified) for event in events)
    record = real.library.record(answer.record_id)
    assert record.prompts["tokens_by"] == "real's own"
    assert 100 < record.prompts["evidence_tokens"] < 400
    assert record.prompts["evidence_tokens"] < record.model["usage"]["input_tokens"] < 650


@pytest.mark.slow
@pytest.mark.timeout(600)
@needs_a_model
def test_a_real_server_shows_no_page_and_asks_for_its_key(real: Assistant) -> None:
    import urllib.error
    import urllib.request

    served = asyncio.run(asyncio.to_thread(real._chat_model))
    assert isinstance(served, LocalChat)
    base = served.server.address().removesuffix("/v1")
    assert served.server.well()

    def get(path: str, key: str) -> tuple[int, str | None]:
        asked = urllib.request.Request(
            base + path, headers={"Authorization": f"Bearer {key}", "Origin": "http://a.example"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=20) as got:
                return got.status, got.headers["Access-Control-Allow-Origin"]
        except urllib.error.HTTPError as error:
            return error.code, error.headers["Access-Control-Allow-Origin"]

    assert get("/", served.server.key)[0] == 404
    assert get("/v1/models", "guessed")[0] == 401
    assert get("/v1/models", served.server.key) == (200, "http://127.0.0.1")
