"""Ranking quality and time of retrieval on judged collections: each part alone, fused, and reranked.

    python -m benchmarks.retrieval_quality DATASETS SCRATCH scifact:test cisi:test
    python -m benchmarks.retrieval_quality DATASETS SCRATCH scifact:train --fit

DATASETS is as for `lexical_engines.py`. A library per collection is made in SCRATCH with the shipped embedder, and
used again when it is there. Intervals are 95 % bootstrap over queries. `--fit` fits reranking weights on the given
collections (softmax over a query's candidates, L2), reports them by five-fold cross-validation and prints them; only
ever fit on training queries. Needs `ir-measures` and `scipy`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ir_measures
import numpy as np
from numpy.typing import NDArray

from assistant.chunking import passages
from assistant.cleaning import embedding_text, normalise
from assistant.features import FEATURES, WeighedQuery, measure
from assistant.fusion import best_by, normalised_score, reciprocal_rank
from assistant.library import Library, StoredPaper
from assistant.papers import Paper
from assistant.retrieval import _CANDIDATES, Retriever
from benchmarks.lexical_engines import corpus, questions

_BATCH = 100
_SAMPLES = 2_000
_L2 = 1e-3
Ranking = dict[str, float]
Measures = (ir_measures.nDCG @ 10, ir_measures.R @ 10)


@dataclass(frozen=True)
class Judged:
    """One query's candidates with their features and the relevance of each."""

    query: str
    papers: list[str]
    features: NDArray[np.float64]
    relevant: NDArray[np.float64]


def library(datasets: Path, scratch: Path, name: str) -> Library:
    made = Library.open(scratch / f"lib_{name}")
    here = {paper.id for paper in made.papers()}
    todo = [document for document in corpus(datasets, name) if document.id not in here]
    with made.writing():
        for start in range(0, len(todo), _BATCH):
            papers = [Paper(d.id, normalise(d.title), normalise(d.text)) for d in todo[start : start + _BATCH]]
            cut = [(paper, passages(paper)) for paper in papers]
            texts = [embedding_text(paper.title, passage) for paper, its in cut for passage in its]
            vectors = iter(made.embedder.embed_passages(texts))
            made.write([StoredPaper(paper, its, tuple(next(vectors) for _ in its)) for paper, its in cut])
            print(f"{name}: {start + len(papers)} of {len(todo)} embedded", flush=True)
    return made


def runs(made: Library, asked: dict[str, str]) -> dict[str, dict[str, Ranking]]:
    """Rankings of papers by name of the way they were made."""
    retriever = Retriever(made)
    ways: dict[str, dict[str, Ranking]] = {}
    for key, text in asked.items():
        dense, lexical = made.dense(made.embedder.embed_query(text), 100), made.lexical(text, 100)
        paper_of = {passage: passage.rpartition("#")[0] for passage, _ in (*dense, *lexical)}
        parts = [best_by(dense, paper_of), best_by(lexical, paper_of)]
        found = {
            "BM25": parts[1],
            "dense": parts[0],
            "reciprocal rank fusion": dict(reciprocal_rank([list(part) for part in parts])),
            "normalised score fusion": dict(normalised_score(parts)),
            "reranked": {hit.paper.id: hit.score for hit in retriever.search(text, 50)},
        }
        for way, ranking in found.items():
            ways.setdefault(way, {})[key] = ranking
    return ways


def quality(labels: dict[str, dict[str, int]], run: dict[str, Ranking]) -> str:
    draws = np.random.default_rng(0).integers(0, len(labels), (_SAMPLES, len(labels)))
    columns = []
    for measured in Measures:
        values = {row.query_id: row.value for row in ir_measures.iter_calc([measured], labels, run)}
        scores = np.array([values.get(key, 0.0) for key in labels])
        low, high = np.quantile(scores[draws].mean(1), [0.025, 0.975])
        columns.append(f"{measured} {scores.mean():.3f} [{low:.3f}, {high:.3f}]")
    return "  ".join(columns)


def milliseconds(call: Callable[[str], object], asked: dict[str, str]) -> str:
    """CPU and wall time per question, the question's embedding included."""
    cpu, wall = [], []
    for text in asked.values():
        started = time.process_time(), time.perf_counter()
        call(text)
        cpu.append((time.process_time() - started[0]) * 1e3)
        wall.append((time.perf_counter() - started[1]) * 1e3)
    return f"CPU p50 {statistics.median(cpu):.1f} ms, wall p50 {statistics.median(wall):.1f} ms"


def judged(made: Library, asked: dict[str, str], labels: dict[str, dict[str, int]]) -> list[Judged]:
    retriever, frequencies = Retriever(made), made.term_statistics()
    found = []
    for key, text in asked.items():
        query = WeighedQuery.of(text, frequencies)
        candidates = retriever.candidates(text, _CANDIDATES, None)
        papers = [candidate.paper.id for candidate in candidates]
        relevant = np.array([float(labels[key].get(paper, 0) > 0) for paper in papers])
        found.append(Judged(key, papers, np.array([measure(query, candidate) for candidate in candidates]), relevant))
    return found


def fit(examples: list[Judged], chosen: list[int]) -> NDArray[np.float64]:
    """Weights of the chosen features that put the most probability on relevant candidates."""
    from scipy.optimize import minimize

    usable = [example for example in examples if 0 < example.relevant.sum() < len(example.papers)]
    spread = np.concatenate([example.features[:, chosen] for example in usable]).std(0) + 1e-9

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total, slope = _L2 * float(weights @ weights) * len(usable), 2 * _L2 * weights * len(usable)
        for example in usable:
            scaled = example.features[:, chosen] / spread
            odds = np.exp((scores := scaled @ weights) - scores.max())
            share, hit = odds / odds.sum(), odds * example.relevant
            total -= float(np.log(hit.sum() / odds.sum()))
            slope = slope + scaled.T @ (share - hit / hit.sum())
        return total / len(usable), slope / len(usable)

    return minimize(loss, np.zeros(len(chosen)), jac=True, method="L-BFGS-B").x / spread


def ranking(example: Judged, weights: NDArray[np.float64], chosen: list[int]) -> Ranking:
    return dict(zip(example.papers, map(float, example.features[:, chosen] @ weights), strict=True))


def cross_validated(examples: list[Judged], chosen: list[int], folds: int = 5) -> dict[str, Ranking]:
    order = np.random.default_rng(0).permutation(len(examples))
    run = {}
    for fold in range(folds):
        held = set(order[fold::folds].tolist())
        weights = fit([example for i, example in enumerate(examples) if i not in held], chosen)
        run |= {examples[i].query: ranking(examples[i], weights, chosen) for i in held}
    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("datasets", type=Path)
    parser.add_argument("scratch", type=Path)
    parser.add_argument("collections", nargs="+", help="NAME:SPLIT")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--features", nargs="+", choices=FEATURES, default=list(FEATURES))
    arguments = parser.parse_args()
    chosen = [FEATURES.index(name) for name in arguments.features]
    for collection in arguments.collections:
        name, _, split = collection.partition(":")
        asked, labels = questions(arguments.datasets, name, split)
        with library(arguments.datasets, arguments.scratch, name) as made:
            if arguments.fit:
                examples = judged(made, asked, labels)
                print(collection, "cross-validated", quality(labels, cross_validated(examples, chosen)))
                print(json.dumps(dict(zip(arguments.features, fit(examples, chosen).round(3).tolist(), strict=True))))
                continue
            for way, run in runs(made, asked).items():
                print(f"{collection} {way:24} {quality(labels, run)}", flush=True)
            print(f"{collection} one search: {milliseconds(Retriever(made).search, asked)}", flush=True)


if __name__ == "__main__":
    main()
