"""Reaching a chat model over real HTTP on loopback, and every way in which that fails."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest
from langchain_core.messages import HumanMessage

from assistant import chat_model
from assistant.errors import ModelError, ModelMalformed, ModelRefused, ModelUnavailable, SettingsError
from assistant.settings import Settings
from tests.fake_openai import MODEL, FakeOpenAI, Script

QUESTION = [HumanMessage("What does PromptLadder do?")]
TEXT = "PromptLadder grades prompts in five steps [1]."


def settings(server: FakeOpenAI | None = None, **more: object) -> Settings:
    given = {"chat_model": MODEL, "chat_timeout_s": 0.6, "chat_retries": 0, **more}
    if server is not None:
        given["chat_base_url"] = server.base_url
    return Settings.load(**given)


async def listen(given: Settings) -> tuple[str, chat_model.Reply]:
    reply = chat_model.Reply(chat_model.connect(given))
    return "".join([piece async for piece in reply.pieces(QUESTION)]), reply


def fails(given: Settings) -> ModelError:
    """The one error that a call ends in, checked to be a single line that names the model."""
    with pytest.raises(ModelError) as caught:
        asyncio.run(listen(given))
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 600
    assert f"chat model {given.chat_model!r}" in line
    return caught.value


def test_a_reply_streams_with_usage_and_finish_reason() -> None:
    with FakeOpenAI(Script(TEXT)) as server:
        text, reply = asyncio.run(listen(settings(server)))
    assert text == TEXT
    assert reply.finish_reason == "stop"
    assert reply.usage is not None
    assert (reply.usage["input_tokens"], reply.usage["output_tokens"]) == (100, 20)
    assert reply.served_by == MODEL
    request = server.requests[0]
    assert request["stream"] is True
    assert request["temperature"] == 0.0
    assert request["messages"] == [{"role": "user", "content": "What does PromptLadder do?"}]


def test_one_model_serves_several_event_loops() -> None:
    with FakeOpenAI(Script(TEXT)) as server:
        model = chat_model.connect(settings(server, chat_retries=2))

        async def ask() -> str:
            return "".join([piece async for piece in chat_model.Reply(model).pieces(QUESTION)])

        assert [asyncio.run(ask()) for _ in range(3)] == [TEXT] * 3


def test_the_key_of_the_settings_is_sent_and_a_wrong_one_is_told_without_showing_it() -> None:
    with FakeOpenAI(Script(TEXT), key="right-key") as server:
        assert asyncio.run(listen(settings(server, chat_api_key="right-key")))[0] == TEXT
        error = fails(settings(server, chat_api_key="wrong-key"))
    assert isinstance(error, ModelRefused)
    assert "refused the key" in str(error)
    assert "wrong-key" not in str(error)


def test_the_key_of_the_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    with FakeOpenAI(Script(TEXT), key="from-environment") as server:
        assert asyncio.run(listen(settings(server)))[0] == TEXT


def test_a_proxy_of_the_environment_is_not_asked_for_a_model_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{closed.getsockname()[1]}"
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        with FakeOpenAI(Script(TEXT)) as server:
            assert asyncio.run(listen(settings(server)))[0] == TEXT


def test_an_unknown_model_is_refused_with_the_names_of_those_served() -> None:
    with FakeOpenAI(Script(TEXT)) as server:
        error = fails(settings(server, chat_model="absent"))
    assert isinstance(error, ModelRefused)
    assert "no such model" in str(error)
    assert str(error).endswith(f"it serves {MODEL!r}")


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = fails(settings(chat_base_url=f"http://127.0.0.1:{port}/v1"))
    assert isinstance(error, ModelUnavailable)
    assert "cannot be reached" in str(error)


@pytest.mark.parametrize(
    "message",
    [
        {"message": "This model's maximum context length is 2048 tokens", "code": "context_length_exceeded"},
        {"message": "the request exceeds the available context size, try increasing it"},
    ],
)
def test_a_context_too_long_is_refused(message: dict[str, str]) -> None:
    with FakeOpenAI(Script(status=400, error=message)) as server:
        error = fails(settings(server))
    assert isinstance(error, ModelRefused)
    assert "cannot read that much" in str(error)


def test_a_rate_limit_waits_as_long_as_the_server_asks_and_then_succeeds() -> None:
    limited = Script(status=429, headers={"Retry-After": "0.4"}, error={"message": "slow down"})
    with FakeOpenAI(limited, Script(TEXT)) as server:
        text, _ = asyncio.run(listen(settings(server, chat_retries=1)))
    assert text == TEXT
    assert server.times[1] - server.times[0] >= 0.4


def test_a_rate_limit_past_the_retries_is_told_with_the_wait() -> None:
    limited = Script(status=429, headers={"Retry-After": "0.05"}, error={"message": "slow down"})
    with FakeOpenAI(limited) as server:
        error = fails(settings(server, chat_retries=2))
    assert len(server.requests) == 3
    assert isinstance(error, ModelUnavailable)
    assert "asks to wait 0.05 s" in str(error)
    assert "slow down" in str(error)


def test_a_wait_beyond_reason_is_not_slept_through() -> None:
    limited = Script(status=429, headers={"Retry-After": "86400"}, error={"message": "come tomorrow"})
    with FakeOpenAI(limited) as server:
        error = fails(settings(server, chat_retries=5))
    assert len(server.requests) == 1
    assert "asks to wait 86400 s" in str(error)


def test_a_failing_server_is_asked_again_and_then_told() -> None:
    with FakeOpenAI(Script(status=500, error={"message": "out of memory"}), Script(TEXT)) as server:
        assert asyncio.run(listen(settings(server, chat_retries=1)))[0] == TEXT
    with FakeOpenAI(Script(status=500, error={"message": "out of memory"})) as server:
        error = fails(settings(server))
    assert isinstance(error, ModelUnavailable)
    assert "out of memory" in str(error)


def test_waits_between_tries_grow_are_bounded_and_differ() -> None:
    failing = Script(status=503, error={"message": "loading"})
    with FakeOpenAI(failing) as server:
        for _ in range(2):  # patient: a try that a busy machine cuts short would not be counted
            fails(settings(server, chat_retries=2, chat_timeout_s=30))
    assert len(server.requests) == 6
    first, second = server.times[:3], server.times[3:]
    waits = [(tries[1] - tries[0], tries[2] - tries[1]) for tries in (first, second)]
    for short, long in waits:
        assert 0.35 <= short < long < 5.0
    assert waits[0] != waits[1]


@pytest.mark.parametrize("after", [0, 3])
def test_a_stall_prints_no_line_of_its_own(after: int, capfd: pytest.CaptureFixture[str]) -> None:
    with FakeOpenAI(Script(TEXT, fault="stall", after=after)) as server:
        fails(settings(server))
    logger = logging.getLogger("langchain_openai")
    assert any(isinstance(handler, logging.NullHandler) for handler in logger.handlers)
    assert "stream_chunk_timeout" not in capfd.readouterr().err


def test_another_refusal_is_told_in_the_servers_words() -> None:
    with FakeOpenAI(Script(status=422, error={"message": "temperature must be positive"})) as server:
        error = fails(settings(server))
    assert isinstance(error, ModelRefused)
    assert "temperature must be positive" in str(error)


@pytest.mark.parametrize("after", [0, 3])
def test_a_stalled_stream_ends_after_the_time_limit(after: int) -> None:
    with FakeOpenAI(Script(TEXT, fault="stall", after=after)) as server:
        error = fails(settings(server))
    assert isinstance(error, ModelUnavailable)
    assert ("stalled" if after else "did not answer in time") in str(error)


@pytest.mark.parametrize("fault", ["truncate", "drop"])
def test_a_stream_without_its_end_is_an_error_after_its_pieces(fault: str) -> None:
    async def both(given: Settings) -> tuple[str, ModelError | None]:
        text = ""
        try:
            async for piece in chat_model.Reply(chat_model.connect(given)).pieces(QUESTION):
                text += piece
        except ModelError as error:
            return text, error
        return text, None

    with FakeOpenAI(Script(TEXT, fault=fault, after=3)) as server:  # type: ignore[arg-type]  # a Fault by the parameters
        text, error = asyncio.run(both(settings(server)))
    assert text == TEXT[:18]
    assert isinstance(error, ModelUnavailable)


@pytest.mark.parametrize("fault", ["garbage", "html", "shapeless"])
def test_what_breaks_the_protocol_is_malformed(fault: str) -> None:
    with FakeOpenAI(Script(TEXT, fault=fault, after=1)) as server:  # type: ignore[arg-type]  # a Fault by the parameters
        error = fails(settings(server))
    assert isinstance(error, ModelMalformed)


@pytest.mark.parametrize("fault", ["truncate", "html"])
def test_a_reply_that_holds_nothing_says_so(fault: str) -> None:
    with FakeOpenAI(Script("", fault=fault)) as server:  # type: ignore[arg-type]  # a Fault by the parameters
        assert "sent no reply that can be read" in str(fails(settings(server)))


def test_a_name_without_an_address_or_provider_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="IBID_CHAT_BASE_URL"):
        chat_model.connect(Settings.load(chat_model="qwen"))
    with pytest.raises(SettingsError, match="IBID_CHAT_BASE_URL"):
        chat_model.connect(Settings.load(chat_model="qwen2.5:1.5b"))


def test_a_provider_whose_package_is_absent_is_a_settings_error_that_names_it() -> None:
    with pytest.raises(SettingsError, match="langchain-anthropic"):
        chat_model.connect(Settings.load(chat_model="anthropic:claude"))


def test_a_provider_without_its_key_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="IBID_CHAT_API_KEY"):
        chat_model.connect(Settings.load(chat_model="openai:gpt-4o-mini"))
    with pytest.raises(SettingsError, match="Unsupported provider='nobody'; a model of your own server"):
        chat_model.connect(Settings.load(chat_model="nobody:gpt"))
    model = chat_model.connect(Settings.load(chat_model="openai:gpt-4o-mini", chat_api_key="k"))
    assert chat_model.address(model).name == "gpt-4o-mini"


def test_an_address_tells_no_password() -> None:
    model = chat_model.connect(settings(chat_base_url="http://me:secret@127.0.0.1:9/v1"))
    assert chat_model.address(model).base_url == "http://127.0.0.1:9/v1"
