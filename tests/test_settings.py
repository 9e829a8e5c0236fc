"""Settings: from arguments or the environment, strict, and each one as the documentation says."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import SettingsError
from assistant.settings import Settings

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"


def test_every_setting_is_documented() -> None:
    text = PAGE.read_text("utf-8")
    for name, field in Settings.model_fields.items():
        assert f"`IBID_{name.upper()}`" in text
        assert field.description


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("papers", "12", 12),
        ("sentences", "3", 3),
        ("strictness", "strict", "strict"),
        ("lock_wait_s", "2.5", 2.5),
        ("chat_model", "ollama:x", "ollama:x"),
        ("chat_base_url", "http://127.0.0.1:11434/v1/", "http://127.0.0.1:11434/v1"),
        ("library", "papers", Path("papers")),
    ],
)
def test_a_setting_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object
) -> None:
    monkeypatch.setenv(f"IBID_{name.upper()}", text)
    assert getattr(Settings.load(), name) == value


def test_an_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IBID_PAPERS", "12")
    assert Settings.load(papers=3).papers == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("papers", 0),
        ("papers", 51),
        ("sentences", "many"),
        ("strictness", "harsh"),
        ("chat_timeout_s", 0),
        ("chat_retries", -1),
        ("chat_base_url", "file:///etc/passwd"),
        ("chroma_url", "localhost:8000"),
        ("nonesuch", 1),
    ],
)
def test_a_wrong_setting_is_named_on_one_line(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=name) as raised:
        Settings.load(**{name: value})
    assert "\n" not in str(raised.value)
    assert repr(value) in str(raised.value)


def test_an_unknown_variable_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IBID_PAPRES", "3")
    with pytest.raises(SettingsError, match="IBID_PAPRES"):
        Settings.load()


def test_a_key_shows_nowhere() -> None:
    settings = Settings.load(chat_api_key="sk-secret", embedding_api_key="sk-secret")
    assert "sk-secret" not in f"{settings!r} {settings} {settings.model_dump(mode='json')}"


def test_the_library_defaults_to_the_users_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load().library_path().is_absolute()
    assert Settings.load(library=tmp_path).library_path() == tmp_path
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings.load(library="~/papers").library_path() == tmp_path / "papers"
