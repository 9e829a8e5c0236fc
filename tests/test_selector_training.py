"""What the selector is trained on: the written sets, the labelled sets, and what is drawn from them."""

from __future__ import annotations

import json
import random
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import InputError
from assistant.training import documents, handwritten
from assistant.training.documents import Document

PAPERS = [
    {"id": "P0", "source": "x-0", "title": "Vitamin K and fractures", "abstract": "We enrolled 440 women. Fractures fell."},
    {"id": "P1", "source": "x-1", "title": "Sparse attention", "abstract": "Attention is slow. OrbitNet is fast. It is new."},
]  # fmt: skip


def _set(folder: Path, *lines: str) -> Path:
    (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, PAPERS)) + "\n", encoding="utf-8")
    (folder / "questions.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_a_written_set_is_read(tmp_path: Path) -> None:
    written = handwritten.load(
        _set(
            tmp_path,
            "P0 | fact | 0 | How many women took part?",
            "# a remark",
            "P0 | missing | - | What dose was given?",
            "P1 | why | 0+1 | Why sparse | and not dense?",
            "* | comparison | P0:1 P1:1/2 | Which is better?",
            "* | off | - | What is dark matter?",
        )
    )

    assert [(case.question, case.kind) for case in written.asked] == [
        ("How many women took part?", "fact"),
        ("What dose was given?", "missing"),
        ("Why sparse | and not dense?", "why"),
        ("Which is better?", "comparison"),
        ("What is dark matter?", "off"),
    ]
    assert [dict(case.answers) for case in written.asked] == [
        {"P0": {0}},
        {"P0": set()},
        {"P1": {0, 1}},
        {"P0": {1}, "P1": {1, 2}},
        {},
    ]


@pytest.mark.parametrize(
    "line",
    [
        "P0 | fact | 0",
        "P9 | fact | 0 | An unknown paper?",
        "P0 | guess | 0 | An unknown kind?",
        "P0 | fact | 2 | A sentence that is not there?",
        "P0 | fact | first | Not a number?",
        "P0 | fact | 0 | ",
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError, match="line 1"):
        handwritten.load(_set(tmp_path, line))


def test_the_written_sets_that_ship_can_be_read() -> None:
    sets = handwritten.load_all(Path(str(files("assistant.training") / "written")))

    assert len(sets) >= 3
    for written in sets:
        kinds = [case.kind for case in written.asked]
        assert kinds.count("missing") > 0.25 * len(kinds)
        training, back = handwritten.divided(written)
        assert not set(training.papers) & set(back.papers)
        assert not any(set(case.answers) & set(back.papers) for case in training.asked)
        assert not {case.question for case in training.asked} & {case.question for case in back.asked}


def test_no_paper_of_the_written_sets_is_evaluated_on() -> None:
    evaluated = {
        documents.title_key(row["title"])
        for name in ("medicine", "biology")
        for row in documents.rows(Path(str(files("evals") / "datasets" / f"{name}_papers.jsonl")))
    }
    written = handwritten.load_all(Path(str(files("assistant.training") / "written")))

    assert not evaluated & {documents.title_key(paper.title) for part in written for paper in part.papers.values()}


counts = st.integers(min_value=1, max_value=20)


@given(count=counts, right=st.frozensets(st.integers(0, 19), max_size=3), seed=st.integers(0, 1000))
def test_a_crop_keeps_the_answers(count: int, right: frozenset[int], seed: int) -> None:
    right = frozenset(index for index in right if index < count)
    whole = Document("Q?", "T", tuple(f"Sentence {n}." for n in range(count)), right, bool(right), "x")
    cut = documents.cropped(whole, random.Random(seed))

    assert {cut.sentences[index] for index in cut.right} == {whole.sentences[index] for index in right}
    assert len(cut.sentences) >= min(4, count)
    assert cut.answered == whole.answered


def test_a_text_bereft_of_its_answer_does_not_answer() -> None:
    left = documents.bereft(Document("Q?", "T", ("One.", "Two.", "Three."), frozenset({1}), True, "x"))

    assert (left.sentences, left.right, left.answered) == (("One.", "Three."), frozenset(), False)


def test_claims_of_the_test_split_and_over_evaluated_papers_are_never_trained_on(tmp_path: Path) -> None:
    base = {"evidence_sentences": ["Water is wet.", "Fire is hot."], "rationale": [[0]]}
    rows = [
        {**base, "title": f"Title {n % 4}", "claim": f"Claim number {n} holds", "split": "dev" if n % 2 else "train"}
        for n in range(40)
    ]
    file = tmp_path / "grounding.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    found = documents.claims(file, seed=1, without={documents.title_key("title 2")})

    numbers = {int(word) for document in found for word in document.question.split() if word.isdigit()}
    assert numbers == {n for n in range(0, 40, 2) if n % 4 != 2}
    assert all(document.right == {0} and document.answered for document in found)


def test_a_question_asked_elsewhere_is_not_answered() -> None:
    whole = [Document(f"Q{n}?", "T", (f"Sentence {n}.",), frozenset({0}), True, "x") for n in range(10)]
    away = documents.asked_elsewhere(whole, seed=1)

    assert away
    for document in away:
        assert not document.answered
        assert not document.right
        assert document.question[1:-1] != document.sentences[0].split()[1].rstrip(".")
