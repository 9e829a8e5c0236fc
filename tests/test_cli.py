"""The command line: what it prints, its exit codes, and that no user ever sees a traceback."""

from __future__ import annotations

import errno
import io
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from assistant.cli import cli, main
from assistant.library import Library
from ingest import add
from tests.conftest import CORPUS

ROOT = Path(__file__).resolve().parents[1]
BIBLIOGRAPHY = ROOT / "tests" / "data" / "ingest.bib"
QUESTION = "What is ExPO?"
IBID = (sys.executable, "-m", "assistant")


class Result:
    """What one call did."""

    def __init__(self, code: object, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Result]


@pytest.fixture
def ibid(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Calls the command line in this process; `stdin` are bytes."""

    def run(*arguments: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        assert "did not foresee" not in shown.err
        return Result(left.value.code, shown.out, shown.err)

    return run


@pytest.fixture
def record_id(ibid: Run, bundled_copy: Path) -> str:
    return str(ibid("ask", "--library", bundled_copy, "--json", QUESTION).json["record_id"])


def process(*arguments: object, **more: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [*IBID, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, **more)


# --- the whole --------------------------------------------------------------------------------------------------------


def test_the_commands_are_those_of_the_design() -> None:
    wanted = {"add", "list", "show", "rm", "search", "ask", "chat", "serve", "export", "rebuild", "doctor", "verify"}
    assert wanted | {"eval"} <= set(cli.commands)


_OTHERWISE = ("serve", "mcp", "eval", "train", "chat", "conversations", "model")  # groups, and what talks to a person


@pytest.mark.parametrize("name", [name for name in cli.commands if name not in _OTHERWISE])
def test_every_command_takes_library_and_json(name: str) -> None:
    options = {option for parameter in cli.commands[name].params for option in parameter.opts}
    assert {"--library", "--json"} <= options


@pytest.mark.parametrize("name", cli.commands)
def test_every_command_says_what_it_does(name: str) -> None:
    with click.Context(cli.commands[name]) as context:
        assert cli.commands[name].get_short_help_str()
        assert context.command.get_usage(context)


def test_help_answers_at_once() -> None:
    before = os.times()
    shown = process("--help")
    after = os.times()
    assert shown.returncode == 0
    assert "verify" in shown.stdout
    seconds = (after.children_user - before.children_user) + (after.children_system - before.children_system)
    assert seconds < 0.45  # of CPU, as the machine may be busy; 0.11 s where 0.3 s of wall clock was the aim


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonesuch",),
        ("ask",),
        ("ask", "--no-such-option", "q"),
        ("search", "-k", "0", "q"),
        ("verify",),
        ("export", "--format", "docx"),
        ("export", "--record", "r1", "--search", "q"),
        ("show",),
    ],
    ids=" ".join,
)
def test_a_wrong_call_is_a_usage_error(ibid: Run, arguments: tuple[str, ...]) -> None:
    assert ibid(*arguments).code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask", "q"),
        ("search", "q"),
        ("list",),
        ("show", "x"),
        ("rm", "x"),
        ("export",),
        ("verify", "r1"),
        ("doctor",),
        ("rebuild",),
    ],
    ids=lambda arguments: arguments[0],
)
def test_without_a_library_one_line_says_how_to_make_one(
    ibid: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    found = ibid(arguments[0], "--library", tmp_path / "none", *arguments[1:])
    assert found.code == 1
    assert found.out == ""
    assert found.err.count("\n") == 1
    assert f"ibid add FILE --library {tmp_path / 'none'}" in found.err
    assert not (tmp_path / "none").exists()


def test_a_file_is_no_library(ibid: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert ibid("ask", "--library", tmp_path / "file", "q").code == 2
    assert ibid("add", "--library", tmp_path / "file" / "below", CORPUS).code == 1


def test_a_setting_that_is_none_is_named(ibid: Run, monkeypatch: pytest.MonkeyPatch, bundled_folder: Path) -> None:
    monkeypatch.setenv("IBID_PAPRES", "3")
    found = ibid("list", "--library", bundled_folder)
    assert found.code == 1
    assert "IBID_PAPRES" in found.err


def test_a_closed_pipe_is_quiet(bundled_folder: Path) -> None:
    command = f"{sys.executable} -m assistant export --library {bundled_folder} --format jsonl | head -c 10"
    shown = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert len(shown.stdout) == 10
    assert shown.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_full_disk_is_one_line(bundled_folder: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*IBID, "export", "--library", str(bundled_folder)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert os.strerror(errno.ENOSPC) in done.stderr


def test_an_interrupt_is_one_line(bundled_folder: Path) -> None:
    waiting = subprocess.Popen(
        [*IBID, "ask", "--library", str(bundled_folder), "--batch", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        # A shell that started the tests in the background has them, and their children, ignore interrupts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert waiting.stdin is not None
    assert waiting.stdout is not None
    waiting.stdin.write(json.dumps({"id": 1, "question": QUESTION}) + "\n" * 9000)  # past any buffer
    waiting.stdin.flush()
    waiting.stdout.readline()
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 130
    assert err.strip() == "ibid: interrupted"


def test_output_that_is_not_unicode(bundled_folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "latin-1"}
    for more in ([], ["--json"]):
        command = [*IBID, "ask", "--library", str(bundled_folder), *more, QUESTION]
        shown = subprocess.run(command, capture_output=True, env=environment, check=False)
        assert shown.returncode == 0
        assert shown.stderr == b""
    assert json.loads(shown.stdout.decode("ascii"))["status"] == "answered"


# --- add, list, show, rm ----------------------------------------------------------------------------------------------


def test_add_list_show_remove(ibid: Run, tmp_path: Path) -> None:
    at = ("--library", tmp_path / "library")
    added = ibid("add", *at, "--json", BIBLIOGRAPHY)
    assert added.code == 0
    assert added.json["added"] == 4
    assert ibid("add", *at, "--json", BIBLIOGRAPHY).json["unchanged"] == 4
    assert [paper["citekey"] for paper in ibid("list", *at, "--json").json][:2] == ["vaswani2017", "muller2020"]
    assert "Attention" in ibid("list", *at, "--filter", "year=2017").out
    assert "No papers match" in ibid("list", *at, "--filter", "year=1900").err
    assert ibid("show", *at, "--json", "vaswani2017").json["arxiv_id"] == "1706.03762"
    assert "Schrödinger" in ibid("show", *at, "1706.03762").out
    missing = ibid("rm", *at, "vaswani2017", "nonesuch")
    assert missing.code == 1
    assert len(ibid("list", *at, "--json").json) == 4
    assert ibid("rm", *at, "--json", "vaswani2017").json == {"removed": 1, "papers": 3}


def test_adding_nothing_usable_fails(ibid: Run, tmp_path: Path) -> None:
    found = ibid("add", "--library", tmp_path / "library", tmp_path / "nonesuch.bib")
    assert found.code == 1
    assert "nonesuch.bib" in found.out


def test_add_on_a_terminal_shows_progress(tmp_path: Path) -> None:
    shown, code = on_terminal("add", "--library", str(tmp_path / "library"), str(BIBLIOGRAPHY))
    assert code == 0
    assert "papers/s" in shown
    assert "4 added" in shown


def on_terminal(*arguments: str) -> tuple[str, int]:
    """What a call shows on a terminal, and its exit code."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    started = subprocess.Popen([*IBID, *arguments], stdin=follower, stdout=follower, stderr=follower, env=environment)
    os.close(follower)
    pieces = []
    while True:
        try:
            piece = os.read(leader, 4096)
        except OSError:  # how Linux says that the other end is closed
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(leader)
    return b"".join(pieces).decode(), started.wait()


# --- search, ask ------------------------------------------------------------------------------------------------------


def test_search(ibid: Run, bundled_folder: Path) -> None:
    found = ibid("search", "--library", bundled_folder, "--json", "-k", 3, QUESTION).json
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3]
    assert "ExPO" in found["hits"][0]["paper"]["title"]
    assert ibid("search", "--library", bundled_folder, "ExPO").out.lstrip().startswith("1. ExPO")


def test_ask_prints_references_and_quotes_plainly_in_a_pipe(ibid: Run, bundled_folder: Path) -> None:
    shown = ibid("ask", "--library", bundled_folder, QUESTION)
    assert shown.code == 0
    assert "[1] ExPO: Unlocking" in shown.out
    assert "“" in shown.out
    assert "\x1b" not in shown.out


def test_ask_is_coloured_on_a_terminal(bundled_folder: Path) -> None:
    shown, code = on_terminal("ask", "--library", str(bundled_folder), QUESTION)
    assert code == 0
    assert "\x1b[" in shown


def test_ask_gives_the_answer_as_json(ibid: Run, bundled: Library) -> None:
    answer = ibid("ask", "--library", bundled.path, "--json", QUESTION).json
    assert set(answer) >= {"question", "query", "status", "text", "claims", "citations", "abstention", "record_id"}
    for citation in answer["citations"]:
        abstract = bundled.paper(citation["paper"]["id"]).abstract
        assert abstract[citation["start"] : citation["end"]] == citation["quote"]
    assert bundled.record(answer["record_id"]).question == QUESTION


def test_a_refusal_is_an_answer(ibid: Run, bundled_folder: Path) -> None:
    refused = ibid("ask", "--library", bundled_folder, "--json", "--filter", "year=1900", QUESTION)
    assert refused.code == 0
    assert refused.json["abstention"]["reason"] == "filter_matched_nothing"
    assert ibid("ask", "--library", bundled_folder, "").code == 0


def test_a_filter_that_is_none_fails(ibid: Run, bundled_folder: Path) -> None:
    refused = ibid("ask", "--library", bundled_folder, "--filter", "colour=red", QUESTION)
    assert refused.code == 1
    assert "colour" in refused.err


def test_a_batch_answers_line_by_line_in_order(ibid: Run, bundled_folder: Path) -> None:
    lines = [
        json.dumps({"id": "a", "question": QUESTION}).encode(),
        b"",
        b"not json",
        b"[1, 2]",
        b"\xff\xfe",
        b'{"id": {"nested": [1]}, "turns": ["What is ExPO?", "How well does it work?"]}',
        b'{"id": "empty"}',
        b'{"id": "deep", "question": ' + b"[" * 100_000,
        b'{"id": "filter", "question": "q", "filters": {"colour": "red"}}',
        b'{"id": "none", "question": "What is ExPO?", "filters": {"year": 1900}}',
        b'{"question": "lone \\ud800 surrogate"}',
    ]
    found = ibid("ask", "--library", bundled_folder, "--json", "--batch", "-", stdin=b"\n".join(lines))
    assert found.code == 1
    results = found.lines
    assert [result["id"] for result in results] == ["a", 3, 4, 5, {"nested": [1]}, "empty", 8, "filter", "none", 11]
    assert ["error" in result for result in results] == [
        False,
        True,
        True,
        True,
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    assert results[4]["answer"] == results[4]["answers"][-1]
    assert len(results[4]["answers"]) == 2
    assert results[8]["answer"]["abstention"]["reason"] == "filter_matched_nothing"


def test_a_batch_that_is_whole_succeeds(ibid: Run, bundled_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text(json.dumps({"id": 1, "question": QUESTION}) + "\n", encoding="utf-8-sig")
    found = ibid("ask", "--library", bundled_folder, "--json", "--batch", tmp_path / "q.jsonl")
    assert found.code == 0
    assert found.lines[0]["answer"]["status"] == "answered"


def test_chat_follows_up_and_leaves_at_the_end_of_input(ibid: Run, bundled_folder: Path) -> None:
    shown = ibid("chat", "--library", bundled_folder, stdin=b"What is ExPO?\nWhat does it improve?\n")
    assert shown.code == 0
    assert "59 papers" in shown.err
    assert "Read as:" in shown.out


# --- verify -----------------------------------------------------------------------------------------------------------


def test_a_fresh_record_holds(ibid: Run, bundled_copy: Path, record_id: str) -> None:
    checked = ibid("verify", "--library", bundled_copy, "--json", record_id)
    assert checked.code == 0
    assert checked.json["ok"] is True
    assert {c["quote_state"] for c in checked.json["citations"]} == {"exact"}
    assert {c["paper_state"] for c in checked.json["citations"]} == {"unchanged"}
    assert "nothing broken" in ibid("verify", "--library", bundled_copy, record_id).out


def test_a_record_outlives_changed_and_removed_papers(
    ibid: Run, bundled_copy: Path, record_id: str, tmp_path: Path
) -> None:
    with Library.open(bundled_copy, create=False) as library:
        cited = library.paper(library.record(record_id).answer["citations"][0]["paper"]["id"])
        changed = {"title": cited.title, "abstract": "All of it was rewritten. Nothing of old remains."}
        (tmp_path / "new.jsonl").write_text(json.dumps(changed))
        assert add(library, tmp_path / "new.jsonl").updated == 1
    checked = ibid("verify", "--library", bundled_copy, "--json", record_id)
    assert checked.code == 0
    assert {c["quote_state"] for c in checked.json["citations"]} == {"exact"}
    assert [finding["kind"] for finding in checked.json["findings"]] == ["paper_changed"]
    assert ibid("rm", "--library", bundled_copy, cited.id).code == 0
    gone = ibid("verify", "--library", bundled_copy, "--json", record_id)
    assert gone.code == 0
    assert {c["paper_state"] for c in gone.json["citations"]} == {"removed"}
    assert [finding["kind"] for finding in gone.json["findings"]] == ["paper_removed"]
    exported = ibid("export", "--library", bundled_copy, "--record", record_id)
    assert cited.title.split()[1] in exported.out
    assert "no longer in the library" in exported.err


def test_a_forged_record_is_broken(ibid: Run, bundled_copy: Path, record_id: str) -> None:
    with Library.open(bundled_copy, create=False) as library:
        forged = library.record(record_id).to_dict()
        for citation in [
            *forged["answer"]["citations"],
            *(c for x in forged["answer"]["claims"] for c in x["citations"]),
        ]:
            citation["start"] += 1
        library.save_record({**forged, "id": "forged"})
    checked = ibid("verify", "--library", bundled_copy, "--json", "forged")
    assert checked.code == 1
    assert checked.json["ok"] is False
    assert "quote_offsets" in {finding["kind"] for finding in checked.json["findings"]}
    assert "BROKEN" in ibid("verify", "--library", bundled_copy, "forged").out


def test_an_unknown_record_is_one_line(ibid: Run, bundled_folder: Path) -> None:
    found = ibid("verify", "--library", bundled_folder, "nonesuch")
    assert found.code == 1
    assert "nonesuch" in found.err


def claims(ibid: Run, folder: Path, *cases: Any) -> list[Any]:
    given = "\n".join(json.dumps(case) for case in cases).encode()
    return ibid("verify", "--library", folder, "--claims", "-", "--json", stdin=given).lines


def test_claims_are_judged_in_order(ibid: Run, bundled: Library) -> None:
    paper = next(paper for paper in bundled.papers() if paper.title.startswith("ExPO"))
    span = bundled.passages(paper.id)[0].sentences[1]
    sentence = paper.abstract[span.start : span.end]
    found = claims(
        ibid,
        bundled.path,
        {"id": "verbatim", "claim": sentence, "papers": [paper.title]},
        {"id": "searched", "claim": sentence},
        {"id": "unknown", "claim": sentence, "papers": ["Nonesuch 2020"]},
        {"id": "both", "claim": sentence, "papers": ["Nonesuch 2020", paper.id]},
        {"id": "false", "claim": "Bananas cured 99 of 100 astronauts.", "papers": [paper.id]},
        {"id": "empty", "claim": "", "papers": [paper.id]},
        {"id": "wrong", "claim": 3},
        {"id": "listless", "claim": "x", "papers": "title"},
    )
    assert [result["id"] for result in found] == [
        "verbatim", "searched", "unknown", "both", "false", "empty", "wrong", "listless",
    ]  # fmt: skip
    exact = [{"paper_id": paper.id, "start": span.start, "end": span.end, "quote": sentence}]
    assert found[0] == {"id": "verbatim", "verdict": "quoted", "score": 1.0, "findings": [], "evidence": exact}
    assert found[1]["verdict"] == "quoted"
    assert found[2]["verdict"] == "uncited"
    assert [finding["kind"] for finding in found[2]["findings"]] == ["unknown_paper"]
    assert found[3]["verdict"] == "quoted"
    assert [finding["kind"] for finding in found[3]["findings"]] == ["unknown_paper"]
    assert found[4]["verdict"] == "unsupported"
    assert found[5]["verdict"] in ("uncited", "unscored")
    assert "error" in found[6]
    assert "error" in found[7]


def test_evidence_of_claims_is_exact(ibid: Run, bundled: Library) -> None:
    papers = list(bundled.papers())[:8]
    given = [
        {"id": n, "claim": f"{paper.title} improves results.", "papers": [paper.id]} for n, paper in enumerate(papers)
    ]
    for result, paper in zip(claims(ibid, bundled.path, *given), papers, strict=True):
        for evidence in result["evidence"]:
            assert evidence["paper_id"] == paper.id
            assert paper.abstract[evidence["start"] : evidence["end"]] == evidence["quote"]


def test_a_part_of_a_sentence_is_no_quote(ibid: Run, tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text(
        json.dumps(
            {"title": "Of Quotes", "abstract": "It is false that red light had an effect. Blue light had 77\\%."}
        )
    )
    at = tmp_path / "library"
    ibid("add", "--library", at, tmp_path / "p.jsonl")
    cases = [
        "red light had an effect",
        "Blue light had 77%",
        "It is false that red light had an effect. Blue light had 77\\%.",
    ]
    found = claims(ibid, at, *({"id": n, "claim": claim, "papers": ["Of Quotes"]} for n, claim in enumerate(cases)))
    assert found[0]["verdict"] != "quoted"
    assert [result["verdict"] for result in found[1:]] == ["quoted", "quoted"]
    assert found[1]["evidence"][0]["quote"] == "Blue light had 77\\%."


# --- export -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["bibtex", "jsonl"])
@pytest.mark.parametrize("source", [CORPUS, BIBLIOGRAPHY], ids=lambda source: source.suffix)
def test_what_is_exported_and_added_again_changes_nothing(
    ibid: Run, tmp_path: Path, bundled_copy: Path, source: Path, form: str
) -> None:
    at = bundled_copy if source == CORPUS else tmp_path / "library"
    ibid("add", "--library", at, source)
    before = ibid("list", "--library", at, "--json").json
    assert ibid("export", "--library", at, "--format", form, "--output", tmp_path / f"out.{form}").code == 0
    again = ibid("add", "--library", at, "--json", tmp_path / f"out.{form}").json
    assert (again["unchanged"], again["added"], again["updated"], again["duplicates"]) == (len(before), 0, 0, 0)
    assert again["rejected"] == []
    assert ibid("list", "--library", at, "--json").json == before


def test_export_keeps_citekeys_and_chooses_papers(
    ibid: Run, tmp_path: Path, bundled_copy: Path, record_id: str
) -> None:
    at = tmp_path / "library"
    ibid("add", "--library", at, BIBLIOGRAPHY)
    assert "@inproceedings{vaswani2017," in ibid("export", "--library", at, "--filter", "year=2017").out
    assert ibid("export", "--library", at, "--filter", "year=2017").out.count("@") == 1
    assert ibid("export", "--library", at, "--filter", "year=1900").code == 1
    found = ibid("export", "--library", bundled_copy, "--search", QUESTION, "-k", 2, "--json").lines
    assert "ExPO" in found[0]["title"]
    assert len(found) == 2
    cited = ibid("export", "--library", bundled_copy, "--record", record_id, "--format", "csl-json").json
    assert "ExPO" in cited[0]["title"]


def test_a_failed_export_leaves_the_former_file(ibid: Run, tmp_path: Path, bundled_folder: Path) -> None:
    target = tmp_path / "out.bib"
    target.write_text("former")
    assert ibid("export", "--library", bundled_folder, "--filter", "year=1900", "-o", target).code == 1
    assert target.read_text() == "former"
    assert ibid("export", "--library", bundled_folder, "-o", tmp_path / "none" / "out.bib").code == 1
    assert list(tmp_path.iterdir()) == [target]


# --- a library that cannot be written to ------------------------------------------------------------------------------


@pytest.fixture
def sealed(bundled_copy: Path) -> Iterator[Path]:
    for path in bundled_copy.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    bundled_copy.chmod(0o555)
    if os.access(bundled_copy, os.W_OK):
        pytest.skip("this user may write anywhere")
    yield bundled_copy
    bundled_copy.chmod(0o755)
    for path in bundled_copy.rglob("*"):
        path.chmod(0o755)


def test_a_read_only_library_answers_with_a_note(ibid: Run, sealed: Path) -> None:
    answer = ibid("ask", "--library", sealed, "--json", QUESTION)
    assert answer.code == 0
    assert answer.json["status"] == "answered"
    assert any("no record" in note for note in answer.json["notes"])
    assert ibid("rm", "--library", sealed, "ExPO").code == 1


def test_a_damaged_truth_is_one_line(ibid: Run, bundled_copy: Path) -> None:
    (bundled_copy / "library.sqlite").write_bytes(b"not a database at all" * 100)
    shutil.rmtree(bundled_copy / "index")
    found = ibid("ask", "--library", bundled_copy, QUESTION)
    assert found.code == 1
    assert found.err.count("\n") == 1
