"""What the tabs are made of, without a browser: the map, the settings form, recorded runs, names of uploaded files."""

from __future__ import annotations

import io
import re
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.engine import Assistant
from assistant.errors import InputError, LibraryError, NotInLibrary, SettingsError
from assistant.library import Library
from assistant.settings import Settings
from assistant.storage.doctor import Check
from assistant.testing import HashEmbedder, tiny_library
from evals.recorded import Recorded
from ingest import add
from tests.scripted_assistant import ScriptedAssistant
from tests.stored_papers import paper
from ui.papers import labels, projection, sources
from ui.papers.adding import Adding, Ingest
from ui.runs import charts
from ui.server import application
from ui.services import Services
from ui.settings import choosing, mending
from ui.settings.choosing import Choice
from ui.uploads import safe


def clouds(each: int = 40) -> np.ndarray:
    chance = np.random.default_rng(3)
    centres = np.eye(3, 24, dtype=np.float32)
    rows = np.concatenate([centre + 0.08 * chance.standard_normal((each, 24)) for centre in centres])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_papers_alike_are_near_each_other_and_in_one_group() -> None:
    rows = clouds()
    points = projection.plane(rows)
    assert points.shape == (120, 2)
    far = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(far, np.inf)
    nearest = far.argmin(axis=1)
    assert (nearest // 40 == np.arange(120) // 40).mean() > 0.95
    grouped = projection.groups(rows, 3)
    assert [len(set(grouped.member[part : part + 40])) for part in (0, 40, 80)] == [1, 1, 1]
    assert (grouped.nearest(rows) == grouped.member).all()
    assert np.array_equal(points, projection.plane(rows))


@given(st.integers(0, 40), st.integers(1, 9))
@settings(max_examples=25)
def test_any_number_of_papers_has_places_in_the_frame(papers: int, k: int) -> None:
    rows = np.random.default_rng(papers).standard_normal((papers, 8)).astype(np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    points = projection.plane(rows)
    assert points.shape == (papers, 2)
    assert ((points >= 0) & (points <= 1)).all()
    if papers:
        grouped = projection.groups(rows, k)
        assert set(grouped.member) <= set(range(min(k, papers)))


def test_papers_that_are_all_the_same_have_a_map_too() -> None:
    rows = np.tile(np.eye(1, 8, dtype=np.float32), (30, 1))
    assert np.isfinite(projection.plane(rows)).all()
    assert len(projection.groups(rows, 4).member) == 30


def test_groups_are_named_by_what_sets_them_apart() -> None:
    about = ["Coral reefs bleach in warm water.", "Steel bridges crack under trucks."]
    papers = [replace(paper(n), title=about[n % 2], abstract=about[n % 2] * 2) for n in range(12)]
    reefs, bridges = labels.labels(papers, [n % 2 for n in range(12)], 2)
    assert "Coral" in reefs
    assert "Steel" in bridges
    assert labels.labels([], [], 1) == ("other",)


def test_a_key_goes_only_where_it_went_before() -> None:
    started = Settings.load(chat_model="m", chat_base_url="http://127.0.0.1:1/v1", chat_api_key="sk-first")
    kept = choosing.chosen(Choice(engine="server", model="n", base_url="http://127.0.0.1:1/v1"), started, started)
    assert kept.chat_api_key == started.chat_api_key
    moved = choosing.chosen(Choice(engine="server", model="n", base_url="http://127.0.0.1:2/v1"), started, started)
    assert moved.chat_api_key is not None
    assert moved.chat_api_key.get_secret_value() == "none"
    again = choosing.chosen(Choice(engine="server", model="n", base_url="http://127.0.0.1:1/v1"), moved, started)
    assert again.chat_api_key == started.chat_api_key
    forgotten = Choice(engine="server", model="n", base_url="http://127.0.0.1:1/v1", forget_key=True)
    assert choosing.shown(choosing.chosen(forgotten, started, started))["key"] == ""
    assert choosing.chosen(Choice(), started, started).chat_api_key is None
    assert "sk-first" not in str(choosing.shown(started)) + str(choosing.variables(started))


def test_the_form_shows_what_it_made() -> None:
    now = Settings.load(chat_model="quotes")
    choice = Choice(
        engine="local", model="tiny", papers=11, sentences=3, on_failed_claim="repair", strictness="strict"
    )
    made = choosing.chosen(choice, now, now)
    shown = choosing.shown(made)
    assert {name: shown[name] for name in ("engine", "model", "papers", "strictness")} == {
        "engine": "local",
        "model": "tiny",
        "papers": 11,
        "strictness": "strict",
    }
    assert choosing.variables(made)["IBID_CHAT_MODEL"] == "local:tiny"
    with pytest.raises(SettingsError, match="name the model"):
        choosing.chosen(Choice(engine="provider"), now, now)
    with pytest.raises(SettingsError, match="address"):
        choosing.chosen(Choice(engine="server", model="x"), now, now)


def test_only_what_a_rebuild_mends_has_a_button() -> None:
    rebuilt = Check("indexes", False, "behind", "ibid rebuild --library <b>x</b>")
    restored = Check("truth", False, "broken", "restore it from a backup")
    shown = mending.findings((Check("schema", True, "fine"), rebuilt, restored), may=True)
    assert shown.count("data-cure") == 1
    assert "restore it from a backup" in shown
    assert "2 things are wrong" in shown
    read_only = mending.findings((rebuilt,), may=False)
    assert "data-cure" not in read_only
    assert "&lt;b&gt;" in read_only


@pytest.mark.parametrize("name", ["../secrets", "..", "/etc", "nobody", "", "."])
def test_no_folder_but_a_run_is_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "summary.json").write_text('{"started": "2026"}')
    (tmp_path / "runs" / "broken").mkdir(parents=True)
    (tmp_path / "runs" / "broken" / "summary.json").write_text("{")
    shelf = Recorded(tmp_path / "runs")
    assert shelf.runs() == []
    with pytest.raises(NotInLibrary, match="no recorded run"):
        shelf.cases(name)


@given(st.text(max_size=300))
@settings(max_examples=60)
def test_an_uploads_name_stays_in_its_folder(name: str) -> None:
    kept = safe(name)
    assert kept
    assert Path(kept).name == kept
    assert kept not in {".", ".."}


@given(
    st.floats(-5, 5),
    st.one_of(st.none(), st.floats(-5, 5)),
    st.one_of(st.none(), st.floats(0.001, 1)),
    st.sampled_from([-1, 0, 1]),
)
@settings(max_examples=40)
def test_a_drawn_change_stays_in_its_picture(
    delta: float, end: float | None, margin: float | None, better: int
) -> None:
    drawn = charts.change(delta, end, end, margin, 1.0, better)
    assert drawn.startswith("<svg")
    assert drawn.count('class="ibid-value"') == 1
    assert ("ibid-margin" in drawn) == (margin is not None and better != 0)


def _ended(adding: Adding) -> Ingest:
    deadline = time.monotonic() + 60
    while adding.latest is None or adding.latest.state == "running":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return adding.latest


def test_another_writer_is_told_of_in_one_line_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with tiny_library(tmp_path / "library", embedder=HashEmbedder()) as library:
        adding = Adding(Services(library, ScriptedAssistant(library), hook=lambda name: add))
        before = set(Path(tempfile.gettempdir()).glob("ibid-*"))
        sent = [("../../x.bib", io.BytesIO(b"@article{k, title={Kelp}, abstract={It grows.}}"))]
        with FileLock(library.path / "writer.lock"):  # as another process holds it
            adding.files(sent)
            failed = _ended(adding)
        assert failed.state == "failed"
        assert re.fullmatch(r"library '.*' is being written by .*; try again when it has finished", failed.message)
        sent[0][1].seek(0)
        adding.files(sent)
        done = _ended(adding)
        assert (done.state, done.what, done.number) == ("done", "x.bib", 2)
        assert "<b>1</b> added" in done.report
        assert library.paper("Kelp").source == "bibtex:x.bib"
        deadline = time.monotonic() + 10
        while set(Path(tempfile.gettempdir()).glob("ibid-*")) - before and time.monotonic() < deadline:
            time.sleep(0.05)


def test_read_only_libraries_are_left_alone(tmp_path: Path) -> None:
    tiny_library(tmp_path / "library", embedder=HashEmbedder()).close()
    with Library.open(tmp_path / "library", read_only=True, embedder=HashEmbedder()) as library:
        adding = Adding(Services(library, ScriptedAssistant(library), hook=lambda name: add))
        with pytest.raises(LibraryError, match="reading only"):
            adding.paper({"title": "Kelp"})


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("zotero", "zotero"), ("10.1000/182", "doi:10.1000/182"), ("https://doi.org/10.1000/182", "doi:10.1000/182"),
        ("cat:cs.CL AND ti:retrieval", "arxiv:cat:cs.CL AND ti:retrieval"), ("arxiv:all:lake", "arxiv:all:lake"),
        ("/etc/passwd", None), ("~/papers", None), ("../refs.bib", None), ("arxiv:", None), ("arxiv:/etc/passwd", None),
        ("file:///etc/passwd", None), ("C:\\refs.bib", None),
    ],
)  # fmt: skip
def test_no_path_that_is_typed_into_the_page_is_read(tmp_path: Path, given: str, address: str | None) -> None:
    with Library.open(tmp_path / "library", embedder=HashEmbedder()) as library:
        if address is None:
            with pytest.raises(InputError, match="ibid sync PATH"):
                sources.chosen(library, given)
        else:
            assert sources.chosen(library, given) == address


def test_a_remembered_source_is_named_and_says_whom_it_asks(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", embedder=HashEmbedder()) as library:
        known = ("/home/a/<i>refs.bib", "zotero", "arxiv:cat:cs.CL", "crossref:/home/a/dois.txt", "doi:10.1/x")
        with library.writing("a test"):
            for one in known:
                library.sources.remember(one, {})
        assert all(sources.chosen(library, one) == one for one in known)
        made = sources.listed(library)
    assert "<i>" not in made
    assert [sources.named(one) for one in known] == [
        "<i>refs.bib", "Zotero", "arXiv: cat:cs.CL", "Crossref: dois.txt", "DOI: 10.1/x",
    ]  # fmt: skip
    assert made.count("over the internet") == 2 * 3  # in each button's text and label


def test_several_users_are_told_to_sync_where_the_server_is(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", embedder=HashEmbedder()) as library:
        app = application(Services(library, Assistant(library), user=lambda request: "ada"))
        with TestClient(app, base_url="http://127.0.0.1") as client:
            assert client.get("/papers/sources").json() == {"html": "", "may": False}
            for path in ("sync", "forget"):
                reply = client.post(f"/papers/{path}", json={"source": "zotero"})
                assert reply.status_code == 400
                assert "ibid sync" in reply.json()["message"]
