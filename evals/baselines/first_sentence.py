"""BM25 and the first sentence: the plainest cited answer there is.

Papers are ranked by BM25 (Robertson & Zaragoza 2009; k1 = 1.2, b = 0.75, title and abstract, stemmed, stop words out);
the answer is the first sentence of the best abstract, quoted. It never refuses. Whatever does not beat it, on a metric
that it can score on, is not worth its complexity.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable

from assistant.papers import Paper
from assistant.sentences import split
from evals.cases import Case
from evals.responses import Cited, Corpus, Response, Said, Usage
from evals.systems import RANKING_DEPTH, code_digest
from evals.verifiers import words

K1 = 1.2
B = 0.75


class FirstSentence:
    """See the module."""

    def __init__(self, papers: Iterable[Paper]) -> None:
        self.name = "bm25 + first sentence"
        self.corpus = Corpus(papers)
        self._counts = [Counter(words(f"{paper.title}\n{paper.abstract}")) for paper in self.corpus.papers]
        self._lengths = [sum(counts.values()) for counts in self._counts]
        self._mean = sum(self._lengths) / max(1, len(self._lengths))
        self._frequency = Counter(term for counts in self._counts for term in counts)

    def respond(self, case: Case) -> Response:
        """The first sentence of the best paper; all turns of a conversation are searched for together."""
        began = time.perf_counter()
        ranking = self.rank(" ".join(case.turns))
        if not ranking:
            return Response("abstained", "", ranking=(), seconds=time.perf_counter() - began)
        paper = ranking[0]
        span = split(paper.abstract)[0]
        quote = paper.abstract[span.start : span.end]
        source = Cited("1", paper.id, paper.title, quote, span.start, span.end)
        text = f"{quote} [1]"
        return Response(
            "answered",
            text,
            said=(Said(text, 0, len(text), (source,), "quoted"),),
            citations=(source,),
            ranking=tuple(one.id for one in ranking),
            seconds=time.perf_counter() - began,
            usage=Usage(0, 0, 0.0),
            engine="first sentence",
        )

    def rank(self, question: str) -> tuple[Paper, ...]:
        """The best papers that share a word with the question, best first, ties by id."""
        wanted = Counter(words(question))
        scores = [self._score(place, wanted) for place in range(len(self._counts))]
        order = sorted(range(len(scores)), key=lambda place: (-scores[place], self.corpus.papers[place].id))
        return tuple(self.corpus.papers[place] for place in order[:RANKING_DEPTH] if scores[place] > 0)

    def _score(self, place: int, wanted: Counter[str]) -> float:
        counts, length = self._counts[place], self._lengths[place]
        total = 0.0
        for term in wanted.keys() & counts.keys():
            frequency = self._frequency[term]
            idf = math.log(1 + (len(self._counts) - frequency + 0.5) / (frequency + 0.5))
            total += (
                wanted[term] * idf * counts[term] * (K1 + 1) / (counts[term] + K1 * (1 - B + B * length / self._mean))
            )
        return total

    def provenance(self) -> dict[str, str]:
        """Digests of corpus and code."""
        return {"corpus": self.corpus.digest, "code": code_digest("evals"), "settings": f"k1={K1} b={B}"}
