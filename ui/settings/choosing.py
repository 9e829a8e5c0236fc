"""The form of the Settings tab: what it shows of the settings, and which settings it makes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, SecretStr, field_validator

from assistant.errors import SettingsError
from assistant.settings import OnFailedClaim, Settings, Strictness

Engine = Literal["quotes", "local", "server", "provider"]
_NO_KEY: Final = "none"  # sent to a server that was named here, so that no key of the environment goes to it


class Choice(BaseModel):
    """What somebody chose. `key` is empty to keep the one in use, as long as it would go to where it went before."""

    engine: Engine = "quotes"
    model: Annotated[str, Field(max_length=200)] = ""
    base_url: Annotated[str, Field(max_length=500)] = ""
    key: Annotated[SecretStr, Field(max_length=1000)] = SecretStr("")
    forget_key: bool = False
    papers: Annotated[int, Field(ge=1, le=50)] = 8
    sentences: Annotated[int, Field(ge=1, le=20)] = 5
    on_failed_claim: OnFailedClaim = "mark"
    strictness: Strictness = "balanced"

    @field_validator("model", "base_url")
    @classmethod
    def _without_blanks_around(cls, text: str) -> str:
        return text.strip()


def shown(settings: Settings) -> dict[str, Any]:
    """The settings as the form has them; of a key only whether there is one."""
    engine = engine_of(settings)
    model = settings.chat_model
    if engine == "local":
        model = model.partition(":")[2]
    return {
        "engine": engine,
        "model": "" if engine == "quotes" else model,
        "base_url": settings.chat_base_url or "",
        "key": _key_of(settings),
        "papers": settings.papers,
        "sentences": settings.sentences,
        "on_failed_claim": settings.on_failed_claim,
        "strictness": settings.strictness,
    }


def engine_of(settings: Settings) -> Engine:
    """Which of the form's four ways of answering the settings name."""
    if settings.chat_base_url is not None:
        return "server"
    if settings.chat_model == "quotes":
        return "quotes"
    return "local" if settings.chat_model.partition(":")[0] == "local" else "provider"


def chosen(choice: Choice, now: Settings, started: Settings) -> Settings:
    """The settings in use with what was chosen. Raises SettingsError."""
    given = {name: getattr(now, name) for name in now.model_fields_set if not name.startswith("chat_")}
    kept = {name: getattr(started, name) for name in ("chat_timeout_s", "chat_retries")}
    model, base_url = _named(choice)
    where = _place(model, base_url)
    key: SecretStr | None = None if base_url is None else SecretStr(_NO_KEY)
    if choice.key.get_secret_value().strip():
        key = SecretStr(choice.key.get_secret_value().strip())
    elif not choice.forget_key:
        for known in (now, started):  # a key goes only where it went before
            if where == _place(known.chat_model, known.chat_base_url):
                key = known.chat_api_key
                break
    own = {name: getattr(choice, name) for name in ("papers", "sentences", "on_failed_claim", "strictness")}
    told = {"chat_model": model, "chat_base_url": base_url, "chat_api_key": key}
    return Settings.load(**{**given, **kept, **own, **told})


def _named(choice: Choice) -> tuple[str, str | None]:
    """(chat model, address)."""
    if choice.engine == "quotes":
        return "quotes", None
    if choice.engine == "local":
        return f"local:{choice.model}" if choice.model else "local", None
    if not choice.model:
        raise SettingsError(
            "name the model, such as " + ("llama3.2" if choice.engine == "server" else "openai:gpt-4o-mini")
        )
    if choice.engine == "provider":
        return choice.model, None
    if not choice.base_url:
        raise SettingsError("give the server's address, such as http://127.0.0.1:11434/v1")
    return choice.model, choice.base_url


def _place(model: str, base_url: str | None) -> str:
    """Where a key would be sent."""
    return base_url.rstrip("/") if base_url is not None else f"provider {model.partition(':')[0]}"


def _key_of(settings: Settings) -> Literal["given", "environment", ""]:
    if settings.chat_api_key is not None:
        return "given" if settings.chat_api_key.get_secret_value() != _NO_KEY else ""
    fits = settings.chat_base_url is not None or settings.chat_model.startswith("openai:")
    return "environment" if fits and os.environ.get("OPENAI_API_KEY") else ""


def variables(settings: Settings) -> Mapping[str, str]:
    """The environment with which the server would start like this again; a key is left to the reader."""
    values = {
        "IBID_CHAT_MODEL": settings.chat_model,
        "IBID_CHAT_BASE_URL": settings.chat_base_url or "",
        "IBID_PAPERS": str(settings.papers),
        "IBID_SENTENCES": str(settings.sentences),
        "IBID_ON_FAILED_CLAIM": settings.on_failed_claim,
        "IBID_STRICTNESS": settings.strictness,
    }
    usual = {f"IBID_{name.upper()}": str(field.default or "") for name, field in Settings.model_fields.items()}
    return {name: value for name, value in values.items() if value != usual[name]}
