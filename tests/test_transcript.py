"""Stored conversations: numbered through, written out inert, and there again in another process."""

from __future__ import annotations

import html
import json
import re
import signal
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from assistant.cli import main
from assistant.engine import Assistant
from assistant.errors import NotInLibrary
from assistant.library import Library
from assistant.papers import Paper
from assistant.settings import Settings
from assistant.testing import tiny_library
from assistant.transcript import Numbers, exported, renumbered, transcript
from assistant.transcript_markdown import escaped, markdown

FIRST = "What is PromptLadder?"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return tiny_library(tmp_path / "library")


def talk(library: Library, *questions: str) -> str:
    conversation = Assistant(library, settings=Settings.load(strictness="lenient")).conversation()
    for question in questions:
        conversation.ask(question)
    return conversation.id


# --- numbering --------------------------------------------------------------------------------------------------------

SPANS = st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 3))
TURNS = st.lists(st.lists(st.lists(SPANS, max_size=3, unique=True), max_size=4), max_size=4)


def as_answer(claims: list[list[tuple[str, int]]]) -> tuple[str, list[dict[str, Any]]]:
    """An answer in its JSON form: each claim a sentence with a marker per paper, keys in order of first use."""
    keys: dict[str, str] = {}
    text, made = "", []
    for place, spans in enumerate(claims):
        for paper, _ in spans:
            keys.setdefault(paper, str(len(keys) + 1))
        markers = "".join(f" [{key}]" for key in dict.fromkeys(keys[paper] for paper, _ in spans))
        said = f"Claim {place} of [7].{markers}"
        start = len(text) + 1 if text else 0
        text = f"{text} {said}" if text else said
        citations = [
            {"key": keys[paper], "paper": {"id": paper}, "quote": "q", "start": at, "end": at + 1}
            for paper, at in spans
        ]
        claim = {"text": said, "start": start, "end": start + len(said), "verdict": "quoted", "citations": citations}
        made.append(claim)
    return text, made


@settings(max_examples=150, deadline=None)
@given(TURNS)
def test_numbers_run_through_in_order_of_first_use(turns: list[list[list[tuple[str, int]]]]) -> None:
    numbers = Numbers()
    used: list[int] = []
    for claims in turns:
        text, made = as_answer(claims)
        pieces = list(renumbered(text, made, numbers))
        used += [number for piece in pieces for number in piece.numbers]
        words = " ".join("".join(piece.text for piece in pieces).split())
        assert words == " ".join(re.sub(r"(?<=\.)(?: \[\d+\])+", "", text).split())
        known = {r.number: (r.paper["id"], r.start) for r in numbers.references}
        said = [known[number] for piece in pieces for number in piece.numbers]
        assert sorted(said) == sorted(span for spans in claims for span in spans)
    assert list(dict.fromkeys(used)) == list(range(1, len(numbers.references) + 1))
    spans = [(reference.paper["id"], reference.start, reference.end) for reference in numbers.references]
    assert len(set(spans)) == len(spans)


def test_markers_within_a_quotation_are_its_own() -> None:
    text = "As [1] shows, it works. [1]"
    citation = {"key": "1", "paper": {"id": "a"}, "quote": "q", "start": 0, "end": 9}
    claim = {"text": text, "start": 0, "end": len(text), "verdict": "quoted", "citations": [citation]}
    pieces = list(renumbered(text, [claim], Numbers()))
    assert [(piece.text, piece.numbers) for piece in pieces] == [("As [1] shows, it works.", (1,))]


def test_a_paper_named_twice_in_one_sentence_has_its_number_both_times() -> None:
    text = "It grades prompts [1] in five steps [1]."
    citation = {"key": "1", "paper": {"id": "a"}, "quote": "q", "start": 0, "end": 9}
    claim = {"text": text, "start": 0, "end": len(text), "verdict": "supported", "citations": [citation]}
    numbers = Numbers()
    numbers.of({"paper": {"id": "b"}, "quote": "q", "start": 0, "end": 9})
    pieces = list(renumbered(text, [claim], numbers))
    said = [(piece.text, piece.numbers) for piece in pieces]
    assert said == [("It grades prompts", (2,)), (" in five steps", (2,)), (".", ())]


# --- written out ------------------------------------------------------------------------------------------------------


class _Elements(HTMLParser):
    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.text = ""
        self.feed(fragment)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


MARKUP = st.text(alphabet="ab1 .\n\t#*_`~[]()<>!|\\-+=:/&;$@{}^\"'", max_size=60) | st.sampled_from(
    [
        "![x](http://evil)",
        "<script>x</script>",
        "1. a",
        "- a",
        "# a",
        "www.evil.org",
        "https://evil.org",
        "&lt;",
        "***",
        "    a",
    ]
)


@settings(max_examples=300, deadline=None)
@given(MARKUP | st.text(max_size=60))
def test_any_text_stays_text_in_markdown(text: str) -> None:
    shown = _Elements(MarkdownIt("gfm-like", {"linkify": False}).render(escaped(text)))
    assert set(shown.seen) <= {"p"}
    plain = " ".join(text.replace("\x00", "\ufffd").split())
    assert " ".join(shown.text.split()) == plain or html.unescape(plain) != plain


def test_markdown_has_the_questions_the_answers_and_the_references(library: Library) -> None:
    conversation = talk(library, FIRST, "How many students took part in it?", "And its authors' hardware?")
    whole = transcript(library, conversation)
    text = markdown(whole)
    assert text.startswith(f"# {FIRST}\n")
    assert "Read as: *How many students took part in PromptLadder?*" in text
    assert text.index("## References") > text.index("students took part")
    for reference in whole.references:
        assert f"[\\[{reference.number}\\]](#ref-{reference.number})" in text
        assert f'<a id="ref-{reference.number}"></a>' in text
        paper = library.paper(reference.paper["id"])
        assert paper.abstract[reference.start : reference.end] == reference.quote


def test_an_abstract_cannot_bring_markup_or_links(tmp_path: Path) -> None:
    abstract = "BadNet is *strong* [see](http://evil.org) <img src=x> and ![pic](http://evil.org/a.png) on #1 data."
    paper = Paper(id="title:bad", title="BadNet: <b>bold</b> *stars*", abstract=abstract, url="javascript:alert(1)")
    library = tiny_library(tmp_path / "bad", papers=[paper])
    shown = _Elements(
        MarkdownIt("commonmark").render(exported(library, talk(library, "What is BadNet?"), "markdown"))
    )
    assert not {"img", "b", "script"} & set(shown.seen)
    assert "evil.org" in shown.text
    assert "javascript" not in exported(library, talk(library, "What is BadNet?"), "markdown")


def test_bibtex_has_what_was_cited_and_keeps_papers_that_are_gone(library: Library) -> None:
    conversation = talk(library, FIRST, "What recall does QuietNet reach?")
    assert exported(library, conversation, "bibtex").count("@") == 2
    library.remove(["title:tiny-1"])
    assert exported(library, conversation, "bibtex").count("@") == 2
    assert "PromptLadder" in exported(library, conversation, "markdown")


def test_json_numbers_like_markdown(library: Library) -> None:
    content = json.loads(exported(library, talk(library, FIRST), "json"))
    assert [reference["number"] for reference in content["references"]] == [*range(1, len(content["references"]) + 1)]
    assert "[1]" in content["turns"][0]["text"]
    assert content["title"] == FIRST


# --- kept -------------------------------------------------------------------------------------------------------------


def test_unknown_ids_are_one_line(library: Library) -> None:
    with pytest.raises(NotInLibrary, match=r"no conversation 'nope'.*ibid conversations list"):
        transcript(library, "nope")
    with pytest.raises(NotInLibrary, match="no conversation in this library yet"):
        transcript(library, "last")


def test_last_is_the_latest_in_which_something_was_asked(library: Library) -> None:
    conversation = talk(library, FIRST)
    library.create_conversation()
    assert transcript(library, "last").id == conversation


def ibid(*arguments: object, stdin: str = "", expected: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "assistant", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == expected, done.stderr
    return done


def test_a_chat_that_was_killed_goes_on_in_a_new_process(library: Library) -> None:
    folder = library.path
    library.close()
    command = [sys.executable, "-m", "assistant", "chat", "--library", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as chat:
        assert chat.stdin is not None
        assert chat.stdout is not None
        chat.stdin.write(f"{FIRST}\n")
        chat.stdin.flush()
        while "[1]" not in chat.stdout.readline():
            pass
        chat.send_signal(signal.SIGKILL)
    shown = ibid("chat", "--resume", "--library", folder, stdin="How many students took part in it?\n")
    assert "Read as: How many students took part in PromptLadder?" in shown.stdout
    listed = json.loads(ibid("conversations", "list", "--library", folder, "--json").stdout)["conversations"]
    assert [(summary["title"], summary["turns"]) for summary in listed] == [(FIRST, 2)]


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    shown = capsys.readouterr()
    return left.value.code, shown.out, shown.err


def test_conversations_are_shown_renamed_written_and_removed(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    conversation, other = talk(library, FIRST), talk(library, "What recall does QuietNet reach?")
    where = ("--library", library.path)
    assert run(capsys, "conversations", "rename", conversation, "my", "reading", *where)[0] == 0
    shown = run(capsys, "conversations", "show", conversation, *where)[1]
    assert "my reading" in shown
    assert "[1]" in shown
    assert run(capsys, "conversations", "export", conversation, "-o", tmp_path / "talk.md", *where)[0] == 0
    assert (tmp_path / "talk.md").read_text(encoding="utf-8").startswith("# my reading")
    assert run(capsys, "conversations", "export", "last", "--format", "bibtex", *where)[1].startswith("@")
    assert json.loads(run(capsys, "conversations", "export", "last", "--json", *where)[1])["id"] == other
    code, _, error = run(capsys, "conversations", "rm", conversation, "nope", *where)
    assert (code, error.count("\n")) == (1, 1)
    assert len(library.list_conversations()) == 2
    assert json.loads(run(capsys, "conversations", "rm", conversation, "--json", *where)[1]) == {
        "removed": [conversation]
    }
    assert [summary.id for summary in library.list_conversations()] == [other]


def test_a_long_list_of_conversations_is_cut_and_says_how_many_more(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    made = [talk(library, FIRST) for _ in range(3)]
    where = ("--library", library.path)
    code, out, error = run(capsys, "conversations", "list", "--limit", 2, *where)
    assert (code, out.count("\n")) == (0, 2)
    assert made[-1] in out
    assert error == "1 more; list them all with: ibid conversations list --limit 3\n"
    content = json.loads(run(capsys, "conversations", "list", "--limit", 2, "--json", *where)[1])
    assert (len(content["conversations"]), content["more"]) == (2, 1)
    code, out, error = run(capsys, "conversations", "list", *where)
    assert (code, out.count("\n"), error) == (0, 3, "")
    assert run(capsys, "conversations", "list", "--limit", 0, *where)[0] == 2


@pytest.mark.parametrize("command", ["show", "export", "rm"])
def test_every_command_says_that_an_id_is_unknown(
    library: Library, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, error = run(capsys, "conversations", command, "nope", "--library", library.path)
    assert (code, out) == (1, "")
    assert (
        error == "ibid: no conversation 'nope' in this library; see those there are with: ibid conversations list\n"
    )
