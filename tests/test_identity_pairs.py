"""Three hundred labelled pairs of records: what was reached is kept, and no order of arrival changes it."""

from __future__ import annotations

from benchmarks.identity_quality import PAIRS, ibid, measured, pairs


def test_false_merges_and_false_splits_stay_as_few() -> None:
    found = pairs(PAIRS)
    assert len(found) == 300
    got = measured(found, ibid)
    assert len(got["confused"]) <= 6
    assert len(got["split"]) <= 13
    assert got["unsteady"] == []
    assert {pair.kind for pair in got["confused"]} <= {
        "one DOI for two works",
        "one DOI for two chapters of one author",
    }
