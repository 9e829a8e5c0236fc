"""Token counts: the published ones, from local tables, for any text."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant import tokens
from assistant.errors import SettingsError

# From OpenAI's cookbook, "How to count tokens with tiktoken".
PUBLISHED = {
    "antidisestablishmentarianism": {"cl100k_base": 6, "o200k_base": 6},
    "2 + 2 = 4": {"cl100k_base": 7, "o200k_base": 7},
    "お誕生日おめでとう": {"cl100k_base": 9, "o200k_base": 8},
}


@pytest.mark.parametrize("text", PUBLISHED)
@pytest.mark.parametrize("name", ["cl100k_base", "o200k_base"])
def test_counts_are_the_published_ones(text: str, name: str) -> None:
    assert len(tokens.encoding(name).encode_ordinary(text)) == PUBLISHED[text][name]


def test_count_is_by_cl100k() -> None:
    assert tokens.count("tiktoken is great!") == 6
    assert tokens.encoding().encode_ordinary("tiktoken is great!") == [83, 1609, 5963, 374, 2294, 0]


@pytest.mark.parametrize(
    ("model", "name", "own"),
    [
        ("gpt-4o-mini-2024-07-18", "o200k_base", True),
        ("gpt-5-nano", "o200k_base", True),
        ("gpt-oss-20b", "o200k_base", True),
        ("gpt-4-turbo", "cl100k_base", True),
        ("qwen2.5:1.5b", "cl100k_base", False),
        ("text-davinci-003", "cl100k_base", False),
        ("", "cl100k_base", False),
    ],
)
def test_a_model_of_openai_is_counted_by_its_own_encoding(model: str, name: str, own: bool) -> None:
    counter = tokens.counter(model)
    assert (counter.name, counter.own) == (name, own)
    assert counter.count("お誕生日おめでとう") == PUBLISHED["お誕生日おめでとう"][name]


def test_special_tokens_in_a_text_are_ordinary_characters() -> None:
    assert tokens.count("<|endoftext|>") > 1


@pytest.mark.parametrize("text", ["", "\ud800", "\x00", "😀" * 50, "a" * 100_000, "= " * 50_000])
def test_any_text_can_be_counted(text: str) -> None:
    assert (tokens.count(text) == 0) == (text == "")


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_a_text_has_no_more_tokens_than_bytes(first: str, second: str) -> None:
    text = first + second
    assert tokens.count(text) <= len(text.encode("utf-8", "replace")) + 2 * text.count("\ud800")
    assert tokens.encoding().decode(tokens.encoding().encode_ordinary(first)) == first


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(SettingsError, match="'p50k_base'"):
        tokens.encoding("p50k_base")


def test_tables_come_from_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    tokens.encoding.cache_clear()
    assert tokens.count("offline") >= 1
