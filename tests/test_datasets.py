"""The question sets keep to their schema, and every fact they ask for stands in a paper they expect."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evals.cases import corpus_of

_ROOT = Path(__file__).parent.parent
_SETS = _ROOT / "evals" / "datasets"
_KINDS = {"fact", "list", "comparison", "summary", "yes_no", "paraphrase", "follow_up", "unanswerable"}
_REASONS = {"nothing_relevant", "not_stated", "filter_matched_nothing", "not_a_question_for_the_corpus"}
_REQUIRED = {
    "id": str,
    "group": str,
    "split": str,
    "kind": str,
    "papers": list,
    "facts": list,
    "forbidden": list,
    "answerable": bool,
    "tags": list,
}
_OPTIONAL = {"question", "turns", "filters", "note"}
_PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-"})

Case = dict[str, Any]
Corpus = dict[str, str]


def _normalised(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).translate(_PLAIN).replace("``", '"').replace("''", '"')
    text = re.sub(r"\\([%_&#$])", r"\1", text).replace("$", "")
    return re.sub(r"\s+", " ", text).casefold().strip()


def _occurs(words: str, text: str) -> bool:
    return re.search(rf"(?<![^\W_]){re.escape(_normalised(words))}(?![^\W_])", _normalised(text)) is not None


def _bundled_corpus() -> Corpus:
    lines = (_ROOT / "ingest" / "corpus" / "huggingface-papers.txt").read_text(encoding="utf-8").splitlines()[2:]
    lines[0] = lines[0].removeprefix("Subscribe")
    filled = [line.strip() for line in lines if line.strip()]
    return dict(zip(filled[::2], filled[1::2], strict=True))


def _json_corpus(name: str) -> Callable[[], Corpus]:
    def read() -> Corpus:
        records = [json.loads(line) for line in (_SETS / name).read_text(encoding="utf-8").splitlines()]
        return {record["title"]: record["abstract"] for record in records}

    return read


_CORPORA: dict[str, Callable[[], Corpus]] = {
    "bundled.jsonl": _bundled_corpus,
    "biology.jsonl": _json_corpus("biology_papers.jsonl"),
    "conversations-biology.jsonl": _json_corpus("biology_papers.jsonl"),
    "conversations-medicine.jsonl": _json_corpus("medicine_papers.jsonl"),
    "conversations.jsonl": _bundled_corpus,
    "medicine.jsonl": _json_corpus("medicine_papers.jsonl"),
}
_CONVERSATIONS = sorted(name for name in _CORPORA if name.startswith("conversations"))


def _cases(name: str) -> list[Case]:
    return [json.loads(line) for line in (_SETS / name).read_text(encoding="utf-8").splitlines()]


def _asked(case: Case) -> tuple[str, ...]:
    return (case["question"],) if "question" in case else tuple(case["turns"])


@pytest.fixture(params=sorted(_CORPORA))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_set_has_a_corpus_here() -> None:
    files = {path.name for path in _SETS.glob("*.jsonl") if not path.name.endswith("_papers.jsonl")}
    assert {*_CORPORA, "claims.jsonl"} == files  # claims are the verifier's, tested with it


@pytest.mark.parametrize("papers", ["biology_papers.jsonl", "medicine_papers.jsonl"])
def test_papers_are_sixty_and_distinct(papers: str) -> None:
    records = [json.loads(line) for line in (_SETS / papers).read_text(encoding="utf-8").splitlines()]
    assert all(set(record) == {"id", "title", "abstract"} for record in records)
    assert len(records) == len({record["id"] for record in records}) == len({r["title"] for r in records}) == 60


def test_fields_have_their_types(name: str) -> None:
    for case in _cases(name):
        for field, kind in _REQUIRED.items():
            assert type(case[field]) is kind, (case["id"], field)
        assert set(case) <= {*_REQUIRED, *_OPTIONAL, "reason"}, case["id"]
        assert ("question" in case) != ("turns" in case), case["id"]
        assert all(isinstance(text, str) and text.strip() for text in _asked(case)), case["id"]
        assert all(isinstance(text, str) for text in [*case["papers"], *case["forbidden"], *case["tags"]])
        assert all(
            alternatives and all(isinstance(text, str) and text.strip() for text in alternatives)
            for alternatives in case["facts"]
        ), case["id"]
        assert isinstance(case.get("filters", {}), dict)
        assert isinstance(case.get("note", ""), str)


def test_values_agree_with_each_other(name: str) -> None:
    for case in _cases(name):
        assert case["split"] in {"dev", "test"}, case["id"]
        assert case["kind"] in _KINDS, case["id"]
        if case["answerable"]:
            assert case["reason"] is None, case["id"]
            assert case["kind"] != "unanswerable", case["id"]
            assert case["papers"], case["id"]
            assert case["facts"], case["id"]
        else:
            assert case["reason"] in _REASONS, case["id"]
            assert case["kind"] in {"unanswerable", "follow_up"}, case["id"]
            assert not case["facts"], case["id"]
        assert (case["reason"] == "filter_matched_nothing") <= bool(case.get("filters")), case["id"]
        assert (case["kind"] == "follow_up") == ("turns" in case), case["id"]


def test_ids_and_questions_are_unique(name: str) -> None:
    cases = _cases(name)
    assert [key for key, n in Counter(case["id"] for case in cases).items() if n > 1] == []
    asked = Counter((_asked(case), json.dumps(case.get("filters"))) for case in cases)
    assert [key for key, n in asked.items() if n > 1] == []


def test_titles_are_exact(name: str) -> None:
    titles = set(_CORPORA[name]())
    for case in _cases(name):
        assert set(case["papers"]) <= titles, case["id"]
        assert len(set(case["papers"])) == len(case["papers"]), case["id"]


def test_every_fact_stands_in_an_expected_paper(name: str) -> None:
    corpus = _CORPORA[name]()
    for case in _cases(name):
        texts = [f"{title}\n{corpus[title]}" for title in case["papers"]]
        for alternatives in case["facts"]:
            assert any(_occurs(words, text) for words in alternatives for text in texts), (case["id"], alternatives)


def test_nothing_forbidden_is_asked_for(name: str) -> None:
    for case in _cases(name):
        for words in case["forbidden"]:
            assert not any(_occurs(words, fact) for facts in case["facts"] for fact in facts), case["id"]


@pytest.mark.parametrize("name", sorted(set(_CORPORA) - set(_CONVERSATIONS)))
def test_every_paper_is_asked_about(name: str) -> None:
    asked = Counter(title for case in _cases(name) for title in case["papers"])
    least = 2 if name == "bundled.jsonl" else 1
    assert [title for title in _CORPORA[name]() if asked[title] < least] == []


def test_groups_lie_in_one_split_and_splits_are_even(name: str) -> None:
    splits: dict[str, set[str]] = {}
    for case in _cases(name):
        splits.setdefault(case["group"], set()).add(case["split"])
        assert case["id"].startswith(case["group"] + "-")
    assert [group for group, found in splits.items() if len(found) > 1] == []
    share = sum(case["split"] == "dev" for case in _cases(name)) / len(_cases(name))
    least = 0.6 if name in _CONVERSATIONS else 0.45
    assert least <= share <= least + 0.1


def test_bundled_set_is_balanced() -> None:
    cases = _cases("bundled.jsonl")
    kinds = Counter(case["kind"] for case in cases)
    assert len(cases) >= 320
    least = {"fact": 90, "list": 35, "comparison": 30, "summary": 25, "yes_no": 25, "paraphrase": 30, "follow_up": 35}
    assert {kind: kinds[kind] for kind, n in least.items() if kinds[kind] < n} == {}
    reasons = Counter(case["reason"] for case in cases)
    assert reasons["not_stated"] >= 30
    assert set(reasons) == {None, *_REASONS}


def test_conversations_have_two_to_five_turns() -> None:
    cases = [case for name in _CONVERSATIONS for case in _cases(name)]
    assert len(cases) >= 180
    assert all(2 <= len(case["turns"]) <= 5 for case in cases)
    tags = Counter(tag for case in cases for tag in case["tags"])
    assert tags["topic_change"] >= 20
    assert tags["refuse"] >= 12
    assert tags["elliptical"] >= 40


def test_conversations_ask_about_the_papers_of_their_field() -> None:
    found = [corpus_of(name.removesuffix(".jsonl")).name for name in _CONVERSATIONS]
    assert found == ["biology_papers.jsonl", "medicine_papers.jsonl", "huggingface-papers.txt"]
