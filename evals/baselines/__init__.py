"""Other systems, scored with the same tool on the same cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from assistant.errors import InputError
from evals.systems import AssistantSystem, System

SystemName = Literal["ibid", "bm25", "langchain", "endpoint", "unguarded"]
NAMES: tuple[SystemName, ...] = get_args(SystemName)


@dataclass(frozen=True, slots=True)
class Options:
    """What a system may need; `base_url` and `model` are for `endpoint`, `unguarded` and, if given, for `langchain`'s chat model."""

    base_url: str | None = None
    model: str | None = None
    api_key: str | None = None
    timeout_s: float = 120.0
    input_price: float | None = None  # per million tokens
    output_price: float | None = None


def maker(name: str, options: Options) -> Callable[[Any], System]:
    """A function from a library to the system `name` over its papers."""
    if name == "ibid":
        return _ibid
    if name == "bm25":
        from evals.baselines.first_sentence import FirstSentence

        return lambda library: FirstSentence(library.papers())
    if name == "langchain":
        from evals.baselines.langchain_tutorial import LangChainTutorial

        return lambda library: LangChainTutorial(library.papers(), options=options)
    if name == "endpoint":
        from evals.baselines.endpoint import Endpoint

        if not options.base_url or not options.model:
            raise InputError("system 'endpoint' needs --base-url and --model of an OpenAI-compatible server")
        return lambda library: Endpoint(library.papers(), options)
    if name == "unguarded":
        from evals.baselines.unguarded import Unguarded

        if not options.base_url or not options.model:
            raise InputError("system 'unguarded' needs --base-url and --model of an OpenAI-compatible server")
        return lambda library: Unguarded(library, options=options)
    raise InputError(f"no system {name!r}; systems are {', '.join(NAMES)}")


def _ibid(library: Any) -> System:
    from assistant import Assistant

    return AssistantSystem(Assistant(library), library)
