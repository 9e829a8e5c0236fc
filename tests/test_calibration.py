"""Calibration of refusals: the questions made, the threshold fitted, the curve, what is stored and when it is used."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant import Assistant, Library, Paper, Settings, answerability
from assistant.calibration import curve, phrasing, store
from assistant.calibration.asking import Judged, log_odds, probability
from assistant.calibration.fitting import Error, Reference, Wanted, fit
from assistant.calibration.made import FEWEST_PAPERS, Made, make
from assistant.calibration.masked import Masked
from assistant.calibration.running import calibrate
from assistant.calibration.store import Calibration
from assistant.cli.calibrate import calibrate as command
from assistant.errors import InputError
from assistant.testing import HashEmbedder, tiny_library
from evals.statistics.risk import risk_coverage as slow_curve

_THINGS = ("moss", "fern", "reed", "kelp", "algae", "lichen", "orchid", "willow", "maple", "cedar", "birch")
_CAUSES = ("Shade", "Frost", "Grazing", "Drought", "Salt", "Wind", "Ash")
_TELLING = (
    "We followed {n} colonies of {thing} in valley{i}. {cause} reduces {thing} growth in valley{i} by {n}.5 percent.",
    "We followed {n} colonies of {thing} in valley{i}. {cause} reduces {thing} growth in valley{i}.",
    "We followed colonies of {thing} in valley{i}. {cause} reduces {thing} growth in valley{i}.",
)


def _papers(count: int) -> list[Paper]:
    papers = []
    for i in range(count):
        thing, other = _THINGS[i % len(_THINGS)], _THINGS[(i * 7 + 3) % len(_THINGS)]
        told = _TELLING[i % 3].format(n=30 + i, thing=thing, i=i, cause=_CAUSES[i % len(_CAUSES)])
        papers.append(
            Paper(
                id=f"title:{i}",
                title=f"Growth of {thing} colonies beside {other} in valley{i}",
                abstract=(
                    f"Little is known about {thing} beside {other}. {told} Wet soils promote {other} seedlings of kind{i}. "
                    f"The keepers of valley{i} reported no further problems with storms, floods or fires in any season."
                ),
            )
        )
    return papers


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return tiny_library(tmp_path / "library", papers=_papers(24), embedder=HashEmbedder(64))


def _judged(answerable: list[float], unanswerable: list[float]) -> list[Judged]:
    return [
        *(Judged(Made(f"a{i}", True, "count", f"{i}"), value) for i, value in enumerate(answerable)),
        *(Judged(Made(f"u{i}", False, "detail", f"{i}"), value) for i, value in enumerate(unanswerable)),
    ]


def test_the_same_library_and_seed_make_the_same_questions(library: Library) -> None:
    first = make(library, 80, seed=3)
    assert make(library, 80, seed=3) == first
    assert make(library, 80, seed=4) != first
    assert len({made.question for made in first}) == len(first)


def test_questions_are_of_every_sort_and_half_are_answerable(library: Library) -> None:
    made = make(library, 80)
    assert {"count", "relation", "terse", "about", "held_out", "detail", "uncounted", "tempting", "swapped"} <= {
        one.way for one in made
    }
    assert 0.35 < sum(one.answerable for one in made) / len(made) < 0.7
    assert all(bool(one.hidden) is (one.way == "held_out") for one in made)


def test_numbers_are_asked_for_only_where_none_can_be_read(library: Library) -> None:
    made = [one for seed in range(3) for one in make(library, 80, seed)]
    templates = {
        way: {int(one.paper_id[6:]) % 3 for one in made if one.way == way} for way in ("uncounted", "tempting")
    }
    assert templates == {"uncounted": {2}, "tempting": {1}}


def test_what_another_paper_may_answer_is_not_asked(library: Library, tmp_path: Path) -> None:
    twins = [
        replace(paper, id=f"title:{i}-{side}") for i, paper in enumerate(_papers(12)) for side in ("north", "south")
    ]
    twice = tiny_library(tmp_path / "twins", papers=twins, embedder=HashEmbedder(64))
    assert any(one.way == "held_out" for one in make(library, 80))
    assert not any(one.way in ("held_out", "uncounted", "tempting") for one in make(twice, 80))


@pytest.mark.parametrize(
    ("text", "number", "share"),
    [
        ("GPT-4 and BM25 agree.", False, False),
        ("Both agree.", True, False),
        ("We tested 42 dogs.", True, False),
        ("In 3 of 5 dogs it failed.", True, True),
        ("Most dogs recovered; 12 did not.", True, True),
        ("It falls by 12%.", True, True),
    ],
)
def test_numbers_and_shares_are_told(text: str, number: bool, share: bool) -> None:
    assert phrasing.numbers(text) is number
    assert phrasing.shares(text) is share


def test_too_few_papers_are_an_error_that_says_how_many_are_needed(tmp_path: Path) -> None:
    few = tiny_library(tmp_path, papers=_papers(5), embedder=HashEmbedder())
    with pytest.raises(InputError, match=rf"5 papers are too few .* {FEWEST_PAPERS} are needed"):
        make(few, 80)


def test_a_masked_paper_is_found_neither_by_meaning_nor_by_words(library: Library) -> None:
    masked = Masked(library, ["title:7"])
    vector = np.asarray(library.embedder.embed_query("valley7"), dtype=np.float32)
    assert any(key.startswith("title:7#") for key, _ in library.lexical("valley7", 5))
    assert not any(key.startswith("title:7#") for key, _ in masked.lexical("valley7", 24))
    assert len(masked.dense(vector, 24)) == 23
    assert library.term_statistics().df("valley7") == 1
    assert masked.term_statistics().df("valley7") == 0


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Shade reduces moss growth by half.", phrasing.Relation("shade", "reduce", "moss growth")),
        (
            "We show that BM25 outperforms dense retrievers.",
            phrasing.Relation("BM25", "outperform", "dense retrievers"),
        ),
        ("It was cold.", None),
    ],
)
def test_relations_are_read_off_sentences(sentence: str, expected: phrasing.Relation | None) -> None:
    assert phrasing.relation(sentence) == expected


def test_what_is_counted_is_read_off_sentences() -> None:
    assert phrasing.counted("We followed 42 young colonies over two years.") == ["young colonies"]


_LOG_ODDS = st.lists(st.floats(-8, 8), min_size=1, max_size=30)


@given(_LOG_ODDS, _LOG_ODDS, st.sampled_from(["false_answers", "false_refusals"]), st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_threshold_moves_with_the_wanted_rate(
    answerable: list[float], unanswerable: list[float], error: Error, referenced: bool
) -> None:
    spread = tuple(np.linspace(-3, 5, 50).tolist())
    reference = Reference(spread, tuple(v - 3 for v in spread), spread, spread) if referenced else None
    found = [fit(_judged(answerable, unanswerable), Wanted(error, r), reference) for r in (0.02, 0.05, 0.1, 0.3, 0.5)]
    assert all(0 < value < 1 for value in found)
    assert found == sorted(found, reverse=error == "false_answers")


def test_a_bad_sample_cannot_wreck_the_threshold() -> None:
    spread = tuple(np.linspace(-3, 5, 50).tolist())
    reference = Reference(spread, spread, spread, spread)
    wanted = Wanted("false_refusals", 0.1)
    start = log_odds(fit((), wanted, reference))
    assert start == pytest.approx(float(np.quantile(spread, 0.1)))
    few = log_odds(fit(_judged([-12.0] * 3, []), wanted, reference))
    many = log_odds(fit(_judged([-12.0] * 3000, []), wanted, reference))
    assert start - 0.1 < few < start
    assert start - 1.51 < many < few


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=40))
@settings(max_examples=30, deadline=None)
def test_the_curve_is_that_of_the_evals(items: list[tuple[int, bool]]) -> None:
    scores, wrong = [float(score) for score, _ in items], [lost for _, lost in items]
    found = curve.risk_coverage(scores, wrong, [str(i) for i in range(len(items))])
    other = slow_curve(scores, [float(lost) for lost in wrong])
    assert other is not None
    assert found.risk == pytest.approx(other.risk)
    assert found.aurc == pytest.approx(other.aurc)
    assert found.best == pytest.approx(other.best)
    assert found.low <= found.high


def test_plots_show_the_curve() -> None:
    found = curve.risk_coverage([3, 2, 1, 0], [False, False, True, True], list("abcd"))
    assert found.risk == pytest.approx((0, 0, 1 / 3, 1 / 2))
    assert curve.text_plot(found, 0.5).count("•") == 60
    assert curve.svg(found, 0.5).startswith("<svg ")


def test_an_interval_is_wilsons() -> None:
    share = curve.Share.of(4, 40)
    assert (share.low, share.high) == pytest.approx((0.0396, 0.2305), abs=1e-3)


def _stored(library: Library, threshold: float) -> Calibration:
    marks = store.marks(library, None)
    return Calibration(threshold, "false_refusals", 0.04, 100, 24, "2026-01-01T00:00:00+00:00", marks)


def test_a_stored_threshold_is_used_and_strictness_still_moves_it(library: Library) -> None:
    store.save(library, _stored(library, 0.7))
    assert store.bar(library, "balanced", None).threshold == pytest.approx(0.7)
    lenient, strict = (store.bar(library, how, None).threshold for how in ("lenient", "strict"))
    assert lenient < 0.7 < strict
    moved = log_odds(answerability.THRESHOLDS["strict"]) - log_odds(answerability.THRESHOLDS["balanced"])
    assert strict == pytest.approx(probability(log_odds(0.7) + moved))


def test_a_calibration_made_with_other_parts_is_passed_over_with_a_note(library: Library) -> None:
    old = _stored(library, 0.7)
    store.save(library, replace(old, marks={**old.marks, "embedder": "another"}))
    bar = store.bar(library, "balanced", None)
    assert bar.threshold == answerability.THRESHOLDS["balanced"]
    assert "another embedder" in bar.note
    answer = Assistant(library, settings=Settings.load(), selector=None).ask(
        "How many colonies of moss were followed?"
    )
    assert bar.note in answer.notes


def test_the_assistant_answers_by_the_stored_threshold(library: Library) -> None:
    assistant = Assistant(library, settings=Settings.load(), selector=None)
    question = "How many colonies of moss in valley0?"
    store.save(library, _stored(library, 1e-6))
    assert assistant.ask(question).status == "answered"
    store.save(library, _stored(library, 1 - 1e-6))
    assert assistant.ask(question).status == "abstained"
    store.save(library, None)
    assert store.stored(library) is None


def test_calibrating_asks_without_records_and_is_deterministic(library: Library) -> None:
    told: list[tuple[int, int]] = []
    runs = [
        calibrate(
            library,
            Wanted("false_refusals", 0.1),
            Settings.load(),
            questions=60,
            selector=None,
            progress=lambda done, of: told.append((done, of)),
        )
        for _ in range(2)
    ]
    assert runs[0].calibration.threshold == runs[1].calibration.threshold
    assert runs[0].curve == runs[1].curve
    assert library.stats()["records"] == 0
    assert store.stored(library) is None
    assert told[-1] == (runs[0].calibration.questions, runs[0].calibration.questions)
    json.dumps(runs[0].to_dict())


def test_the_command_stores_shows_and_resets(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    tiny_library(folder, papers=_papers(24)).close()
    runner, place = CliRunner(), ["--library", str(folder)]
    run = runner.invoke(command, [*place, "--json", "--questions", "40", "--plot", str(tmp_path / "c.svg")])
    assert run.exit_code == 0, run.output
    done = json.loads(run.stdout)
    assert done["stored"]
    assert 0 < done["calibration"]["threshold"] < 1
    assert done["curve"]["low"] <= done["curve"]["aurc"] <= done["curve"]["high"]
    assert (tmp_path / "c.svg").read_text().startswith("<svg")
    shown = runner.invoke(command, [*place, "--show", "--json"])
    assert json.loads(shown.stdout)["calibration"] == done["calibration"]
    assert json.loads(shown.stdout)["changed"] == []
    assert json.loads(runner.invoke(command, [*place, "--reset", "--json"]).stdout) == {"reset": True}
    assert "no calibration of its own" in runner.invoke(command, [*place, "--show"]).stdout


def test_the_command_takes_one_wanted_rate(tmp_path: Path) -> None:
    both = ["--false-answers", "0.1", "--false-refusals", "0.1", "--library", str(tmp_path)]
    assert CliRunner().invoke(command, both).exit_code == 2
