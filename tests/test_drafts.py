"""A draft's sentences and the papers that they cite, in every way of citing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant import drafts
from assistant.library import Library
from assistant.proofreading import check_draft
from ingest import add

PAPERS = [
    {
        "title": "Quiet Retrieval for Clinical Notes",
        "abstract": "We index the notes of thirteen hospitals. QuietNet reaches a recall of 0.91 on clinical notes.",
        "authors": ["Ada Lin", "Bo Ek"],
        "year": 2021,
        "doi": "10.1000/quiet.1",
        "citekey": "lin2021",
    },
    {
        "title": "Blue Light and Lichens",
        "abstract": "Blue light halved the growth of every colony. Red light had no effect on lichens.",
        "authors": ["Cy Oak"],
        "year": 2019,
        "arxiv_id": "1901.00001",
        "citekey": "oak2019",
    },
]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("drafts")
    (folder / "papers.jsonl").write_text("\n".join(json.dumps(paper) for paper in PAPERS), encoding="utf-8")
    with Library.open(folder / "library") as opened:
        add(opened, str(folder / "papers.jsonl"))
        yield opened


def cited(draft: str, library: Library) -> list[list[str | None]]:
    return [
        [one.paper.title.split()[0] if one.paper else None for one in sentence.citations]
        for sentence in drafts.read(draft, library)
    ]


@pytest.mark.parametrize(
    "mark",
    [
        "[@lin2021]",
        "\\cite{lin2021}",
        "(Lin and Ek, 2021)",
        "(doi:10.1000/quiet.1)",
        "https://doi.org/10.1000/quiet.1",
    ],
)
def test_ways_of_citing(mark: str, library: Library) -> None:
    assert cited(f"QuietNet reaches a recall of 0.91 {mark}.", library) == [["Quiet"]]


def test_numbers_are_looked_up_in_the_references(library: Library) -> None:
    draft = (
        "Clinical notes can be searched well [1]. Light matters to lichens.[2, 3]\n\n## References\n"
        "[1] A. Lin, B. Ek. Quiet Retrieval for Clinical Notes. 2021.\n[2] C. Oak, arXiv:1901.00001\n[3] Nobody. Nothing.\n"
    )
    assert cited(draft, library) == [["Quiet"], ["Blue", None]]
    second = list(drafts.read(draft, library))[1]
    assert second.claim == "Light matters to lichens."
    assert draft[second.start : second.end] == second.text


def test_a_draft_is_judged_sentence_by_sentence(library: Library) -> None:
    draft = (
        "# Related work\n\nOak (2019) found that blue light halved the growth of every colony. Red light stopped it [@oak2019].\n"
        "QuietNet reaches a recall of 0.91 on clinical notes. It reaches a recall of 0.97 [@lin2021]. So [@nobody1999] says of fish."
    )
    found = list(check_draft(library, draft))
    assert [bool(one.cited) for one in found] == [True, True, False, True, False]
    assert found[0].checked.verdict == "supported"
    assert found[1].checked.verdict not in ("quoted", "supported")
    assert found[2].checked.verdict == "quoted"
    assert found[3].checked.verdict not in ("quoted", "supported")
    assert "number" in {finding.kind for finding in found[3].checked.findings}
    assert "unknown_citation" in {finding.kind for finding in found[4].checked.findings}
    for one in found:
        assert draft[one.start : one.end] == one.text


def test_the_command_prints_verdicts(library: Library, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from assistant.cli.verifying import verify

    library.close()
    (tmp_path / "draft.md").write_text("Blue light halved the growth of every colony [@oak2019].", encoding="utf-8")
    run = CliRunner().invoke(verify, ["--library", str(library.path), "--text", str(tmp_path / "draft.md"), "--json"])
    assert run.exit_code == 0, run.output
    row = json.loads(run.stdout)
    assert row["verdict"] == "quoted"
    assert row["evidence"][0]["quote"] == "Blue light halved the growth of every colony."
    plain = CliRunner().invoke(verify, ["--library", str(library.path), "--text", str(tmp_path / "draft.md")])
    assert "1 sentence: 1 quoted" in plain.output
