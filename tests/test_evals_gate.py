"""The gate: the bundled test questions, answered by the default engine, judged by bounds declared in gate.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import InputError
from evals import run
from evals.baselines import Options, maker
from evals.cases import corpus_of
from evals.libraries import library_for, route
from evals.suite import Suite, load_suite


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("libraries")


@pytest.mark.timeout(900)  # a minute of work, but of a machine that may be busy
def test_the_default_engine_passes_the_gate(libraries: Path) -> None:
    system = route({"bundled": corpus_of("bundled")}, maker("ibid", Options()), libraries)
    found = run(system, suite="gate")
    report = "\n".join(
        f"{one.bound}: {one.verdict}, {one.why}; look at {', '.join(one.failing[:5])}" for one in found.summary.bounds
    )
    assert found.summary.n >= 150
    assert found.summary.errors == 0, found.summary.unanswered
    assert {one.verdict for one in found.summary.bounds} == {"pass"}, f"\n{report}"


def test_the_gate_s_promises_allow_no_exception() -> None:
    bounds = {bound.metric: bound for bound in load_suite("gate").bounds}
    for promise in ("citation_validity", "quote_exactness", "number_fidelity"):
        assert bounds[promise].rule == "every"
        assert bounds[promise].at_least == 1.0


def test_a_library_is_made_once(libraries: Path) -> None:
    first = library_for(corpus_of("bundled"), libraries)
    assert first.count() == 59
    first.close()
    with library_for(corpus_of("bundled"), libraries) as again:
        assert again.count() == 59
    assert len(list(libraries.iterdir())) == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[suite]\nname = 'x'\n[[bounds]]\nmetric = 'nonsense'\nat_least = 1.0", "no metric 'nonsense'"),
        ("[suite]\nname = 'x'\n[[bounds]]\nmetric = 'correct'", "at_least or at_most"),
        ("[suite]\nname = 'x'\n[[bounds]]\nmetric = 'correct'\nat_least = 1.0\nat_most = 1.0", "at_least or at_most"),
        ("[suite]\nname = 'x'\n[margins]\ncorrect = -1.0", "0 or more"),
        ("[suite]\nname = 'x'\nsplt = 'test'", "splt"),
        ("[suite", "not TOML"),
        ("", "name"),
    ],
)
def test_a_bad_suite_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match="mine") as caught:
        load_suite(path)
    assert complaint in str(caught.value)


def test_bundled_suites_load() -> None:
    for name in ("gate", "full"):
        assert isinstance(load_suite(name), Suite)
