"""The questions written by hand over abstracts: their files, and the documents that training draws from them.

A set is a folder with papers.jsonl (id, source, title, abstract) and questions.txt, one question a line:
`paper | kind | answer | question`. Answers name sentences by number from 0: `3`, `3+4` (both are needed), `3/6`
(either states it), `-` (the abstract does not state it); over several papers `P1:3 P7:0`, each with its sentence.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np

from assistant.embedding import default_embedder
from assistant.errors import InputError
from assistant.training.documents import Document, bereft, cropped, held_out, rows, sentences_of

Kind: TypeAlias = Literal["fact", "why", "yes_no", "paraphrase", "summary", "missing", "list", "comparison", "off"]


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper of a written set, its abstract in sentences."""

    id: str
    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and, for each paper that it is about, the sentences that answer it there (none: not stated)."""

    question: str
    kind: Kind
    answers: Mapping[str, frozenset[int]]


@dataclass(frozen=True, slots=True)
class WrittenSet:
    """One field's papers and the questions over them."""

    name: str
    papers: Mapping[str, Paper]
    asked: tuple[Asked, ...]


def load(folder: Path) -> WrittenSet:
    """Read a set. InputError names the line of a question that cannot be read."""
    papers = {
        row["id"]: Paper(row["id"], row["title"], sentences_of(row["abstract"]))
        for row in rows(folder / "papers.jsonl")
    }
    file = folder / "questions.txt"
    lines = file.read_text(encoding="utf-8").splitlines()
    found = []
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith("#"):
            try:
                found.append(parse(line, papers))
            except (ValueError, KeyError) as error:
                raise InputError(f"{file}, line {number}: {line!r} cannot be read ({error}); mend it") from error
    return WrittenSet(folder.name, papers, tuple(found))


def parse(line: str, papers: Mapping[str, Paper]) -> Asked:
    """One line of questions.txt. ValueError or KeyError when it is malformed."""
    paper, kind, answer, question = (part.strip() for part in line.split(" | ", 3))
    if kind not in get_args(Kind) or not question:
        raise ValueError(f"kind {kind!r}" if question else "no question")
    if kind in ("list", "comparison"):
        parts = [part.rsplit(":", 1) for part in answer.split()]
        answers = {papers[name].id: _numbers(numbers, papers[name]) for name, numbers in parts}
    elif kind == "off":
        answers = {}
    else:
        answers = {papers[paper].id: frozenset() if answer == "-" else _numbers(answer, papers[paper])}
    return Asked(question, kind, answers)  # type: ignore[arg-type] # checked against the literal's values above


def _numbers(text: str, paper: Paper) -> frozenset[int]:
    found = frozenset(int(number) for number in re.split(r"[+/]", text))
    if max(found) >= len(paper.sentences):
        raise ValueError(f"{paper.id} has {len(paper.sentences)} sentences")
    return found


def divided(written: WrittenSet) -> tuple[WrittenSet, WrittenSet]:
    """The set for training and the held-out tenth, by paper; questions over several papers only train."""
    kept = {name for name, paper in written.papers.items() if held_out(paper.title)}
    training = {name: paper for name, paper in written.papers.items() if name not in kept}
    asked = [
        Asked(case.question, case.kind, {name: right for name, right in case.answers.items() if name not in kept})
        for case in written.asked
        if case.kind == "off" or set(case.answers) - kept
    ]
    back = tuple(case for case in written.asked if case.answers and set(case.answers) <= kept)
    return (
        WrittenSet(written.name, training, tuple(asked)),
        WrittenSet(written.name, {name: written.papers[name] for name in kept}, back),
    )


@dataclass(frozen=True, slots=True)
class Shares:
    """Which share of the documents is drawn in one pass of training."""

    elsewhere: float = 0.5  # answerable questions, each over one of the nearest other abstracts
    bereft: float = 0.25  # answerable questions over their abstract without the answer
    crops: float = 0.5  # documents cut to a run of their sentences


def drawn(written: WrittenSet, seed: int, shares: Shares) -> list[Document]:
    """The documents of one pass over the set; another seed draws other negatives and crops."""
    generator = random.Random(seed)
    near = nearest(written)
    documents: list[Document] = []
    for case, order in zip(written.asked, near, strict=True):
        own = [_document(case, written.papers[name], right, written.name) for name, right in case.answers.items()]
        others = [written.papers[name] for name in order if name not in case.answers]
        documents += own
        if case.kind == "off":
            documents += [
                _nowhere(case, paper, written.name) for paper in generator.sample(others[:5], min(2, len(others)))
            ]
        elif case.kind == "list":
            documents += [
                _nowhere(case, paper, written.name)
                for paper in generator.sample(others[2:12], min(2, len(others[2:12])))
            ]
        elif case.kind not in ("missing", "comparison"):
            if others and generator.random() < shares.elsewhere:
                documents.append(_nowhere(case, generator.choice(others[:4]), written.name))
            if generator.random() < shares.bereft and len(own[0].sentences) > len(own[0].right) + 2:
                documents.append(bereft(own[0]))
    return [cropped(doc, generator) if generator.random() < shares.crops else doc for doc in documents]


def _document(case: Asked, paper: Paper, right: frozenset[int], origin: str) -> Document:
    answered = None if case.kind == "comparison" else bool(right)
    return Document(case.question, paper.title, paper.sentences, right, answered, f"{origin}, {case.kind}")


def _nowhere(case: Asked, paper: Paper, origin: str) -> Document:
    return Document(case.question, paper.title, paper.sentences, frozenset(), False, f"{origin}, elsewhere")


def nearest(written: WrittenSet) -> list[list[str]]:
    """For each question the set's papers, nearest first by title and abstract."""
    if not written.asked:
        return []
    embedder = default_embedder()
    names = list(written.papers)
    texts = [f"{paper.title}. {' '.join(paper.sentences)}"[:1500] for paper in written.papers.values()]
    vectors = embedder.embed_sentences(texts)
    questions = np.stack([embedder.embed_query(case.question) for case in written.asked])
    order = np.argsort(-(questions @ vectors.T), axis=1, kind="stable")
    return [[names[index] for index in row] for row in order]


def load_all(folder: Path) -> Sequence[WrittenSet]:
    """The sets in a folder's subfolders, by name."""
    return [load(path.parent) for path in sorted(folder.glob("*/questions.txt"))]
