"""Tokens and cost: the provider's count, or our own marked as such; a cost only when nothing is guessed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.chat_model import Address
from assistant.engine import Assistant
from assistant.errors import SettingsError
from assistant.settings import Settings
from assistant.spending import Call, Prices, prices_for, spent
from assistant.testing import tiny_library
from tests.fake_openai import MODEL, FakeOpenAI, Script

QUESTION = "By how much did PromptLadder raise the pass rate?"
TOLD = Call({"input_tokens": 1000, "output_tokens": 10}, "", "")


def test_the_providers_count_is_taken_and_priced() -> None:
    found = spent([TOLD, TOLD], Prices(0.5, 2.0))
    assert (found.calls, found.input_tokens, found.output_tokens, found.source) == (2, 2000, 20, "provider")
    assert found.cost == pytest.approx((2000 * 0.5 + 20 * 2.0) / 1_000_000)
    assert found.note() == "cost 0.00104: 2000 tokens read, 20 written"


@pytest.mark.parametrize("prices", [Prices(), Prices(1.0), Prices(None, 1.0)])
def test_without_both_prices_there_is_no_cost(prices: Prices) -> None:
    found = spent([TOLD], prices)
    assert found.cost is None
    assert found.note() is None


@pytest.mark.parametrize("usage", [None, {}, {"input_tokens": 5}, {"input_tokens": 0, "output_tokens": 0}])
def test_what_no_provider_counted_is_counted_by_us_and_never_priced(usage: dict[str, int] | None) -> None:
    found = spent([Call(usage, "How many words?", "Three words."), TOLD], Prices(1.0, 1.0))
    assert found.source == "counted"
    assert found.input_tokens > 1000
    assert found.output_tokens > 10
    assert found.cost is None


OPENAI = Address("gpt-4o-mini-2024-07-18", "openai-chat", None)


def test_a_model_of_openai_has_the_prices_of_a_dated_list() -> None:
    listed = prices_for(Prices(), OPENAI)
    assert (listed.prompt, listed.completion) == (0.15, 0.6)
    assert "March 2026" in listed.source
    told = spent([TOLD], listed)
    assert (told.cost, told.priced_by) == (pytest.approx((1000 * 0.15 + 10 * 0.6) / 1_000_000), listed.source)
    assert f"by {listed.source}" in str(told.note())
    assert prices_for(Prices(), Address("gpt-5", "openai-chat", "https://api.openai.com/v1")).completion == 10.0


def test_the_users_prices_win_and_nobody_elses_are_guessed() -> None:
    assert prices_for(Prices(1.0, 2.0), OPENAI) == Prices(1.0, 2.0)
    for elsewhere in (
        Address("gpt-4o-mini", "openai-chat", "http://127.0.0.1:8080/v1"),
        Address("gpt-4o-mini", "openai-chat", "https://openai.com.example/v1"),
        Address("gpt-4o-mini", "azure-openai-chat", None),
        Address("gpt-99", "openai-chat", None),
    ):
        assert prices_for(Prices(), elsewhere) == Prices()


def test_a_model_of_this_machine_costs_nothing_and_says_nothing_of_it() -> None:
    told = spent([TOLD], prices_for(Prices(), Address("own", "openai-chat", None), free=True))
    assert (told.cost, told.note()) == (0.0, None)


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), min_size=1, max_size=5))
def test_calls_add_up(counts: list[tuple[int, int]]) -> None:
    found = spent([Call({"input_tokens": i, "output_tokens": o}, "", "") for i, o in counts], Prices(0.0, 0.0))
    assert (found.input_tokens, found.output_tokens) == (sum(i for i, _ in counts), sum(o for _, o in counts))
    assert found.cost == 0.0


def test_a_negative_price_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="prompt_price"):
        Settings.load(prompt_price=-1)


def test_the_record_and_a_note_tell_the_cost(tmp_path: Path) -> None:
    with (
        tiny_library(tmp_path) as library,
        FakeOpenAI(Script("PromptLadder raised the pass rate by 12.5% [3].")) as server,
    ):
        told = Settings.load(
            strictness="lenient", chat_model=MODEL, chat_base_url=server.base_url, prompt_price=1, completion_price=10
        )
        answer = Assistant(library, settings=told).ask(QUESTION)
        record = library.record(answer.record_id)
    assert record.model["spent"] == {
        "calls": 1,
        "input_tokens": 100,
        "output_tokens": 20,
        "source": "provider",
        "cost": pytest.approx(0.0003),
        "counted_by": "",
        "priced_by": "",
    }
    assert answer.notes == ("cost 0.0003: 100 tokens read, 20 written",)
