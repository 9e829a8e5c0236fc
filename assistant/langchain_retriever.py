"""A library's search as a LangChain retriever."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from assistant.answers import paper_summary
from assistant.filters import Filters
from assistant.papers import Hit


class LibraryRetriever(BaseRetriever):
    """One Document per matching passage of the `k` best papers, papers by rank, passages best first.

    `page_content` is the passage as stored; metadata has `paper_id`, `passage_id`, `start` and `end` (offsets into the
    abstract), `score` and `rank` of the paper, and its bibliographic fields without the empty ones.
    """

    library: Any  # an assistant.library.Library; Any, because pydantic cannot look inside it
    k: int = 10
    filters: Filters = Filters()

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        hits = self.library.search(query, self.k, self.filters)
        return [document for hit in hits for document in _documents(hit)]


def _documents(hit: Hit) -> list[Document]:
    summary = {name: value for name, value in paper_summary(hit.paper).items() if value not in (None, [])}
    summary["paper_id"] = summary.pop("id")
    return [
        Document(
            id=passage.id,
            page_content=passage.text,
            metadata={
                **summary,
                "passage_id": passage.id,
                "start": passage.start,
                "end": passage.end,
                "score": hit.score,
                "rank": hit.rank,
            },
        )
        for passage in hit.passages
    ]
