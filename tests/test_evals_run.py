"""Runs: the oracle passes, each deliberately broken assistant fails the metric that is about its fault, and no other
promise is blamed for it; errors are counted; a run is read back, replayed and compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from evals_corpus import bundled_papers, bundled_shelf

from assistant.answers import Answer, Citation
from assistant.errors import InputError, ModelUnavailable
from assistant.papers import Paper, details
from evals import compare, replay, run
from evals.cases import Case, load, select
from evals.command import main
from evals.reports import read
from evals.reports.files import read_corpus
from evals.results import Run
from evals.runner import chosen
from evals.suite import load_suite
from evals.testing import OracleAssistant, OracleConversation, PaperShelf, quote, whole

_CASES = select(load("bundled"), limit=90)
_PROMISES = ("citation_validity", "quote_exactness", "number_fidelity")


class BrokenAssistant(OracleAssistant):
    """The oracle with one fault: `spoil` changes each right answer."""

    def __init__(self, spoil: Callable[[Answer], Answer]) -> None:
        super().__init__(bundled_shelf(), _CASES)
        self._spoil = spoil

    def answer(self, turns: tuple[str, ...]) -> Answer:
        return self._spoil(super().answer(turns))


def _with_citations(answer: Answer, change: Callable[[Citation], Citation]) -> Answer:
    claims = tuple(replace(one, citations=tuple(change(cited) for cited in one.citations)) for one in answer.claims)
    return replace(answer, claims=claims, citations=tuple(change(cited) for cited in answer.citations))


def _wrong_offsets(answer: Answer) -> Answer:
    return _with_citations(answer, lambda cited: replace(cited, start=cited.start + 1, end=cited.end + 1))


def _drops_citations(answer: Answer) -> Answer:
    claims = tuple(replace(one, citations=(), verdict="uncited") for one in answer.claims)
    return replace(answer, claims=claims, citations=())


def _never_refuses(answer: Answer) -> Answer:
    if answer.status == "answered":
        return answer
    paper = bundled_papers()[0]
    return quote(answer.question, [(paper, whole(paper).sentences[0])])


def _swaps_papers(answer: Answer) -> Answer:
    papers = bundled_papers()

    def other(paper: Paper) -> Paper:
        return papers[(papers.index(paper) + 1) % len(papers)]

    def swap(cited: Citation) -> Citation:
        paper = other(cited.paper)
        span = whole(paper).sentences[0]
        return replace(
            cited, paper=paper, quote=paper.abstract[span.start : span.end], start=span.start, end=span.end
        )

    return _with_citations(answer, swap)


def _changes_numbers(answer: Answer) -> Answer:
    def spoil(text: str) -> str:
        return text.translate(str.maketrans("123456789", "234567891")) if "[" not in text else text

    claims = tuple(replace(one, text=spoil(one.text.partition(" [")[0]) + " [1]") for one in answer.claims)
    return replace(answer, claims=claims)


def _refuses_all(answer: Answer) -> Answer:
    from evals.testing import refuse

    return refuse(answer.question, "not_stated")


def _gate(assistant: Any) -> Run:
    return run(assistant, _CASES, suite="gate")


def _failed(found: Run) -> set[str]:
    return {bound.metric for bound in found.summary.bounds if bound.verdict == "fail"}


@pytest.fixture(scope="module")
def good() -> Run:
    return _gate(OracleAssistant(bundled_shelf(), _CASES))


def test_the_oracle_passes_every_bound(good: Run) -> None:
    assert good.summary.verdict == "pass", good.summary.bounds
    assert good.summary.errors == 0
    assert good.value("correct") == 1.0


@pytest.mark.parametrize(
    ("spoil", "blamed", "spared"),
    [
        (_wrong_offsets, {"citation_validity"}, {"all_facts", "first_paper", "refusal_recall"}),
        (_drops_citations, {"citation_recall", "first_paper"}, {"all_facts", "refusal_recall", "citation_validity"}),
        (_never_refuses, {"refusal_recall"}, {"all_facts", "citation_validity", "first_paper", "false_refusal"}),
        (
            _swaps_papers,
            {"first_paper", "citation_recall", "right_but_wrongly_cited"},
            {"all_facts", "citation_validity"},
        ),
        (_changes_numbers, {"number_fidelity"}, {"citation_validity", "refusal_recall"}),
        (_refuses_all, {"false_refusal", "all_facts"}, {"refusal_recall", "citation_validity"}),
    ],
)
def test_each_fault_fails_its_own_metric(
    spoil: Callable[[Answer], Answer], blamed: set[str], spared: set[str]
) -> None:
    found = _gate(BrokenAssistant(spoil))
    assert found.summary.verdict == "fail"
    assert blamed <= _failed(found)
    assert not spared & _failed(found)


def test_a_right_fact_with_a_wrong_citation_is_counted_apart() -> None:
    found = _gate(BrokenAssistant(_swaps_papers))
    assert found.value("outcome_right") == 1.0  # judged by outcome alone, nothing is wrong
    assert found.value("right_but_wrongly_cited") == 1.0
    assert found.summary.outcomes["right_and_supported"] == 0


class FailingAssistant(OracleAssistant):
    """Its model is gone every third time."""

    def answer(self, turns: tuple[str, ...]) -> Answer:
        found = super().answer(turns)
        if len(self.asked) % 3 == 0:
            raise ModelUnavailable("no answer from the model in 60 s; start it or raise IBID_CHAT_TIMEOUT_S")
        return found


def test_errors_are_counted_and_leave_metrics_unscored_not_zero(good: Run) -> None:
    found = _gate(FailingAssistant(bundled_shelf(), _CASES))
    assert found.summary.errors == found.summary.outcomes["error"] > 20
    assert sum(found.summary.unanswered.values()) == found.summary.errors
    facts = found.summary.metric("fact_recall")
    assert facts.unscored > 0
    assert facts.applicable == good.summary.metric("fact_recall").applicable
    assert found.value("fact_recall") == 1.0
    # and nothing passes on the cases that are left
    verdicts = {bound.metric: bound.verdict for bound in found.summary.bounds}
    assert verdicts["all_facts"] == "inconclusive"


def test_a_programming_error_is_not_swallowed() -> None:
    def crash(answer: Answer) -> Answer:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        _gate(BrokenAssistant(crash))


def test_the_last_turn_is_judged_after_the_others_were_asked() -> None:
    followed = [case for case in load("bundled") if len(case.turns) > 1]
    assert followed
    assistant = OracleAssistant(bundled_shelf(), followed)
    found = run(assistant, followed)
    assert assistant.asked == [turn for case in followed for turn in case.turns]
    assert found.value("correct") == 1.0


def test_a_repetition_is_no_further_evidence() -> None:
    once = chosen("bundled", load_suite("gate"), limit=40)
    thrice = chosen("bundled", load_suite("gate"), limit=40, repeats=3)
    assert len(thrice) == 3 * len(once)
    assistant = OracleAssistant(bundled_shelf(), once)
    one, three = (run(assistant, cases).summary.metric("refusal_recall").estimate for cases in (once, thrice))
    assert one is not None
    assert three is not None
    assert three.n == 3 * one.n
    assert (three.low, three.groups) == (one.low, one.groups)


def test_several_datasets_are_told_apart(tmp_path: Path) -> None:
    cases = [replace(case, dataset="odd" if place % 2 else "even") for place, case in enumerate(_CASES[:20])]
    found = run(OracleAssistant(bundled_shelf(), cases), cases, out=tmp_path)
    assert list(found.summary.datasets) == ["even", "odd"]
    assert read(tmp_path) == found
    assert "## By dataset" in (tmp_path / "report.md").read_text()
    assert not run(OracleAssistant(bundled_shelf(), _CASES), _CASES[:5]).summary.datasets


def test_filters_reach_the_assistant() -> None:
    heard: list[Any] = []

    class Listening(OracleAssistant):
        def ask(self, question: str, filters: Mapping[str, Any] | None = None, conversation: Any = None) -> Answer:
            heard.append(filters)
            return super().ask(question, filters, conversation)

        def conversation(self) -> OracleConversation:
            return OracleConversation(self)

    case = Case("f", "f", "test", "fact", ("What?",), filters={"year": "2020-2024"})
    run(Listening(bundled_shelf(), [case]), [case])
    assert heard == [{"year": "2020-2024"}]


def test_a_run_is_read_back_as_it_was_and_replayed_without_the_assistant(tmp_path: Path) -> None:
    first = run(OracleAssistant(bundled_shelf(), _CASES), _CASES, out=tmp_path / "run")
    again = read(tmp_path / "run")
    assert again == first
    replayed = replay(tmp_path / "run")
    assert replayed.results == first.results
    assert replayed.summary.metrics == first.summary.metrics
    assert replayed.summary.bounds == first.summary.bounds


def test_a_cited_paper_with_volume_and_pages_is_read_back_with_them(tmp_path: Path) -> None:
    named = {title for case in _CASES for title in case.papers}
    papers = [
        replace(paper, details=details({"volume": "7", "page": "1-9"})) if paper.title in named else paper
        for paper in bundled_papers()
    ]
    run(OracleAssistant(PaperShelf(papers), _CASES), _CASES, out=tmp_path / "run")
    kept = read_corpus(tmp_path / "run").papers
    assert kept
    assert all(paper in papers for paper in kept)
    assert any(paper.detail("page") == "1-9" for paper in kept)


def test_the_run_folder_holds_what_it_should(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    found = run(OracleAssistant(bundled_shelf(), _CASES), _CASES, out=folder)
    assert {path.name for path in folder.iterdir()} == {
        "cases.jsonl",
        "papers.jsonl",
        "summary.json",
        "junit.xml",
        "report.md",
        "report.html",
    }
    assert len((folder / "cases.jsonl").read_text().splitlines()) == len(_CASES)
    summary = json.loads((folder / "summary.json").read_text())
    assert {"corpus", "dataset", "suite", "code", "evals", "prompts"} <= set(summary["hashes"])
    assert summary["verdict"] == "pass"
    assert found.summary.run_id in (folder / "report.md").read_text()
    suites = ElementTree.parse(folder / "junit.xml").getroot()
    assert [suite.get("tests") for suite in suites] == [str(len(found.summary.bounds)), str(len(_CASES))]


def test_the_same_system_and_cases_give_the_same_scores() -> None:
    one, two = (_gate(OracleAssistant(bundled_shelf(), _CASES)) for _ in range(2))
    timed = {"seconds"}
    for first, second in zip(one.summary.metrics, two.summary.metrics, strict=True):
        assert first.name in timed or first == second


def test_compare_finds_the_loss_and_names_the_cases(good: Run) -> None:
    found = compare(good, _gate(BrokenAssistant(_never_refuses)))
    assert found.verdict == "fail"
    change = found.change("refusal_recall")
    assert change.verdict == "fail"
    assert change.significant
    assert change.gain == -1.0
    assert found.change("all_facts").verdict == "pass"
    assert {flip.after for flip in found.flips} == {"wrong"}
    assert all(flip.gain == -1 for flip in found.flips)


def test_compare_with_itself_changes_nothing(good: Run) -> None:
    found = compare(good, good)
    assert found.verdict == "pass"
    assert not found.flips
    assert not any(change.significant for change in found.changes)


def test_compare_leaves_out_what_one_run_did_not_score_and_says_so(good: Run) -> None:
    found = compare(good, _gate(FailingAssistant(bundled_shelf(), _CASES)))
    change = found.change("fact_recall")
    assert change.left_out > 0
    assert change.difference.n + change.left_out == good.summary.metric("fact_recall").applicable


def test_too_few_cases_are_inconclusive_and_say_how_many_would_decide() -> None:
    cases = [case for case in _CASES if case.answerable][:12]

    def forgets(answer: Answer) -> Answer:
        return _refuses_all(answer) if answer.question in {case.question for case in cases[:2]} else answer

    before = run(OracleAssistant(bundled_shelf(), _CASES), cases)
    found = compare(before, run(BrokenAssistant(forgets), cases))
    change = found.change("false_refusal")
    assert change.verdict == "inconclusive"
    assert change.decides is not None
    assert change.detectable is not None
    assert change.detectable > 0.05


def test_runs_without_a_shared_case_are_refused(good: Run) -> None:
    with pytest.raises(InputError, match="share no case"):
        compare(good, Run(good.summary, ()))
    altered = tuple(replace(one, case=replace(one.case, facts=(("other",),))) for one in good.results)
    with pytest.raises(InputError, match="not the same"):
        compare(good, Run(good.summary, altered))


def test_command_line_compares_and_replays(tmp_path: Path) -> None:
    run(OracleAssistant(bundled_shelf(), _CASES), _CASES, out=tmp_path / "a")
    run(BrokenAssistant(_never_refuses), _CASES, out=tmp_path / "b")
    said = CliRunner().invoke(main, ["compare", str(tmp_path / "a"), str(tmp_path / "b")])
    assert said.exit_code == 1
    assert "refusal_recall" in said.output
    assert "FAIL" in said.output
    as_json = CliRunner().invoke(main, ["compare", str(tmp_path / "a"), str(tmp_path / "a"), "--json"])
    assert as_json.exit_code == 0
    assert json.loads(as_json.output)["verdict"] == "pass"
    again = CliRunner().invoke(main, ["report", str(tmp_path / "a"), "--json"])
    assert again.exit_code == 0, again.output
    assert json.loads(again.output)["verdict"] == "pass"
    missing = CliRunner().invoke(main, ["compare", str(tmp_path / "a"), str(tmp_path / "none")])
    assert missing.exit_code == 1
    assert missing.stderr.count("\n") == 1


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(InputError, match="cannot score"):
        run(object(), _CASES)
    with pytest.raises(InputError, match="no suite"):
        run(OracleAssistant(bundled_shelf(), _CASES), _CASES, suite="unknown")
