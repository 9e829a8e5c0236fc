"""Hand-written questions for fitting: none over a paper that the selector was trained on, and the unseen set is whole."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from assistant.training import documents, handwritten
from assistant.training.documents import held_out
from benchmarks import written
from benchmarks.fit_lists import Listed, fitted, left_out, outcome
from benchmarks.written import cases_of, fields_of, library_of, lists_of

PAPERS = [{"id": f"P{n}", "source": "x", "title": f"Paper {n} on wine", "abstract": "One. Two."} for n in range(40)]
LINES = [f"P{n} | {kind} | {answer} | Question {kind} {n}?" for n in range(40) for kind, answer in
         (("why", "0"), ("yes_no", "1"), ("missing", "-"), ("summary", "0+1"))]  # fmt: skip
SEVERAL = [
    "* | list | P0:0 P7:1 | Which papers are on wine?",
    "* | off | - | What is dark matter?",
    "* | off | - | Who won?",
]


def _folder(root: Path) -> Path:
    folder = root / "wine"
    folder.mkdir(parents=True)
    (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, PAPERS)) + "\n", encoding="utf-8")
    (folder / "questions.txt").write_text("\n".join(LINES + SEVERAL) + "\n", encoding="utf-8")
    return root


def test_of_a_set_that_trains_only_papers_kept_back_are_asked_about(tmp_path: Path) -> None:
    (field,) = fields_of(_folder(tmp_path / "trained"), tmp_path / "none")
    cases = cases_of(field)

    asked_about = {title for case in cases for title in case.papers}
    assert asked_about == {paper["title"] for paper in PAPERS if held_out(paper["title"])}
    assert asked_about
    assert {case.kind for case in cases} == {"fact", "yes_no", "unanswerable"}
    assert sum(case.reason == "nothing_relevant" for case in cases) == 1  # every other one
    assert all(case.answerable == (case.reason is None) for case in cases)
    assert len({case.id for case in cases}) == len(cases)


def test_of_an_unseen_set_all_papers_are_asked_about(tmp_path: Path) -> None:
    (field,) = fields_of(tmp_path / "none", _folder(tmp_path / "unseen"))
    cases = cases_of(field)

    assert len(cases) == 3 * len(PAPERS) + 2
    assert [(q.text, q.titles) for q in lists_of(field)] == [
        ("Which papers are on wine?", {"Paper 0 on wine", "Paper 7 on wine"})
    ]


@pytest.mark.parametrize("suffix", ["papers.jsonl", "questions.txt"])
def test_the_unseen_set_ships_with_the_datasets(suffix: str) -> None:
    assert (Path(str(files("evals"))) / "datasets" / "unseen" / "llm" / suffix).is_file()


def test_no_unseen_paper_is_trained_on_or_evaluated_on() -> None:
    fields = fields_of()
    titles = {
        trained: {documents.title_key(paper.title) for f in fields if f.trained is trained for paper in f.written.papers.values()}
        for trained in (True, False)
    }  # fmt: skip
    evaluated = {
        documents.title_key(row["title"])
        for name in ("medicine", "biology")
        for row in documents.rows(Path(str(files("evals") / "datasets" / f"{name}_papers.jsonl")))
    }

    assert titles[False]
    assert not titles[False] & (titles[True] | evaluated)
    assert not {f.name for f in fields if not f.trained} & {
        part.name for part in handwritten.load_all(Path(str(files("assistant.training") / "written")))
    }


def test_cases_over_papers_are_of_the_unseen_or_kept_back_ones() -> None:
    for field in written.fields_of():
        titles = {title for case in cases_of(field) for title in case.papers}
        assert titles
        assert all(held_out(title) for title in titles) or not field.trained


def test_the_library_of_a_set_is_made_once(tmp_path: Path) -> None:
    (field,) = fields_of(tmp_path / "none", _folder(tmp_path / "unseen"))
    small = written.Field(field.written, field.folder, trained=False)

    with library_of(small, tmp_path / "cache") as first:
        assert first.count() == len(PAPERS)
        folders = sorted((tmp_path / "cache").iterdir())
    with library_of(small, tmp_path / "cache") as again:
        assert again.count() == len(PAPERS)
    assert sorted((tmp_path / "cache").iterdir()) == folders


def test_what_a_list_names() -> None:
    scores, labels = np.array([-2.0, 1.0, 0.5]), np.array([0.0, 1.0, 0.0])

    assert outcome(scores, labels, 1, 0.0) == (1, 2, True)
    assert outcome(scores, labels, 2, 0.7) == (1, 1, False)
    assert outcome(scores, labels, 1, 5.0) == (1, 1, True)  # the best stands in


def test_a_corpus_is_scored_by_weights_that_have_not_seen_it() -> None:
    def listed(corpus: str, sign: float) -> Listed:
        return Listed(corpus, 1, True, np.array([[sign], [-sign], [-sign]]), np.array([1.0, 0.0, 0.0]))

    lists = [listed("a", 1.0), listed("a", 1.0), listed("b", -1.0)]
    scores = left_out(lists, slice(0, 1))

    assert scores[2][0] < scores[2][1]  # b: by a's weights, which point the other way
    assert scores[0][0] < scores[0][1]  # a: by b's
    assert fitted(lists, slice(0, 1)).shape == (2,)
