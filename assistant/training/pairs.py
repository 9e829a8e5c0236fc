"""Question-sentence pairs to train the selector from, read from labelled sets."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from assistant.training.documents import held_out, rows


@dataclass(frozen=True, slots=True)
class Pair:
    """Does `sentence` answer `question`?"""

    question: str
    sentence: str
    label: int  # 1 it does, 0 it does not


_BOUNDARY = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9(\"“])")


def sentences_of(text: str) -> tuple[str, ...]:
    """A plain split, good enough for training: a wrong boundary costs one odd example."""
    return tuple(part.strip() for part in _BOUNDARY.split(text) if len(part.split()) >= 3)


def general_pairs(path: Path, negatives: int, seed: int) -> list[Pair]:
    """Pairs of SelQA and QNLI over Wikipedia, without the questions held out.

    At most `negatives` wrong sentences are kept for a question, so that the many of SelQA do not drown the rest.
    """
    generator = random.Random(seed)
    by_question: dict[str, list[Pair]] = defaultdict(list)
    for row in rows(path):
        pair = Pair(row["question"].strip(), row["sentence"].strip(), int(row["label"]))
        by_question[pair.question].append(pair)
    training: list[Pair] = []
    for question, pairs in by_question.items():
        wrong = [pair for pair in pairs if not pair.label]
        kept = [pair for pair in pairs if pair.label] + generator.sample(wrong, min(negatives, len(wrong)))
        if not held_out(question):
            training += kept
    return training


def titled(folder: Path, seed: int) -> list[Pair]:
    """PubMedQA: a paper's title question, answered by its conclusion and by no sentence on background or method."""
    generator = random.Random(seed)
    texts = {row["_id"]: row["text"] for row in rows(folder / "corpus.jsonl")}
    questions = list(rows(folder / "qa.jsonl"))
    training: list[Pair] = []
    for row in questions:
        ends = sentences_of(row["long_answer"])
        if not ends:
            continue
        body = re.split(r"\b(?:RESULTS?|FINDINGS|RESULTS AND CONCLUSIONS)\s?:", texts[row["id"]])[0]
        before = [sentence for sentence in sentences_of(body) if len(sentence.split()) > 5]
        other = generator.choice(questions)
        pairs = [Pair(row["question"], end, 1) for end in ends[:2]]
        pairs += [Pair(row["question"], wrong, 0) for wrong in generator.sample(before, min(3, len(before)))]
        if other["id"] != row["id"]:
            pairs.append(Pair(row["question"], sentences_of(other["long_answer"] + " ")[0], 0))
        if not held_out(row["id"], 0.3):
            training += pairs
    return training
