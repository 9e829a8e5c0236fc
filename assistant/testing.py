"""Public test doubles: an embedder and a chat model that need no files, and a tiny corpus of invented papers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from assistant.cleaning import embedding_text
from assistant.embedding.vectors import Fingerprint, PassageText, PassageVectors, Vectors, normalise
from assistant.papers import Paper, Passage
from assistant.sentences import split

if TYPE_CHECKING:
    from assistant.embedding import Embedder
    from assistant.library import Library

_WORD = re.compile(r"\w+")


class HashEmbedder:
    """An `Embedder` that adds up one pseudo-random direction per word: texts that share words are close.

    The same text gives the same vector on every machine. `name` goes into the fingerprint.
    """

    def __init__(self, dimension: int = 32, name: str = "hash") -> None:
        self._dimension = dimension
        self._name = name

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint(self._name, "none", self._dimension, "sum of word hashes", "{title}\n{text}")

    def embed_passages(self, passages: Sequence[PassageText]) -> list[PassageVectors]:
        return [
            PassageVectors(
                self.embed_query(f"{passage.title}\n{passage.text}"),
                self.embed_sentences([passage.text[span.start : span.end] for span in passage.sentences]),
            )
            for passage in passages
        ]

    def embed_query(self, text: str) -> Vectors:
        total = np.zeros(self._dimension, np.float32)
        for word in _WORD.findall(text.casefold()):
            total += self._direction(word)
        return normalise(total)

    def embed_sentences(self, texts: Sequence[str]) -> Vectors:
        rows = [self.embed_query(text) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, self._dimension), np.float32)

    def _direction(self, word: str) -> Vectors:
        seed = int.from_bytes(hashlib.sha256(f"{self._name}:{word}".encode()).digest()[:8], "little")
        return np.random.default_rng(seed).standard_normal(self._dimension).astype(np.float32)


class ScriptedChatModel(BaseChatModel):
    """A chat model that streams scripted replies, one a call; the last is repeated. A reply may be an exception.

    `calls` holds the messages of every call. After `break_after` characters of a reply `break_with` is raised.
    """

    replies: list[str | Exception]
    piece: int = 7  # characters a chunk
    break_after: int | None = None
    break_with: Exception = ConnectionError("the script breaks off here")
    model_name: str = "scripted"
    model_config = {"arbitrary_types_allowed": True}  # noqa: RUF012  # pydantic reads it from the class
    _calls: list[list[BaseMessage]] = PrivateAttr(default_factory=list)

    @property
    def calls(self) -> list[list[BaseMessage]]:
        return self._calls

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _next(self, messages: list[BaseMessage]) -> str:
        reply = self.replies[min(len(self._calls), len(self.replies) - 1)]
        self._calls.append(messages)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def _chunks(self, messages: list[BaseMessage]) -> Iterator[ChatGenerationChunk]:
        reply = self._next(messages)
        for start in range(0, len(reply), self.piece):
            if self.break_after is not None and start >= self.break_after:
                raise self.break_with
            yield ChatGenerationChunk(message=AIMessageChunk(content=reply[start : start + self.piece]))
        read, written = sum(len(str(message.content).split()) for message in messages), len(reply.split())
        usage = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
        yield ChatGenerationChunk(
            message=AIMessageChunk(content="", usage_metadata=usage, response_metadata={"finish_reason": "stop"})  # type: ignore[arg-type]  # a TypedDict's content
        )

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=self._next(messages)))])

    def _stream(self, messages: list[BaseMessage], *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        yield from self._chunks(messages)

    async def _astream(self, messages: list[BaseMessage], *_: Any, **__: Any) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in self._chunks(messages):
            yield chunk


TINY_PAPERS = (
    Paper(
        id="title:tiny-1",
        title="PromptLadder: Training Students to Climb",
        abstract=(
            "Writing good prompts is hard for beginners. We present PromptLadder, a tutoring system that grades prompts "
            "in five steps. In a study with 8,349 students, PromptLadder raised the pass rate by 12.5\\%. The effect did "
            "not last longer than four weeks."
        ),
        authors=("Ada Example", "Ben Sample"),
        year=2024,
    ),
    Paper(
        id="title:tiny-2",
        title="Quiet Retrieval for Clinical Notes",
        abstract=(
            "Clinical notes hold much that no structured field records. We index the notes of thirteen hospitals with "
            "QuietNet, a sparse retriever. QuietNet reaches a recall of 0.91 and outperforms BM25 on every hospital. "
            "Code is available at https://example.org/quietnet."
        ),
        authors=("Chi Placeholder",),
        year=2023,
    ),
    Paper(
        id="title:tiny-3",
        title="On the Growth of Lichens under Artificial Light",
        abstract=(
            "Lichens grow slowly. We measure 42 colonies under red and blue light for two years. Blue light halved the "
            "growth of every colony, while red light had no effect."
        ),
        authors=("Dee Specimen", "Eli Muster"),
        year=2019,
    ),
)


def tiny_library(
    path: str | Path, *, papers: Sequence[Paper] = TINY_PAPERS, embedder: Embedder | None = None
) -> Library:
    """A library of whole abstracts at `path`, ready to be asked; by default with the embedder that Ibid ships."""
    from assistant.library import Library, StoredPaper

    library = Library.open(path, embedder=embedder)
    stored = []
    for paper in papers:
        spans = split(paper.abstract)
        passage = Passage(f"{paper.id}#0", paper.id, 0, 0, len(paper.abstract), paper.abstract, 0, spans)
        vectors = library.embedder.embed_passages([embedding_text(paper.title, passage)])
        stored.append(StoredPaper(paper, (passage,), tuple(vectors)))
    library.write(stored)
    return library
