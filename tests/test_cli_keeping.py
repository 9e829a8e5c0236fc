"""`ibid edit`, `ibid show -v` and `ibid sync` as they are typed: what they print, and one line for what cannot be done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assistant.cli import main

_BIB = """@article{lee2020, title={A Study of Great Things}, author={Lee, Ann}, year={2020}, doi={10.1000/a},
  keywords={ml}, abstract={We study great things. They are great.}}
"""
Ibid = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ibid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Ibid:
    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([*map(str, arguments), "--library", str(tmp_path / "library")])
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    (tmp_path / "refs.bib").write_text(_BIB)
    return run


def _told(out: str) -> Any:
    return json.loads(out)


def test_a_paper_is_edited_and_shown_with_its_origins(ibid: Ibid, tmp_path: Path) -> None:
    assert ibid("add", tmp_path / "refs.bib")[0] == 0
    given = (
        "--year",
        "1999",
        "--tag",
        "read",
        "--untag",
        "ml",
        "--note",
        "check the numbers",
        "--doi",
        "https://doi.org/10.1000/B",
    )
    code, out, _ = ibid("edit", "@lee2020", *given, "--json")
    told = _told(out)
    assert (code, told["year"], told["tags"], told["note"], told["doi"]) == (
        0,
        1999,
        ["read"],
        "check the numbers",
        "10.1000/b",
    )
    assert told["provenance"]["year"] == told["provenance"]["tags"] == "you"
    assert told["provenance"]["title"] == "bibtex:refs.bib"
    assert ["doi", "10.1000/a"] in told["identifiers"]
    assert ibid("add", tmp_path / "refs.bib")[0] == 0
    _, out, _ = ibid("show", "10.1000/a", "-v")
    assert "1999  (you)" in out
    assert "title  from bibtex:refs.bib" in out
    assert "keys  lee2020" in out
    assert "check the numbers" in ibid("list", "--filter", "note=numbers", "--json")[1]
    assert _told(ibid("edit", "lee2020", "--reset-all", "--json")[1])["year"] == 2020


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--year", "soon"), 1), (("--doi", "nonsense"), 1), (("--arxiv", "9999.99"), 1), (("--title", " "), 1),
        (("--tag", " "), 1), (("--reset", "colour"), 1), ((), 2),
    ],
)  # fmt: skip
def test_what_cannot_be_edited_is_one_line(ibid: Ibid, tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    ibid("add", tmp_path / "refs.bib")
    found, _, err = ibid("edit", "lee2020", *arguments)
    assert found == code
    assert code == 2 or len(err.strip().splitlines()) == 1
    assert ibid("edit", "nobody", "--tag", "x")[0] == 1


def test_sources_are_synced_listed_and_forgotten(ibid: Ibid, tmp_path: Path) -> None:
    code, out, _ = ibid("sync", tmp_path / "refs.bib", "--dry-run")
    assert code == 1  # there is no library yet, and a dry run makes none
    code, out, _ = ibid("sync", tmp_path / "refs.bib")
    assert (code, "1 added" in out) == (0, True)
    code, out, _ = ibid("sync", "--json")
    assert _told(out)["sources"][0]["skipped"] == 1
    (tmp_path / "refs.bib").write_text(
        _BIB.replace("lee2020", "ek2021")
        .replace("10.1000/a", "10.1000/z")
        .replace("Great", "Small")
        .replace("Lee", "Ek")
    )
    code, out, _ = ibid("sync", "--prune", "--dry-run")
    assert "doi:10.1000/a is no longer in the source: would be removed" in out
    assert _told(ibid("sync", "--prune", "--json")[1])["sources"][0]["pruned"] == ["doi:10.1000/a"]
    assert "1 paper," in ibid("sync", "--list")[1]
    assert ibid("sync", "--forget", tmp_path / "refs.bib")[0] == 0
    code, _, err = ibid("sync", "--forget", "nothing")
    assert (code, len(err.strip().splitlines())) == (1, 1)
    code, _, err = ibid("sync")
    assert (code, err.strip()) == (1, "ibid: no source is remembered yet; name one, e.g. ibid sync refs.bib")
