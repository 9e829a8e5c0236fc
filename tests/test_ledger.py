"""What a run has met: exact counts, whole lists, and nothing of either in memory."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.identity import Identifier
from assistant.library import Library
from assistant.papers import Paper
from assistant.testing import HashEmbedder
from ingest import IngestReport
from ingest.adding import Run
from ingest.ledger import HELD, Ledger, Told
from ingest.records import Record, Rejected


def _filled(number: int) -> Ledger:
    ledger = Ledger()
    for index in range(number):
        ledger.note("added", f"title:{index}")
    return ledger


def test_few_entries_are_a_tuple_and_many_are_read_as_they_are_asked_for() -> None:
    ledger = _filled(HELD)
    assert ledger.ids("added") == tuple(f"title:{index}" for index in range(HELD))
    ledger.note("added", "one more")
    many = ledger.ids("added")
    assert isinstance(many, Told)
    assert len(many) == HELD + 1
    assert list(many)[-2:] == [f"title:{HELD - 1}", "one more"]
    assert many == [*(f"title:{index}" for index in range(HELD)), "one more"]
    assert many != many[1:]
    assert ledger.ids("updated") == ()


_MANY = _filled(HELD + 7).ids("added")
_WHOLE = [f"title:{index}" for index in range(HELD + 7)]
_ENDS = st.none() | st.integers(-HELD - 20, HELD + 20)


@settings(max_examples=40, deadline=None)
@given(_ENDS, _ENDS, st.none() | st.sampled_from([1, 3000, -4000, -1]))
def test_slices_are_those_of_a_list(start: int | None, stop: int | None, step: int | None) -> None:
    if step == -1:  # entry by entry: kept short
        start, stop = 30, start if start is None or abs(start) < 30 else 2
    assert list(_MANY[start:stop:step]) == _WHOLE[start:stop:step]


def test_single_places() -> None:
    assert (_MANY[0], _MANY[-1], _MANY[5000]) == (_WHOLE[0], _WHOLE[-1], _WHOLE[5000])
    with pytest.raises(IndexError):
        _MANY[len(_WHOLE)]


def test_every_rejection_is_kept_in_order_whatever_it_says() -> None:
    ledger = Ledger()
    given = [Rejected(f"f:{index}", "half a \ud800 character\n") for index in range(HELD + 1)]
    for one in given:
        ledger.note("rejected", *one)
    report = IngestReport(rejected=ledger.told("rejected", Rejected))
    assert report.rejected == given
    assert len(json.loads(json.dumps(report.to_dict()))["rejected"]) == HELD + 1
    assert str(report).splitlines()[-1] == f"and {HELD + 1 - 1000:,} more rejected; --json names them all"


def test_memory_does_not_grow_with_what_is_noted() -> None:
    ledger = _filled(1000)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for index in range(20_000):
            ledger.note("added", f"title:{index}")
            ledger.meet(f"title:{index}")
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 20_000
    assert ledger.has_met("title:19999")
    assert not ledger.has_met("title:20000")


def test_what_a_dry_run_decided_is_found_again() -> None:
    ledger = Ledger()
    paper = Paper("doi:10.1000/a", "A", "Text.", authors=("Ann Lee",), tags=("a", "b"))
    name = Identifier("doi", "10.1000/a")
    ledger.decide([paper], [(name, paper.id)])
    ledger.decide([], [(name, "another")])
    assert ledger.decided(["x", paper.id]) == {paper.id: paper}
    assert ledger.named([name, Identifier("doi", "10.1000/b")]) == {name: paper.id}


def _records(number: int) -> Iterator[Record]:
    for index in range(number):
        yield Record(f"f:{index}", "made:f", f"Title {index % 90} of many", "A text.", doi=f"10.1000/{index % 90}")


def test_a_dry_run_tells_what_a_run_does(tmp_path: Path) -> None:
    with Library.open(tmp_path, embedder=HashEmbedder()) as library:
        dry = Run(library, dry=True)
        for _ in range(2):
            dry.take(list(_records(100)))
        told = dry.report(0.0)
        assert (told.added, told.duplicates, library.count()) == (90, 110, 0)
        with library.writing():
            real = Run(library)
            for _ in range(2):
                real.take(list(_records(100)))
        assert real.report(0.0) == told
        assert library.count() == 90
