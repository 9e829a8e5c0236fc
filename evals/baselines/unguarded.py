"""A chat model over Ibid's own evidence, with nothing to guard it: no decision to speak, no ledger, no fall-back.

The model sees the evidence sentences and the instructions that Ibid would send it; what it says is shown as it is, and its
`[n]` are taken for citations of the sentences of those numbers. What is left of Ibid without its guards.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from assistant import prompting, questions
from assistant.filters import Filters
from assistant.gathering import gather
from assistant.prompting import Shown
from assistant.retrieval import Retriever
from assistant.selecting import select
from assistant.selector import default_selector
from evals.baselines.parsing import cited, declines, sentences
from evals.cases import Case
from evals.responses import Cited, Corpus, Response
from evals.systems import RANKING_DEPTH, code_digest, prompts_digest

if TYPE_CHECKING:
    from assistant import Library
    from evals.baselines import Options

_CANDIDATES = 40
_PAPERS = 8


class Unguarded:
    """See the module. A conversation's last turn is asked alone."""

    def __init__(self, library: Library, *, options: Options, instructions: str = "answer-local") -> None:
        self.corpus = Corpus(library.papers())
        self.name = f"unguarded ({options.model})"
        self._library, self._options, self._instructions = library, options, instructions
        self._selector = default_selector()

    def respond(self, case: Case) -> Response:
        """What the model says to the last turn."""
        from evals.baselines.endpoint import complete

        began = time.perf_counter()
        shown, ranking = self._evidence(case)
        messages = prompting.messages(case.question, shown, self._instructions)
        roles = {"system": "system", "human": "user"}
        reply = complete(self._options, [{"role": roles[m.type], "content": str(m.content)} for m in messages])
        sources = {str(at): _source(str(at), sentence) for at, sentence in enumerate(shown.sentences, start=1)}
        return Response(
            "abstained" if declines(reply.text) or reply.text.startswith("NOT STATED") else "answered",
            reply.text,
            said=sentences(reply.text, sources),
            citations=cited(reply.text, sources),
            ranking=ranking,
            seconds=time.perf_counter() - began,
            usage=reply.usage,
            engine=str(self._options.model),
        )

    def _evidence(self, case: Case) -> tuple[Shown, tuple[str, ...]]:
        filters = Filters.parse(case.filters or None)
        ranked = Retriever(self._library).ranked(case.question, _CANDIDATES, filters)
        evidence = gather(self._library, questions.read(case.question), papers=_PAPERS, ranked=ranked)
        if evidence.papers:
            evidence = select(evidence, self._selector)
        return prompting.show(evidence), tuple(hit.paper.id for hit in ranked[:RANKING_DEPTH])

    def provenance(self) -> dict[str, str]:
        """Digests of corpus, code and prompts, and the model's name."""
        digests = {
            "corpus": self.corpus.digest,
            "code": code_digest("assistant", "evals"),
            "prompts": prompts_digest(),
        }
        return {**digests, "chat_model": str(self._options.model)}


def _source(key: str, sentence: Any) -> Cited:
    return Cited(key, sentence.paper.id, sentence.paper.title, sentence.text, sentence.start, sentence.end)
