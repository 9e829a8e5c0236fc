"""Is the int8 MiniLM as good as float32, and do sentence vectors from the passage's own pass (late chunking) work?

    python -m benchmarks.embedding_quality SCIFACT_FOLDER FLOAT32.onnx [--papers 1000]

Reads scifact's *train* claims only. `FLOAT32.onnx` comes from `tools/quantise_minilm.py --float32`. Prints agreement of
the forms, nDCG@10 of exact dense search over a seeded subset of the abstracts, and how often the sentence closest to a
claim is one that its annotators marked.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from assistant.embedding import MiniLM, PassageText, Vectors
from assistant.papers import Span

SEED = 7


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines)


def judged_claims(folder: Path) -> dict[str, set[str]]:
    """Train claims with the papers that answer them."""
    relevant: dict[str, set[str]] = defaultdict(set)
    for line in (folder / "qrels" / "train.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        claim, paper, grade = line.split("\t")
        if int(grade) > 0:
            relevant[claim].add(paper)
    return relevant


def top(queries: Vectors, papers: Vectors, k: int = 10) -> list[list[int]]:
    return [list(np.argsort(-scores, kind="stable")[:k]) for scores in queries @ papers.T]


def ndcg(ranking: list[int], relevant: set[int]) -> float:
    """nDCG@10 with binary gains."""
    gained = sum(1 / math.log2(rank + 2) for rank, paper in enumerate(ranking) if paper in relevant)
    return gained / sum(1 / math.log2(rank + 2) for rank in range(min(10, len(relevant))))


def retrieval(folder: Path, float32: Path, count: int) -> None:
    claims = judged_claims(folder)
    papers = {row["_id"]: row for row in rows(folder / "corpus.jsonl")}
    ids = sorted(papers)
    random.Random(SEED).shuffle(ids)
    ids = ids[:count]
    place = {paper: index for index, paper in enumerate(ids)}
    relevant = {claim: {place[paper] for paper in found if paper in place} for claim, found in claims.items()}
    relevant = {claim: found for claim, found in relevant.items() if found}
    texts = {row["_id"]: row["text"] for row in rows(folder / "queries.jsonl")}
    asked = [texts[claim] for claim in relevant]
    titled = [PassageText(papers[paper]["title"], papers[paper]["text"]) for paper in ids]
    bare = [PassageText("", papers[paper]["text"]) for paper in ids]
    print(f"retrieval: {len(ids)} abstracts, {len(asked)} train claims")
    found: dict[str, tuple[Vectors, Vectors]] = {}
    for name, model, window, passages in (
        ("int8", None, 256, titled),
        ("float32", float32, 256, titled),
        ("int8, passage without title", None, 256, bare),
        ("int8, window 512", None, 512, titled),
    ):
        embedder = MiniLM(model=model, window=window)
        vectors = np.stack([embedded.vector for embedded in embedder.embed_passages(passages)])
        queries = embedder.embed_sentences(asked)
        found[name] = queries, vectors
        ranked = top(queries, vectors)
        score = np.mean([ndcg(ranking, relevant[claim]) for ranking, claim in zip(ranked, relevant, strict=True)])
        print(f"  {name:30s} nDCG@10 {score:.4f}", flush=True)
    int8, reference = found["int8"], found["float32"]
    for name, ours, theirs in (("claims", int8[0], reference[0]), ("abstracts", int8[1], reference[1])):
        cosines = (ours * theirs).sum(axis=1)
        print(f"  cosine of {name} to float32: mean {cosines.mean():.4f}, least {cosines.min():.4f}")
    pairs = list(zip(top(*int8), top(*reference), strict=True))
    print(f"  top-10 overlap with float32: {np.mean([len(set(a) & set(b)) / 10 for a, b in pairs]):.4f}")
    print(f"  same first: {np.mean([a[0] == b[0] for a, b in pairs]):.4f}")


def sentences(folder: Path) -> None:
    """R@1 and mean reciprocal rank of the first marked sentence, inside its own abstract."""
    pairs = [row for row in rows(folder / "grounding.jsonl") if row["split"] == "train" and row["rationale"]]
    embedder = MiniLM()
    scores: dict[str, list[float]] = defaultdict(list)
    reciprocal: dict[str, list[float]] = defaultdict(list)
    cache: dict[str, tuple[Vectors, Vectors, Vectors]] = {}
    for row in pairs:
        if row["doc_id"] not in cache:
            cache[row["doc_id"]] = _sentence_vectors(embedder, row["title"], row["evidence_sentences"])
        claim = embedder.embed_query(row["claim"])
        late, untitled, separate = (vectors @ claim for vectors in cache[row["doc_id"]])
        marked = {index for rationale in row["rationale"] for index in rationale}
        for name, cosines in (
            ("late, under the title", late),
            ("late, without title", untitled),
            ("each sentence alone", separate),
            ("mean of late and alone", late + separate),
        ):
            order = list(np.argsort(-cosines, kind="stable"))
            rank = min(order.index(index) for index in marked) + 1
            scores[name].append(float(rank == 1))
            reciprocal[name].append(1 / rank)
    print(f"sentences: {len(pairs)} train claims against the sentences of their abstract")
    for name, hits in scores.items():
        print(f"  {name:30s} R@1 {np.mean(hits):.3f}  MRR {np.mean(reciprocal[name]):.3f}")


def _sentence_vectors(embedder: MiniLM, title: str, parts: list[str]) -> tuple[Vectors, Vectors, Vectors]:
    starts = np.cumsum([0, *(len(part) + 1 for part in parts)])
    spans = tuple(Span(int(start), int(start) + len(part)) for start, part in zip(starts, parts, strict=False))
    both = embedder.embed_passages([PassageText(name, " ".join(parts), spans) for name in (title, "")])
    late, untitled = (embedded.sentence_vectors for embedded in both)
    assert late is not None
    assert untitled is not None
    return late, untitled, embedder.embed_sentences(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scifact", type=Path)
    parser.add_argument("float32", type=Path)
    parser.add_argument("--papers", type=int, default=1000)
    options = parser.parse_args()
    sentences(options.scifact)
    retrieval(options.scifact, options.float32, options.papers)


if __name__ == "__main__":
    main()
