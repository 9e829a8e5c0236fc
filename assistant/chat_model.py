"""Chat models: how one is reached, how its reply is listened to, and what its failures are called.

`connect` builds a client from the settings and opens no socket; `Reply` streams one reply. Whatever a provider's client
raises becomes one line of ModelUnavailable, ModelRefused or ModelMalformed.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from assistant.errors import IbidError, ModelError, ModelMalformed, ModelRefused, ModelUnavailable, SettingsError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk, BaseMessage

    from assistant.settings import Settings
    from assistant.tokens import Counter

_CONNECT_S = 10.0  # to reach a server at all; a loaded model may then think for `chat_timeout_s`
_REASON_CHARACTERS = 240
# A kept connection belongs to the event loop that made it, and each `asyncio.run` of a caller is another loop.
_HEADERS = {"Connection": "close"}
_LOCAL_TIMEOUT_S = 180.0  # a busy machine reads a prompt slowly; nothing is paid for waiting
_NOTHING = "No generation chunks"  # LangChain's words for a stream that held nothing
_NO_KEY = "none"  # local servers want a key to be sent and look at none
_OVERFLOW = re.compile(
    r"context.{0,20}(?:length|window|size|limit|overflow)|maximum context|prompt is too long|too many tokens|"
    r"exceeds? .{0,40}tokens|input.{0,20}too long",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"model.{0,80}(?:not found|does ?n[o']t exist|unknown|not loaded)|no such model", re.IGNORECASE
)


# --- reaching a model -------------------------------------------------------------------------------------------------


def connect(settings: Settings) -> BaseChatModel:
    """The chat model that `settings` name. Raises SettingsError when they name none that can be built."""
    # What it warns of is raised too, and told in one line; without a handler Python would print it besides.
    logging.getLogger("langchain_openai").addHandler(logging.NullHandler())
    if settings.chat_base_url is not None:
        return _openai_compatible(settings, settings.chat_base_url)
    provider, colon, name = settings.chat_model.partition(":")
    if provider == "local":
        return _local(settings)
    if not colon or not provider or not name:
        raise SettingsError(
            f"chat model {settings.chat_model!r} has no address; set IBID_CHAT_BASE_URL to its server's /v1, "
            "or name it as provider:model, such as openai:gpt-4o-mini"
        )
    return _of_provider(settings, provider, name)


def _openai_compatible(settings: Settings, base_url: str) -> BaseChatModel:
    import os

    from langchain_openai import ChatOpenAI
    from openai import DefaultAsyncHttpxClient, Timeout
    from pydantic import SecretStr

    local = _loopback(base_url)
    own = os.environ.get("OPENAI_API_KEY")
    return ChatOpenAI(
        model=settings.chat_model,
        base_url=base_url,
        api_key=settings.chat_api_key or SecretStr(own or _NO_KEY),
        timeout=Timeout(settings.chat_timeout_s, connect=min(_CONNECT_S, settings.chat_timeout_s)),
        stream_chunk_timeout=settings.chat_timeout_s,
        max_retries=settings.chat_retries,
        stream_usage=True,
        # Reasoning models of OpenAI itself refuse any temperature; elsewhere the likeliest words are wanted.
        temperature=None if _host(base_url).endswith("openai.com") else 0.0,
        default_headers=_HEADERS,
        # Its own client: the shared default would send a loopback call through a proxy of the environment.
        http_async_client=DefaultAsyncHttpxClient(trust_env=not local),
    )


def _local(settings: Settings) -> BaseChatModel:
    """The model of the user's folder. Its server starts with the first question."""
    from assistant.local_models import running, store
    from assistant.local_models.chat import LocalChat

    running.require_runtime()
    model = store.wanted(settings.models_path(), settings.chat_model)
    server = running.server(running.Job(model.name, model.path, settings.local_threads or running.cores()))
    patience = settings.chat_timeout_s if "chat_timeout_s" in settings.model_fields_set else _LOCAL_TIMEOUT_S

    def over_http(base_url: str, key: str) -> BaseChatModel:
        from pydantic import SecretStr

        told = {
            "chat_model": model.name,
            "chat_api_key": SecretStr(key),
            "chat_timeout_s": patience,
            "chat_retries": 0,
        }
        return _openai_compatible(settings.model_copy(update=told), base_url)

    return LocalChat(model_name=model.name, server=server, over_http=over_http)


def _of_provider(settings: Settings, provider: str, name: str) -> BaseChatModel:
    from langchain.chat_models import init_chat_model

    given: dict[str, Any] = {"timeout": settings.chat_timeout_s, "max_retries": settings.chat_retries}
    if provider == "openai":
        given |= {"default_headers": _HEADERS, "stream_chunk_timeout": settings.chat_timeout_s, "stream_usage": True}
    if settings.chat_api_key is not None:
        given["api_key"] = settings.chat_api_key
    try:
        model: BaseChatModel = init_chat_model(name, model_provider=provider, **given)
    except ImportError as error:
        raise SettingsError(f"chat model {settings.chat_model!r} needs a package: {_one_line(error)}") from error
    except ValueError as error:
        reason = _one_line(error).split(" Supported")[0].rstrip(".")
        raise SettingsError(
            f"chat model {settings.chat_model!r} cannot be built: {reason}; "
            "a model of your own server needs IBID_CHAT_BASE_URL"
        ) from error
    except Exception as error:  # each provider's client complains in its own type, nearly always about a key
        raise SettingsError(
            f"chat model {settings.chat_model!r} cannot be built: {_first_sentence(error)}; set its key, or IBID_CHAT_API_KEY"
        ) from error
    return model


@dataclass(frozen=True, slots=True)
class Address:
    """What a record and an error line tell of a model; no secret is in it."""

    name: str
    provider: str
    base_url: str | None

    def __str__(self) -> str:
        return f"chat model {self.name!r}" + (f" at {self.base_url}" if self.base_url else "")


def address(model: BaseChatModel) -> Address:
    """Name, kind and endpoint of a model, as far as it tells them."""
    names = (getattr(model, attribute, None) for attribute in ("model_name", "model", "model_id"))
    name = next((name for name in names if isinstance(name, str) and name), type(model).__name__)
    url = next((u for a in ("openai_api_base", "base_url") if isinstance(u := getattr(model, a, None), str)), None)
    return Address(name, model._llm_type, _without_userinfo(url) if url else None)


def counter(model: BaseChatModel) -> Counter:
    """Counts tokens as the model reads them, where that is known: by OpenAI's encodings, or by asking a local model, which
    starts its server. Raises ModelError."""
    from assistant import tokens

    own: Callable[[], Counter | None] | None = getattr(model, "counter", None)
    return (own() if own is not None else None) or tokens.counter(address(model).name)


def _without_userinfo(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").casefold()


def _loopback(url: str) -> bool:
    host = _host(url)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# --- listening --------------------------------------------------------------------------------------------------------


class Reply:
    """One reply of a model, streamed by `pieces`; the other attributes are filled as it comes."""

    def __init__(self, model: BaseChatModel) -> None:
        self._model = model
        self.address = address(model)
        self.usage: dict[str, Any] | None = None
        self.finish_reason: str | None = None
        self.served_by: str | None = None  # the model's name as the server tells it

    async def pieces(self, messages: Sequence[BaseMessage]) -> AsyncGenerator[str, None]:
        """The reply's text as it comes; raises ModelError, before the first piece or after any.

        Closing the generator early closes the connection, which makes servers stop writing.
        """
        try:
            async with aclosing(_stream(self._model, messages)) as chunks:
                async for chunk in chunks:
                    self._note(chunk)
                    if chunk.text:
                        yield str(chunk.text)
        except IbidError:
            raise
        except Exception as error:  # every provider's client has its own errors
            raise await _told(self._model, error) from error
        if self.finish_reason is None and self.address.provider == "openai-chat":
            raise ModelUnavailable(f"{self.address} broke off its reply before its end; ask again")

    def _note(self, chunk: AIMessageChunk) -> None:
        from langchain_core.messages.ai import UsageMetadata, add_usage

        if chunk.usage_metadata:
            before: UsageMetadata | None = self.usage  # type: ignore[assignment]  # kept as the plain dict it is
            self.usage = dict(add_usage(before, chunk.usage_metadata))
        told = chunk.response_metadata
        names = (
            "finish_reason",
            "stop_reason",
            "done_reason",
            "status",
        )  # OpenAI, Anthropic, Ollama, OpenAI's Responses
        self.finish_reason = next((str(told[name]) for name in names if told.get(name)), self.finish_reason)
        self.served_by = told.get("model_name") or self.served_by


async def one_word(model: BaseChatModel, question: str, *, alternatives: int) -> dict[str, Any]:
    """The metadata of a reply of one word, with the probabilities of `alternatives` words where the server tells them.

    Raises ModelError. Needs an OpenAI-compatible model for the probabilities.
    """
    from langchain_core.messages import HumanMessage

    asked = model.bind(logprobs=True, top_logprobs=alternatives, max_tokens=1, stream=False)
    try:
        return dict((await asked.ainvoke([HumanMessage(question)])).response_metadata)
    except IbidError:
        raise
    except Exception as error:  # every provider's client has its own errors
        raise await _told(model, error) from error


async def _stream(model: BaseChatModel, messages: Sequence[BaseMessage]) -> AsyncGenerator[AIMessageChunk, None]:
    chunks = model.astream(list(messages))
    try:
        async for chunk in chunks:
            yield chunk
    finally:
        closing = getattr(chunks, "aclose", None)
        if closing is not None:
            await closing()


# --- failures ---------------------------------------------------------------------------------------------------------


async def _told(model: BaseChatModel, error: Exception) -> ModelError:
    """The failure in one line; where no such model is served, with the names of those that are."""
    told = failure(error, address(model), _secret(model))
    if isinstance(told, ModelRefused) and "has no such model" in str(told):
        served = await _served(model)
        if served:
            return ModelRefused(f"{told}; it serves {', '.join(served)}")
    return told


async def _served(model: BaseChatModel) -> list[str]:
    """Up to eight names of the models that an OpenAI-compatible server lists; none when it does not."""
    client = getattr(model, "root_async_client", None)
    if client is None:
        return []
    try:
        listed = await client.with_options(max_retries=0, timeout=_CONNECT_S).models.list()
        return sorted(repr(item.id) for item in listed.data)[:8]
    except Exception:  # the names are a courtesy: the failure itself is told without them
        return []


def failure(error: Exception, at: Address, secret: str | None = None) -> ModelError:
    """What a client's exception means for the user. Goes by LangChain's types and the HTTP status, not by provider."""
    reason = _one_line(error)
    if secret:
        reason = reason.replace(secret, "…")
    return _unreachable(error, at, reason) or _refused(error, at, reason) or _other(error, at, reason)


def _refused(error: Exception, at: Address, reason: str) -> ModelError | None:
    from langchain_core import exceptions as kinds

    status = getattr(error, "status_code", None)
    if isinstance(error, kinds.ContextOverflowError) or (status in (400, 413, 422, 500) and _OVERFLOW.search(reason)):
        return ModelRefused(f"{at} cannot read that much at once: {reason}; give it a longer context")
    if isinstance(error, kinds.ModelAuthenticationError | kinds.ModelPermissionDeniedError) or status in (401, 403):
        return ModelRefused(f"{at} refused the key: {reason}; set IBID_CHAT_API_KEY")
    if isinstance(error, kinds.ModelNotFoundError) or status == 404 or (status == 400 and _NO_MODEL.search(reason)):
        return ModelRefused(f"{at}: its server has no such model, or the address lacks its /v1: {reason}")
    if status is not None and 400 <= status < 500 and status not in (408, 409, 429):
        return ModelRefused(f"{at} refused the call ({status}): {reason}")
    return None


def _unreachable(error: Exception, at: Address, reason: str) -> ModelError | None:
    from langchain_core import exceptions as kinds

    status = getattr(error, "status_code", None)
    if isinstance(error, TimeoutError | kinds.ModelTimeoutError):
        received = getattr(error, "chunks_received", 0)
        when = "stalled in the middle of its reply" if received else "did not answer in time"
        return ModelUnavailable(f"{at} {when}; ask again, or raise IBID_CHAT_TIMEOUT_S")
    if isinstance(error, kinds.ModelRateLimitError) or status == 429:
        wait = _retry_after(error)
        asks = f" and asks to wait {wait} s" if wait else ""
        return ModelUnavailable(f"{at} limits its rate{asks}: {reason}; ask again later")
    if isinstance(error, kinds.ModelConnectionError | OSError):
        return ModelUnavailable(f"{at} cannot be reached: {_deepest(error)}; start its server or correct its address")
    return None


def _other(error: Exception, at: Address, reason: str) -> ModelError:
    from langchain_core import exceptions as kinds

    status = getattr(error, "status_code", None)
    if isinstance(error, json.JSONDecodeError):
        return ModelMalformed(
            f"{at} sent what is not JSON: {reason}; check that its address speaks OpenAI's protocol"
        )
    if isinstance(error, kinds.ModelAPIError) or (status is not None and status >= 500):
        return ModelUnavailable(f"{at} failed ({status}): {reason}; look into its server's log")
    if _NOTHING in reason:
        return ModelMalformed(f"{at} sent no reply that can be read; check that its address speaks OpenAI's protocol")
    if isinstance(error, ValueError | TypeError | LookupError | AttributeError):
        return ModelMalformed(f"{at} sent a reply that breaks the protocol: {reason}; check its address")
    return ModelUnavailable(f"{at} failed: {reason}")


def _retry_after(error: Exception) -> str | None:
    headers = getattr(getattr(error, "response", None), "headers", None)
    found = headers.get("retry-after") if headers is not None else None
    return str(found)[:32] if found else None


def _deepest(error: BaseException) -> str:
    """The first cause tells more than a client's "Connection error."."""
    for _ in range(8):
        cause = error.__cause__ or error.__context__
        if cause is None:
            break
        error = cause
    return _one_line(error)


def _secret(model: BaseChatModel) -> str | None:
    from pydantic import SecretStr

    key = getattr(model, "openai_api_key", None)
    value = key.get_secret_value() if isinstance(key, SecretStr) else None
    return value if value and value != _NO_KEY else None


def _first_sentence(error: BaseException) -> str:
    return _one_line(error).partition(". ")[0]


def _one_line(error: BaseException) -> str:
    body = getattr(error, "body", None)
    told = body.get("message") if isinstance(body, dict) else None
    text = " ".join((told if isinstance(told, str) else str(error)).split()).rstrip(".")
    return (text or type(error).__name__)[:_REASON_CHARACTERS]
