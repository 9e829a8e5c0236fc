"""What the selector is trained on: a question over the sentences of one abstract, some of which answer it."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assistant.sentences import split

HELD_OUT = 0.1  # of the questions or papers of every set; never trained on, used for calibration


@dataclass(frozen=True, slots=True)
class Document:
    """A question over a text: the sentences that answer it, and whether the text as a whole does."""

    question: str
    title: str
    sentences: tuple[str, ...]
    right: frozenset[int]
    answered: bool | None  # None: not known, no lesson drawn
    origin: str
    unknown: frozenset[int] = frozenset()  # sentences of which it is not known whether they answer


def sentences_of(text: str) -> tuple[str, ...]:
    """The sentences of a text, as they are split when Ibid runs."""
    return tuple(text[span.start : span.end] for span in split(text))


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def held_out(key: str, share: float = HELD_OUT) -> bool:
    """A stable split by content, the same in every process and version."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") / 2**32 < share


def wikipedia(path: Path, seed: int) -> list[Document]:
    """SelQA's questions over their paragraphs, and QNLI's over one stating sentence among those of other questions.

    A QNLI question whose sentences all fail is over a text that does not answer it.
    """
    generator = random.Random(seed)
    asked: dict[tuple[str, str], list[tuple[str, bool]]] = defaultdict(list)
    for row in rows(path):
        asked[row["source"].split("_")[0], row["question"].strip()].append(
            (row["sentence"].strip(), bool(row["label"]))
        )
    pool = [sentence for (source, _), found in asked.items() if source == "qnli" for sentence, _ in found]
    documents = []
    for (source, question), found in asked.items():
        if source == "qnli":
            if len(found) == 1 and generator.random() < 0.5:
                continue  # many short ones teach less than they cost
            found = found + [
                (sentence, False) for sentence in generator.sample(pool, 3) if (sentence, True) not in found
            ]
            generator.shuffle(found)
        start = generator.randrange(max(1, len(found) - 14))
        window = found[start : start + 15]
        right = frozenset(index for index, (_, label) in enumerate(window) if label)
        documents.append(
            Document(question, "", tuple(sentence for sentence, _ in window), right, bool(right), source)
        )
    return documents


def conclusions(folder: Path, seed: int) -> list[Document]:
    """PubMedQA: a paper's title question, answered by its conclusion and by no sentence on background or method.

    Of the results it is not known. Every other question is also put to the abstract without results and conclusion.
    """
    generator = random.Random(seed)
    texts = {row["_id"]: row["text"] for row in rows(folder / "corpus.jsonl")}
    documents = []
    for row in rows(folder / "qa.jsonl"):
        ends = sentences_of(row["long_answer"])
        body = re.split(r"\b(?=(?:RESULTS?|FINDINGS|RESULTS AND CONCLUSIONS)\s?:)", texts[row["id"]])
        before, after = sentences_of(body[0]), sentences_of(" ".join(body[1:]))
        if not ends or not before:
            continue
        told = len(before) + len(after)
        right = frozenset(range(told, told + len(ends)))
        unknown = frozenset(range(len(before), told))
        documents.append(Document(row["question"], "", before + after + ends, right, True, "pubmedqa", unknown))
        if after and generator.random() < 0.5:
            documents.append(Document(row["question"], "", before, frozenset(), False, "pubmedqa"))
    return documents


_CLAIM_FRAMES = (
    "Is it true that {claim}?",
    "Does the evidence show that {claim}?",
    "What is known about whether {claim}?",
    "Do studies find that {claim}?",
    "{Claim}: is that so?",
    "{Claim}?",
)


def claims(path: Path, seed: int, without: Collection[str] = ()) -> list[Document]:
    """SciFact training claims as questions over the cited abstract, which may hold no evidence.

    Claims of SciFact's own dev split (BEIR's test queries) are left out, and those over abstracts titled as in
    `without`, which are kept for evaluation.
    """
    generator = random.Random(seed)
    documents = []
    for row in rows(path):
        if row["split"] != "train" or title_key(row["title"]) in without:
            continue
        claim = row["claim"].rstrip(". ")
        lowered = claim if claim[:2].isupper() or claim[:1].isdigit() else claim[0].lower() + claim[1:]
        question = generator.choice(_CLAIM_FRAMES).format(claim=lowered, Claim=claim)
        right = frozenset(index for group in row["rationale"] for index in group)
        documents.append(
            Document(question, row["title"], tuple(row["evidence_sentences"]), right, bool(right), "scifact")
        )
    return documents


def title_key(title: str) -> str:
    """A title by its letters and digits alone."""
    return re.sub(r"\W+", "", title).casefold()


def asked_elsewhere(documents: Sequence[Document], seed: int) -> list[Document]:
    """The questions of the documents over the text of another of them, which does not answer them."""
    generator = random.Random(seed)
    found = []
    for document in documents:
        other = generator.choice(documents)
        if other.sentences != document.sentences and other.question != document.question:
            found.append(
                replace(other, question=document.question, right=frozenset(), answered=False, unknown=frozenset())
            )
    return found


def bereft(document: Document) -> Document:
    """The document without the sentences that answer: what is left does not state the answer."""
    kept = tuple(text for index, text in enumerate(document.sentences) if index not in document.right)
    return replace(document, sentences=kept, right=frozenset(), answered=False, origin=f"{document.origin}, bereft")


def cropped(document: Document, generator: random.Random, fewest: int = 4) -> Document:
    """A run of the document's sentences that holds all that answer; cheaper to read and never the same twice."""
    count = len(document.sentences)
    if count <= fewest:
        return document
    anchors = sorted(document.right) or [generator.randrange(count)]
    start = generator.randint(0, anchors[0])
    end = generator.randint(anchors[-1] + 1, count)
    while end - start < fewest:
        start, end = max(0, start - 1), min(count, end + 1)
    return replace(
        document,
        sentences=document.sentences[start:end],
        right=frozenset(index - start for index in document.right),
        unknown=frozenset(index - start for index in document.unknown if start <= index < end),
    )
