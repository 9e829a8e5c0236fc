"""Settings, from arguments or `IBID_*` environment variables; an unknown or out-of-range one is an error."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from assistant.errors import SettingsError

OnFailedClaim = Literal["mark", "repair", "replace"]
Strictness = Literal["lenient", "balanced", "strict"]
_ANSWERING = {"chat_model", "chat_base_url"}  # who gives one of these has said what is to answer


class Settings(BaseSettings):
    """How an assistant answers. `Settings.load(**overrides)` turns a bad value into a one-line SettingsError."""

    model_config = SettingsConfigDict(env_prefix="IBID_", extra="forbid", frozen=True)

    library: Path | None = Field(default=None, description="library folder; default: the platform's user-data folder")
    chat_model: str = Field(
        default="quotes",
        description="`quotes`, `local` or `local:NAME` (see `ibid model`), the name of a model at `chat_base_url`, "
        "or `provider:model` of any LangChain provider; default: what `ibid model use` chose, else `quotes`",
    )
    chat_base_url: str | None = Field(default=None, description="an OpenAI-compatible endpoint, e.g. Ollama's /v1")
    chat_api_key: SecretStr | None = Field(default=None, description="key for it; default: `OPENAI_API_KEY`")
    chat_timeout_s: float = Field(
        default=60.0, gt=0, le=3600, description="seconds to wait for the model's next bytes"
    )
    chat_retries: int = Field(default=2, ge=0, le=10, description="retries of a failed call to the model")
    on_failed_claim: OnFailedClaim = Field(
        default="mark",
        description="what becomes of a chat model's sentence that its evidence does not carry: shown marked (`mark`), "
        "asked for once more (`repair`), or replaced by the quote nearest to it (`replace`)",
    )
    prompt_price: float | None = Field(
        default=None, ge=0, description="price of a million tokens that the chat model reads; None: cost is not told"
    )
    completion_price: float | None = Field(default=None, ge=0, description="price of a million tokens that it writes")
    judge_model: str | None = Field(
        default=None, description="a chat model that judges claims besides the rules; see docs/experiments/judge.md"
    )
    judge_base_url: str | None = Field(
        default=None, description="the OpenAI-compatible endpoint that serves the judge; default: `chat_base_url`"
    )
    models: Path | None = Field(
        default=None, description="folder of local models; default: in the platform's user-data folder"
    )
    local_threads: int | None = Field(
        default=None, ge=1, le=256, description="threads of a local model; default: the usable cores, up to 8"
    )
    embedding_model: str = Field(
        default="minilm", description="`minilm` (shipped), or the name of a model at `embedding_base_url`"
    )
    embedding_base_url: str | None = Field(default=None, description="an OpenAI-compatible /v1 endpoint")
    embedding_api_key: SecretStr | None = Field(default=None, description="key for it")
    chroma_url: str | None = Field(
        default=None,
        description="a Chroma server for the vector index, e.g. `http://localhost:8000`, see docs/server-backend.md; "
        "default: embedded",
    )
    chroma_token: SecretStr | None = Field(
        default=None, description="what the proxy before the Chroma server, or Chroma Cloud, asks for"
    )
    chroma_tenant: str = Field(default="default_tenant", min_length=1, description="tenant on the Chroma server")
    chroma_database: str = Field(
        default="default_database", min_length=1, description="database on the Chroma server"
    )
    papers: int = Field(default=8, ge=1, le=50, description="papers whose sentences are considered for an answer")
    sentences: int = Field(default=5, ge=1, le=20, description="most sentences in a quoted answer")
    strictness: Strictness = Field(default="balanced", description="how readily Ibid refuses")
    token: SecretStr | None = Field(
        default=None, description="what a client of `ibid serve` must present; needed to serve beyond this machine"
    )
    auth_file: Path | None = Field(
        default=None, description="file of the users of `ibid serve`; `ibid serve --add-user NAME` writes it"
    )
    max_unpacked_gb: int = Field(
        default=64,
        ge=1,
        le=4096,
        description="GiB that a compressed source may become; more is refused while it is read",
    )
    lock_wait_s: float = Field(default=0.0, ge=0, le=600, description="seconds to wait for another writer")

    @field_validator("chat_base_url", "judge_base_url", "embedding_base_url", "chroma_url")
    @classmethod
    def _is_http(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url.rstrip("/") if url else None

    @field_validator("chroma_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        """It is shown in messages and kept beside the index, so no secret may be in it."""
        if url is None:
            return None
        parts = urlsplit(url)
        if "@" in parts.netloc:
            raise ValueError("must not hold a user or password; give what the server asks for as IBID_CHROMA_TOKEN")
        try:
            usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            usable = False
        if not usable or parts.query or parts.fragment or any(map(str.isspace, url)):
            raise ValueError("must be http://host:port, with a path where a proxy wants one")
        return url

    @classmethod
    def load(cls, **overrides: Any) -> Settings:
        """Settings from the environment with `overrides` on top; raises SettingsError."""
        known = {f"IBID_{name.upper()}" for name in cls.model_fields}
        for variable in os.environ:
            if variable.startswith("IBID_") and variable not in known:
                raise SettingsError(f"unknown setting {variable}; known are {', '.join(sorted(known))}")
        try:
            made = cls(**overrides)
            return made if made.model_fields_set & _ANSWERING else made._with_the_chosen_model()
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            given = re.sub(r"//[^/@\s]*@", "//…@", repr(first.get("input")))  # no password into a terminal's history
            raise SettingsError(f"setting {name} = {given}: {first['msg']}") from error

    def _with_the_chosen_model(self) -> Settings:
        """What `ibid model use` wrote into the folder of models decides where no setting names a chat model."""
        from assistant.local_models import store

        chosen = store.chosen(self.models_path())
        return self.model_copy(update={"chat_model": chosen}) if chosen else self

    def models_path(self) -> Path:
        """The folder of local models: the setting, else the platform's user-data folder."""
        from assistant.local_models import store

        return self.models.expanduser() if self.models is not None else store.default_folder()

    def library_path(self) -> Path:
        """The library folder to use: the setting, else the platform's user-data folder."""
        if self.library is not None:
            return self.library.expanduser()
        import platformdirs

        return Path(platformdirs.user_data_dir("ibid"))
