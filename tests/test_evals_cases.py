"""Datasets: the schema is kept, a bad line is named, selections are what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import InputError
from evals.cases import bundled, digest, load, parse, read, select

_LINE: dict[str, Any] = {"id": "a", "kind": "fact", "question": "What?", "papers": ["Alpha"], "facts": [["x", "y"]]}


def test_bundled_cases_load_and_write_themselves_back() -> None:
    assert "bundled" in bundled()
    cases = load("bundled")
    assert len(cases) >= 150
    assert all(parse(case.to_dict()) == case for case in cases)
    assert digest(cases) == digest(load("bundled"))
    assert digest(cases) != digest(cases[1:])


def test_no_group_of_the_bundled_set_is_in_both_splits() -> None:
    cases = load("bundled")
    splits = {(case.group, case.split) for case in cases}
    assert len(splits) == len({group for group, _ in splits})


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"question": None}, "either `question` or `turns`"),
        ({"turns": ["a", "b"]}, "either `question` or `turns`"),
        ({"question": "  "}, "empty"),
        ({"kind": "riddle"}, "kind"),
        ({"answerable": False}, "requires no facts"),
        ({"reason": "not_stated"}, "no refusal"),
        ({"facts": [[]]}, "without alternatives"),
        ({"facts": [[" "]]}, "empty"),
        ({"fact": []}, "Extra inputs"),
        ({"split": "train"}, "split"),
        ({"id": ""}, "id"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps({**_LINE, "id": "ok"}) + "\n\n" + json.dumps({**_LINE, **change}) + "\n")
    with pytest.raises(InputError, match=r"mine\.jsonl:3") as caught:
        read(path)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[1]", '"x"', "3"])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(text + "\n")
    with pytest.raises(InputError, match=r"mine\.jsonl:1"):
        read(path)


def test_ids_are_unique_within_a_file_and_named_by_it_across_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    one.write_text(json.dumps(_LINE) + "\n" + json.dumps(_LINE) + "\n")
    two.write_text(json.dumps(_LINE) + "\n")
    with pytest.raises(InputError, match="used on line 1"):
        read(one)
    three = tmp_path / "three.jsonl"
    three.write_text(two.read_text())
    assert [(case.id, case.group) for case in load(str(two), str(three))] == [
        ("two/a", "two/a"),
        ("three/a", "three/a"),
    ]
    again = tmp_path / "sub" / "three.jsonl"
    again.parent.mkdir()
    again.write_text(two.read_text())
    with pytest.raises(InputError, match="called 'three'"):
        load(str(three), str(again))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no dataset 'nothing'"):
        load("nothing")
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n")
    with pytest.raises(InputError, match="no case"):
        load(str(empty))
    binary = tmp_path / "binary.jsonl"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot read"):
        read(binary)


def test_one_string_is_one_alternative_and_forbidden_is_flat() -> None:
    case = parse({**_LINE, "facts": ["x", ["y", "z"]], "forbidden": ["p", ["q", "r"]]})
    assert case.facts == (("x",), ("y", "z"))
    assert case.forbidden == ("p", "q", "r")
    assert case.group == "a"


def test_select() -> None:
    cases = load("bundled")
    assert {case.split for case in select(cases, split="dev")} == {"dev"}
    assert {case.kind for case in select(cases, kinds=["fact", "list"])} == {"fact", "list"}
    few = select(cases, limit=7)
    assert len(few) == 7
    assert few == select(cases, limit=7)
    assert len(select(cases, limit=10**6)) == len(cases)
    with pytest.raises(InputError, match="riddle"):
        select(cases, kinds=["riddle"])
    with pytest.raises(InputError, match="limit"):
        select(cases, limit=0)
