"""Question-sentence pairs to train the selector from, read from labelled sets."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Pair:
    """Does `sentence`, from a paper called `title` (empty when unknown), answer `question`?"""

    question: str
    title: str
    sentence: str
    label: int  # 1 it does, 0 it does not
    origin: str


@dataclass(frozen=True, slots=True)
class Abstract:
    """A paper's title and the sentences of its abstract."""

    id: str
    title: str
    sentences: tuple[str, ...]


_BOUNDARY = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9(\"“])")


def sentences_of(text: str) -> tuple[str, ...]:
    """A plain split, good enough for training: a wrong boundary costs one odd example."""
    return tuple(part.strip() for part in _BOUNDARY.split(text) if len(part.split()) >= 3)


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def held_out(key: str, share: float) -> bool:
    """A stable split by content, the same in every process and version."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") / 2**32 < share


HELD_OUT = 0.1  # of the questions of every set; never trained on, used for calibration and evaluation


def general(path: Path, negatives: int, seed: int) -> tuple[list[Pair], list[Pair]]:
    """Pairs of SelQA and QNLI over Wikipedia: (training, held out by question).

    At most `negatives` wrong sentences are kept for a question, so that the many of SelQA do not drown the rest.
    """
    generator = random.Random(seed)
    by_question: dict[str, list[Pair]] = defaultdict(list)
    for row in rows(path):
        pair = Pair(row["question"].strip(), "", row["sentence"].strip(), int(row["label"]), row["source"])
        by_question[pair.question].append(pair)
    training: list[Pair] = []
    test: list[Pair] = []
    for question, pairs in by_question.items():
        wrong = [pair for pair in pairs if not pair.label]
        kept = [pair for pair in pairs if pair.label] + generator.sample(wrong, min(negatives, len(wrong)))
        (test if held_out(question, HELD_OUT) else training).extend(kept)
    return training, test


_CLAIM_FRAMES = (
    "Is it true that {claim}?",
    "Does the evidence show that {claim}?",
    "What is known about whether {claim}?",
    "Do studies find that {claim}?",
    "Is there evidence that {claim}?",
    "{Claim}: is that so?",
    "What do we know about this: {claim}?",
    "Was it shown that {claim}?",
)


def claims(path: Path, seed: int) -> tuple[list[Pair], list[Pair]]:
    """SciFact training claims as questions: rationale sentences against the rest of the abstract.

    A claim whose cited abstract holds no evidence makes every sentence of it a negative. Claims of SciFact's own
    dev split (BEIR's test queries) are left out.
    """
    generator = random.Random(seed)
    training: list[Pair] = []
    test: list[Pair] = []
    for row in rows(path):
        if row["split"] != "train":
            continue
        claim = row["claim"].rstrip(". ")
        lowered = claim if claim[:2].isupper() or claim[:1].isdigit() else claim[0].lower() + claim[1:]
        question = generator.choice(_CLAIM_FRAMES).format(claim=lowered, Claim=claim)
        right = {index for group in row["rationale"] for index in group}
        wrong = [index for index in range(len(row["evidence_sentences"])) if index not in right]
        chosen = sorted(right) + generator.sample(wrong, min(4, len(wrong)))
        pairs = [
            Pair(question, row["title"], row["evidence_sentences"][index], int(index in right), "scifact")
            for index in chosen
        ]
        (test if held_out(row["claim"], HELD_OUT) else training).extend(pairs)
    return training, test


def conclusions(folder: Path, seed: int) -> tuple[list[Pair], list[Pair]]:
    """PubMedQA: a paper's title question, answered by its conclusion and by no sentence on background or method."""
    generator = random.Random(seed)
    texts = {row["_id"]: row["text"] for row in rows(folder / "corpus.jsonl")}
    questions = list(rows(folder / "qa.jsonl"))
    training: list[Pair] = []
    test: list[Pair] = []
    for row in questions:
        ends = sentences_of(row["long_answer"])
        if not ends:
            continue
        body = re.split(r"\b(?:RESULTS?|FINDINGS|RESULTS AND CONCLUSIONS)\s?:", texts[row["id"]])[0]
        before = [sentence for sentence in sentences_of(body) if len(sentence.split()) > 5]
        other = generator.choice(questions)
        pairs = [Pair(row["question"], "", end, 1, "pubmedqa") for end in ends[:2]]
        pairs += [
            Pair(row["question"], "", wrong, 0, "pubmedqa") for wrong in generator.sample(before, min(3, len(before)))
        ]
        if other["id"] != row["id"]:
            pairs.append(Pair(row["question"], "", sentences_of(other["long_answer"] + " ")[0], 0, "pubmedqa"))
        (test if held_out(row["id"], 0.3) else training).extend(pairs)
    return training, test


def abstracts(folder: Path) -> list[Abstract]:
    """The SciFact abstracts, without those that BEIR's test queries are about."""
    tested = {line.split("\t")[1] for line in (folder / "qrels" / "test.tsv").read_text().splitlines()[1:]}
    return [
        Abstract(row["_id"], row["title"].strip(), sentences_of(row["text"]))
        for row in rows(folder / "corpus.jsonl")
        if row["_id"] not in tested
    ]


def thinned(pairs: Iterable[Pair], count: int, seed: int) -> list[Pair]:
    """At most `count` of the pairs, drawn without replacement."""
    everything = list(pairs)
    return random.Random(seed).sample(everything, min(count, len(everything)))
