"""A paper that was retracted or corrected says so wherever it is shown, exported or handed to a program."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docx import Document

from assistant.answers import from_summary, paper_summary
from assistant.cli import main
from assistant.engine import Assistant
from assistant.library import Library
from assistant.papers import Paper
from assistant.settings import Settings
from assistant.standing import standing
from assistant.testing import HashEmbedder
from assistant.transcript import exported, transcript
from assistant.transcript_docx import document
from assistant.transcript_html import html
from ingest import add
from ui import standing as shown
from ui.chat import panel, turns
from ui.chat.stored import recall

_NOTICE = "Retracted: doi:10.1000/r"
_SAID = "Longer sleep improved memory by 30 percent."
_QUESTION = "By how much did longer sleep improve memory in mice?"


def _record(**more: object) -> bytes:
    """A paper as Crossref tells of it."""
    told = {
        "DOI": "10.1000/j", "title": ["Sleep and Memory in Mice"], "author": [{"given": "Bo", "family": "Jones"}],
        "abstract": f"We tested sleep in 60 mice. {_SAID}", "publisher": "P", "volume": "4", "page": "1-9", **more,
    }  # fmt: skip
    return json.dumps(told).encode() + b"\n"


_RETRACTION = {"updated-by": [{"DOI": "10.1000/r", "type": "retraction", "label": "Retraction"}]}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", embedder=HashEmbedder()) as opened:
        add(opened, io.BytesIO(_record(**_RETRACTION)))
        yield opened


def _assistant(library: Library) -> Assistant:
    return Assistant(library, settings=Settings.load(strictness="lenient"))


@pytest.mark.parametrize(
    ("notices", "word", "grave"),
    [
        (["Retracted: doi:10.1/x"], "Retracted", True),
        (["Partly retracted: X 2020"], "Partly retracted", True),
        (["Corrected: X", "Retracted"], "Retracted", True),
        (["Partly retracted: X", "Retracted: Y"], "Retracted", True),
        (["Withdrawn: so says its comment on arXiv"], "Withdrawn", True),
        (["Expression of concern: X"], "Expression of concern", True),
        (["Corrected: X 2020;1:2"], "Corrected", False),
        (["Is the retraction of doi:10.1000/j"], "Notice", False),
        (["Something else"], "Notice", False),
    ],
)
def test_the_gravest_notice_gives_the_word(notices: list[str], word: str, grave: bool) -> None:
    found = standing(notices)
    assert found is not None
    assert (found.word, found.grave) == (word, grave)


def test_no_notice_is_no_mark() -> None:
    paper = Paper("title:1", "T", "A.")
    assert standing(()) is None
    assert (shown.mark(paper), shown.word(paper), shown.notices(paper)) == ("", "", "")


def test_a_summary_keeps_notices_and_old_records_are_read_without() -> None:
    paper = Paper("doi:10.1/x", "T", "An abstract.", ("A B",), 2020, "V", "10.1/x", notices=(_NOTICE,))
    assert from_summary(paper_summary(paper)) == replace(paper, abstract="")
    old = {name: value for name, value in paper_summary(paper).items() if name != "notices"}
    assert from_summary(old) == replace(paper, abstract="", notices=())


def test_an_answer_marks_the_source_in_its_text_its_references_and_the_panel(library: Library) -> None:
    answer = _assistant(library).ask(_QUESTION)
    made = turns.finished(answer, 0)
    claim, references = made.split('class="ibid-references"')
    for part in (claim, references):
        assert "⊘</b> Retracted</em>" in part
    assert 'aria-label="Source 1, retracted"' in claim
    assert "[Retracted]" in turns.plain(answer)
    opened = panel.claim(recall(library, library.record(answer.record_id)), 0)
    assert 'role="note" aria-label="Retracted"' in opened
    assert '<a href="https://doi.org/10.1000/r" target="_blank" rel="noopener noreferrer">doi:10.1000/r</a>' in opened


def test_a_notice_cannot_bring_markup() -> None:
    paper = Paper("title:1", "T", "A.", notices=('Retracted <img src=x> doi:10.1000/a"b<i>',))
    made = shown.notices(paper)
    assert "<img" not in made
    assert "<i>" not in made
    assert "&lt;img" in made


def test_a_retraction_that_came_after_the_answer_is_shown_with_it(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", embedder=HashEmbedder()) as library:
        add(library, io.BytesIO(_record()))
        talk = _assistant(library).conversation()
        answer = talk.ask(_QUESTION)
        assert answer.citations[0].paper.notices == ()
        add(library, io.BytesIO(_record(**_RETRACTION)))
        recalled = recall(library, library.record(answer.record_id))
        assert recalled.answer.citations[0].paper.notices == (_NOTICE,)
        assert transcript(library, talk.id).references[0].paper["notices"] == [_NOTICE]


def test_conversations_are_written_out_with_it(library: Library) -> None:
    talk = _assistant(library).conversation()
    talk.ask(_QUESTION)
    whole = transcript(library, talk.id)
    assert "**Retracted: doi:10.1000/r.**" in exported(library, talk.id, "markdown")
    assert '<strong class="warning">Retracted: doi:10.1000/r.</strong>' in html(whole)
    text = "\n".join(one.text for one in Document(io.BytesIO(b"".join(document(whole)))).paragraphs)
    assert "Retracted: doi:10.1000/r." in text
    assert json.loads(exported(library, talk.id, "json"))["references"][0]["paper"]["notices"] == [_NOTICE]
    assert whole.turns[0].notes == (
        "“Sleep and Memory in Mice”: Retracted: doi:10.1000/r",
    )  # [1] is another's number


def test_the_command_line_marks_it_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> str:
        with pytest.raises(SystemExit) as left:
            main([*arguments, "--library", str(tmp_path / "library")])
        out, err = capsys.readouterr()
        assert not left.value.code, err
        return out

    def told(*arguments: str) -> Any:
        return json.loads(run(*arguments, "--json"))

    (tmp_path / "crossref.jsonl").write_bytes(_record(**_RETRACTION))
    run("add", str(tmp_path / "crossref.jsonl"))
    mark = "[RETRACTED] Sleep and Memory in Mice"
    assert mark in run("list")
    assert mark in run("search", "sleep memory")
    asked = run("ask", _QUESTION)
    assert f"[1] {mark}" in asked
    assert f"Note: [1] “Sleep and Memory in Mice”: {_NOTICE}." in asked
    assert f"\n{_NOTICE}\n" in run("show", "10.1000/j")
    assert "\nvolume  4\n" in run("show", "10.1000/j")
    assert "\nvolume  4  (crossref:crossref.jsonl)\n" in run("show", "10.1000/j", "-v")
    assert _NOTICE in run("edit", "10.1000/j", "--tag", "thesis")
    assert told("list")[0]["notices"] == [_NOTICE]
    assert told("show", "10.1000/j")["notices"] == [_NOTICE]
    assert told("search", "sleep")["hits"][0]["paper"]["notices"] == [_NOTICE]
    assert told("ask", _QUESTION)["citations"][0]["paper"]["notices"] == [_NOTICE]
