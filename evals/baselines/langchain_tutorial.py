"""The LangChain tutorial's pipeline: documents into Chroma, similarity search, "stuff" what was found.

Every abstract is one document (title, line break, abstract), embedded by the same local MiniLM that Ibid uses, in
langchain-chroma with its defaults; the four nearest are retrieved, as in the tutorial. With a chat model, the tutorial's
prompt is filled with them, numbered so that it can cite. Without one, the answer is the nearest chunk itself: what such a
pipeline can say without a model. Needs `langchain-chroma`, which Ibid does not depend on.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from langchain_core.embeddings import Embeddings

from assistant.errors import InputError
from assistant.papers import Paper
from evals.baselines.parsing import cited, declines, sentences
from evals.cases import Case
from evals.responses import Cited, Corpus, Response, Usage
from evals.systems import RANKING_DEPTH, code_digest

if TYPE_CHECKING:
    from assistant.embedding import Embedder
    from evals.baselines import Options

K = 4  # the default of `as_retriever` and of the tutorial
_PROMPT = (
    "You are an assistant for question-answering tasks. Use the following pieces of retrieved context to answer the "
    "question. If you don't know the answer, just say that you don't know. Use three sentences maximum and keep the "
    "answer concise. Cite the pieces you use by their numbers, like [1].\n\nQuestion: {question}\n\nContext:\n{context}\n\n"
    "Answer:"
)


class _Local(Embeddings):
    """Ibid's embedder behind LangChain's interface."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text."""
        from assistant.embedding import PassageText

        parts = (text.partition("\n") for text in texts)
        passages = [PassageText(title, abstract, ()) for title, _, abstract in parts]
        return [passage.vector.tolist() for passage in self._embedder.embed_passages(passages)]

    def embed_query(self, text: str) -> list[float]:
        """The question's vector."""
        return [float(value) for value in self._embedder.embed_query(text)]


class LangChainTutorial:
    """See the module."""

    def __init__(self, papers: Iterable[Paper], *, options: Options, embedder: Embedder | None = None) -> None:
        try:
            from langchain_chroma import Chroma
        except ImportError as error:
            raise InputError("system 'langchain' needs langchain-chroma; pip install langchain-chroma") from error
        from langchain_core.documents import Document

        from assistant.embedding import default_embedder

        self.corpus = Corpus(papers)
        self._options = options
        self.name = f"langchain + chroma ({options.model or 'nearest chunk'})"
        self._store = Chroma(
            collection_name=f"tutorial-{self.corpus.digest[:16]}",
            embedding_function=_Local(embedder or default_embedder()),
        )
        self._store.reset_collection()  # in memory, shared by the process: another run's documents may be there
        documents = [
            Document(page_content=f"{paper.title}\n{paper.abstract}", metadata={"id": paper.id})
            for paper in self.corpus.papers
        ]
        self._store.add_documents(documents)

    def respond(self, case: Case) -> Response:
        """The stuffed answer to the last turn; the tutorial's chain keeps no conversation."""
        began = time.perf_counter()
        found = self._store.similarity_search(case.question, k=RANKING_DEPTH)
        papers = [paper for document in found if (paper := self.corpus.by_id(str(document.metadata["id"])))]
        sources = {str(place): _source(str(place), paper) for place, paper in enumerate(papers[:K], start=1)}
        text, usage = self._say(case.question, papers)
        return Response(
            "abstained" if declines(text) else "answered",
            text,
            said=sentences(text, sources),
            citations=cited(text, sources),
            ranking=tuple(paper.id for paper in papers),
            seconds=time.perf_counter() - began,
            usage=usage,
            engine=self._options.model or "nearest chunk",
        )

    def _say(self, question: str, papers: Sequence[Paper]) -> tuple[str, Usage]:
        if not self._options.model:
            paper = papers[0]
            spans = sentences(paper.abstract, {})
            return " ".join(f"{said.text} [1]" for said in spans), Usage(0, 0, 0.0)
        from evals.baselines.endpoint import complete

        context = "\n\n".join(
            f"[{place}] {paper.title}\n{paper.abstract}" for place, paper in enumerate(papers[:K], 1)
        )
        reply = complete(
            self._options, [{"role": "user", "content": _PROMPT.format(question=question, context=context)}]
        )
        return reply.text, reply.usage

    def provenance(self) -> dict[str, str]:
        """Digests of corpus and code, the chat model."""
        model = self._options.model or "none"
        return {"corpus": self.corpus.digest, "code": code_digest("evals"), "settings": f"k={K}", "chat_model": model}


def _source(key: str, paper: Paper) -> Cited:
    """A stuffed document: the whole abstract is what the answer rests on."""
    return Cited(key, paper.id, paper.title, paper.abstract, 0, len(paper.abstract))
