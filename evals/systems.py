"""What can be scored: anything that turns a case into a Response. Ibid's Assistant is one system among others."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from typing import Any, Protocol, runtime_checkable

from assistant.answers import Answer
from assistant.errors import IbidError, InputError
from evals.cases import Case
from evals.responses import Corpus, Response, Usage, from_answer

RANKING_DEPTH = 10


@runtime_checkable
class System(Protocol):
    """A system under test. `respond` may raise IbidError: the case is then counted as an error, not as a refusal."""

    name: str
    corpus: Corpus

    def respond(self, case: Case) -> Response:
        """The response to the case's last turn."""
        ...

    def provenance(self) -> Mapping[str, str]:
        """Everything that the responses depend on, as digests and names."""
        ...


class AssistantSystem:
    """Ibid's own Assistant, through its public interface only."""

    def __init__(self, assistant: Any, library: Any = None, name: str = "ibid") -> None:
        self._assistant = assistant
        self._library: Any = library if library is not None else getattr(assistant, "library", None)
        if self._library is None:
            raise InputError("the assistant shows no library to judge its answers against; give library=")
        self._warm = False
        self.name = name
        self.corpus = Corpus(self._library.papers())

    def respond(self, case: Case) -> Response:
        """Asks every turn in one conversation, times the last, and looks up what was retrieved for it."""
        filters = dict(case.filters) if case.filters else None
        if not self._warm:  # the first search loads model and indexes; that is not the answer's time
            self._library.search(case.question, k=1)
            self._warm = True
        if case.judge == "retrieval":
            return self._search(case, filters)
        if len(case.turns) == 1:
            ask = self._assistant.ask
        else:
            ask = self._assistant.conversation().ask
            for turn in case.turns[:-1]:
                ask(turn, filters=filters)
        began = time.perf_counter()
        answer: Answer = ask(case.question, filters=filters)
        seconds = time.perf_counter() - began
        hits = self._library.search(answer.query, k=RANKING_DEPTH, filters=filters) if answer.query.strip() else ()
        ranking = tuple(hit.paper.id for hit in hits)
        record = self._record(answer)
        response = from_answer(answer, ranking=ranking, seconds=seconds, usage=_usage(answer, record))
        sure = _probability(record)
        return response if sure is None else replace(response, confidence=sure)

    def _search(self, case: Case, filters: dict[str, Any] | None) -> Response:
        began = time.perf_counter()
        hits = self._library.search(case.question, k=RANKING_DEPTH, filters=filters)
        seconds = time.perf_counter() - began
        return Response("answered", "", ranking=tuple(hit.paper.id for hit in hits), seconds=seconds, engine="search")

    def _record(self, answer: Answer) -> Any:
        """What the library recorded of an answer; None where it keeps no records."""
        try:
            return self._library.record(answer.record_id)
        except (IbidError, AttributeError):
            return None

    def provenance(self) -> dict[str, str]:
        """Digests of corpus, settings, prompts and code, and the embedder's fingerprint."""
        found = {"corpus": self.corpus.digest, "code": code_digest("assistant"), "prompts": prompts_digest()}
        settings = getattr(self._assistant, "settings", None)
        if settings is not None and hasattr(settings, "model_dump_json"):
            exclude = {"library", "chat_api_key", "embedding_api_key"}
            found["settings"] = hashlib.sha256(settings.model_dump_json(exclude=exclude).encode()).hexdigest()
            found["chat_model"] = str(getattr(settings, "chat_model", ""))
        fingerprint = getattr(getattr(self._library, "embedder", None), "fingerprint", None)
        if fingerprint is not None:
            found["embedder"] = f"{fingerprint.name} {fingerprint.digest}"
        return found


def as_system(candidate: Any, library: Any = None) -> System:
    """`candidate` itself when it is a System, else an AssistantSystem around it."""
    if isinstance(candidate, System):
        return candidate
    if callable(getattr(candidate, "ask", None)):
        return AssistantSystem(candidate, library)
    raise InputError(
        f"cannot score {candidate!r}; give an Assistant or an object with name, corpus, respond, provenance"
    )


def _usage(answer: Answer, record: Any) -> Usage:
    """Tokens that the chat model reported; a quoted answer reads none."""
    if answer.engine == "quotes":
        return Usage(0, 0, 0.0)
    usage = (getattr(record, "model", None) or {}).get("usage")
    return (
        Usage(_count(usage, "input_tokens"), _count(usage, "output_tokens"))
        if isinstance(usage, Mapping)
        else Usage()
    )


def _probability(record: Any) -> float | None:
    """How sure the assistant was that the corpus answers, from its decision to speak."""
    decision = (getattr(record, "extra", None) or {}).get("decision")
    value = decision.get("probability") if isinstance(decision, Mapping) else None
    return float(value) if isinstance(value, int | float) else None


def _count(usage: Mapping[str, Any], key: str) -> int | None:
    value = usage.get(key)
    return value if isinstance(value, int) else None


def code_digest(*packages: str) -> str:
    """sha256 over the source files of installed packages."""
    return _digest(packages, (".py", ".md", ".json"))


def prompts_digest() -> str:
    """sha256 over the prompts."""
    return _digest(("assistant.prompts",), (".md",))


def _digest(packages: tuple[str, ...], suffixes: tuple[str, ...]) -> str:
    total = hashlib.sha256()
    for package in packages:
        parent, _, child = package.partition(".")
        root = resources.files(parent) / child if child else resources.files(parent)
        for path, content in sorted(_sources(root, suffixes)):
            total.update(f"{package}/{path}\n".encode() + content)
    return total.hexdigest()


def _sources(folder: Any, suffixes: tuple[str, ...], prefix: str = "") -> list[tuple[str, bytes]]:
    if not folder.is_dir():
        return []
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            found += _sources(entry, suffixes, f"{prefix}{entry.name}/")
        elif entry.name.endswith(suffixes):
            found.append((prefix + entry.name, entry.read_bytes()))
    return found
