"""The lexical index: terms, incremental changes, durability, readers beside a writer, damage, hostile queries."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assistant.errors import LibraryError, LibraryLocked
from assistant.lexical import LexicalIndex, verify
from assistant.terms import TermStatistics, terms

_PAPERS = (
    ("a#0", "a", "Eccentric automatic prompts", "Optimising prompts with GPT-4 lifts GSM8K accuracy to 94.0 pass@1."),
    ("b#0", "b", "Measuring mathematics", "On MATH-500 the model Llama2 solves differential equations."),
    ("b#1", "b", "Measuring mathematics", "Its failures are mostly arithmetic."),
    ("c#0", "c", "Vitamin D and bones", "Vitamin D lowers TNF-α in Schrödinger's cats; 1,000 were studied."),
    ("d#0", "d", "注意力机制研究", "什么是注意力机制"),
)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[LexicalIndex]:
    with LexicalIndex.create(tmp_path / "lexical") as made:
        made.add(_PAPERS)
        made.commit()
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LexicalIndex]:
    with LexicalIndex.create(tmp_path_factory.mktemp("index") / "lexical") as made:
        made.add(_PAPERS)
        made.commit()
        yield made


def _ids(hits: list[tuple[str, float]]) -> list[str]:
    return [passage_id for passage_id, _ in hits]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GPT-4", ["gpt4", "gpt", "4"]),
        ("gpt4", ["gpt4", "gpt", "4"]),
        ("pass@1", ["pass1", "pass", "1"]),
        ("94.0", ["94.0", "94"]),
        ("MATH-500", ["math500", "math", "500"]),
        ("p53", ["p53"]),
        ("1,000 runs", ["1000", "run"]),
        ("TNF-α", ["tnfalpha", "tnf", "alpha"]),
        ("What is the effect of running?", ["effect", "run"]),
        ("Schrödinger's", ["schroding"]),
        ("don’t it's", []),
        ("注意力", ["注意", "意力"]),
        ("😀 !!! ---", []),
        ("", []),
        ("end.Next", ["end", "next"]),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@given(st.text())
def test_any_text_has_terms_without_blanks(text: str) -> None:
    found = terms(text)
    assert all(term and not any(map(str.isspace, term)) and len(term) <= 64 for term in found)
    assert terms(text.upper().lower()) == terms(text.upper().lower().upper().lower())


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("GPT4", "a#0"),
        ("which prompts work with gpt 4", "a#0"),
        ("94.0", "a#0"),
        ("pass@1", "a#0"),
        ("MATH 500", "b#0"),
        ("Llama-2", "b#0"),
        ("arithmetic failure", "b#1"),
        ("schrodinger", "c#0"),
        ("TNF-alpha", "c#0"),
        ("注意力", "d#0"),
        ("eccentricity of automated prompting", "a#0"),
    ],
)
def test_words_find_their_passage(shared: LexicalIndex, query: str, first: str) -> None:
    assert _ids(shared.search(query, 3))[0] == first


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300), st.integers(0, 8))
@example('body:"prompts" AND (paper:a OR NOT *)~^2 [a TO z]', 5)
@example("\x00\ud800 prompts", 5)
@example("' OR 1=1; --", 5)
@example("{prompts} ${jndi:ldap} \\", 5)
def test_any_text_is_a_query(shared: LexicalIndex, query: str, k: int) -> None:
    hits = shared.search(query, k)
    assert len(hits) <= k
    assert hits == sorted(hits, key=lambda hit: (-hit[1], hit[0]))
    assert {passage_id for passage_id, _ in hits} <= {row[0] for row in _PAPERS}
    assert all(score > 0 for _, score in hits)


def test_a_very_long_query_is_answered(shared: LexicalIndex) -> None:
    assert _ids(shared.search("prompts " + "filler words everywhere " * 5000, 3)) == ["a#0"]
    assert _ids(shared.search(" ".join(f"{i}unheard" for i in range(3000)) + " arithmetic", 3)) == ["b#1"]
    assert shared.search("x" * 200_000, 3) == []


def test_allowed_papers_are_complete_and_exact(index: LexicalIndex) -> None:
    every = index.search("model prompts vitamin arithmetic", 10)
    for allowed in ({"a"}, {"b"}, {"a", "c"}, {"a", "b", "c", "d"}):
        kept = [hit for hit in every if hit[0].partition("#")[0] in allowed]
        assert index.search("model prompts vitamin arithmetic", 10, allowed) == [
            (passage_id, pytest.approx(score)) for passage_id, score in kept
        ]
    assert index.search("prompts", 10, set()) == []
    assert index.search("prompts", 10, {"nobody"}) == []


@pytest.mark.parametrize("every", [2, 7])
def test_allowed_reaches_below_the_global_top(tmp_path: Path, every: int) -> None:
    with LexicalIndex.create(tmp_path / "x") as index:
        index.add((f"p{i}#0", f"p{i}", "", "prompt " * (1 + i % 7) + "other words here") for i in range(300))
        index.commit()
        allowed = {f"p{i}" for i in range(0, 300, every)}
        assert {hit[0].partition("#")[0] for hit in index.search("prompt", 150, allowed)} == allowed


def test_equal_scores_go_by_id(tmp_path: Path) -> None:
    with LexicalIndex.create(tmp_path / "x") as index:
        index.add((f"{name}#0", name, "", "equal words") for name in ("q", "c", "x", "a"))
        index.commit()
        assert _ids(index.search("equal", 4)) == ["a#0", "c#0", "q#0", "x#0"]


def test_adding_again_changes_nothing(index: LexicalIndex) -> None:
    before = index.search("prompts arithmetic vitamin", 10)
    index.add(_PAPERS)
    index.add([*_PAPERS, *_PAPERS])
    index.commit()
    assert index.count() == len(_PAPERS)
    assert _ids(index.search("prompts arithmetic vitamin", 10)) == _ids(before)


def test_a_changed_passage_replaces_the_old(index: LexicalIndex) -> None:
    index.add([("a#0", "a", "Eccentric automatic prompts", "Zebras instead.")])
    index.commit()
    assert index.count() == len(_PAPERS)
    assert index.search("accuracy", 5) == []
    assert _ids(index.search("zebra", 5)) == ["a#0"]


def test_removal_is_by_paper_or_passage(index: LexicalIndex, tmp_path: Path) -> None:
    index.remove(["b", "nobody"])
    index.remove_passages(["a#0", "nothing"])
    index.commit()
    assert index.count() == 2
    assert index.search("arithmetic prompts equations", 5) == []
    index.close()
    assert LexicalIndex.open(tmp_path / "lexical").count() == 2


def test_uncommitted_changes_are_dropped_on_close(index: LexicalIndex, tmp_path: Path) -> None:
    index.add([("e#0", "e", "", "ephemeral")])
    assert index.search("ephemeral", 5) == []
    index.close()
    with LexicalIndex.open(tmp_path / "lexical") as again:
        assert again.count() == len(_PAPERS)
        again.add([("f#0", "f", "", "kept")])
        again.commit()
    assert _ids(LexicalIndex.open(tmp_path / "lexical").search("kept", 5)) == ["f#0"]


def test_a_reader_sees_commits_after_reload(index: LexicalIndex, tmp_path: Path) -> None:
    reader = LexicalIndex.open(tmp_path / "lexical")
    index.add([("e#0", "e", "", "novelty")])
    index.commit()
    reader.reload()
    assert _ids(reader.search("novelty", 5)) == ["e#0"]


def test_a_second_writer_is_refused_and_may_follow(index: LexicalIndex, tmp_path: Path) -> None:
    second = LexicalIndex.open(tmp_path / "lexical")
    with pytest.raises(LibraryLocked, match="another process is writing"):
        second.add(_PAPERS)
    index.close()
    second.add(_PAPERS)
    second.commit()
    second.close()


def test_statistics_come_from_the_index(shared: LexicalIndex) -> None:
    counted = TermStatistics.of(f"{title}\n{text}" for _, _, title, text in _PAPERS)
    found = shared.statistics()
    assert found.n == counted.n == len(_PAPERS)
    for term in ("prompt", "mathemat", "gpt4", "nowher"):
        assert found.df(term) == counted.df(term)
    assert 0.0 <= found.rarity("mathemat") < found.rarity("prompt") < found.rarity("nowher") == 1.0


def test_create_and_open_say_what_is_wrong(index: LexicalIndex, tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="already holds"):
        LexicalIndex.create(tmp_path / "lexical")
    with pytest.raises(LibraryError, match="ibid rebuild"):
        LexicalIndex.open(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(LibraryError):
        LexicalIndex.create(tmp_path / "file" / "below")


@pytest.mark.parametrize("damage", ["truncate", "empty", "flip", "delete"])
def test_damage_to_any_file_is_a_library_error(index: LexicalIndex, tmp_path: Path, damage: str) -> None:
    index.close()
    folder = tmp_path / "lexical"
    files = [path for path in folder.iterdir() if not path.name.startswith(".")]
    assert len(files) > 4
    for path in files:
        content = path.read_bytes()
        if damage == "delete":
            path.unlink()
        else:
            middle = len(content) // 2
            flipped = content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]
            path.write_bytes({"truncate": content[:middle], "empty": b"", "flip": flipped}[damage])
        with pytest.raises(LibraryError, match="ibid rebuild"):
            LexicalIndex.open(folder)
        path.write_bytes(content)
    verify(folder)


def _write_and_die(folder: str) -> None:
    index = LexicalIndex.open(Path(folder))
    index.add([("e#0", "e", "", "committed")])
    index.commit()
    index.add((f"x{i}#0", f"x{i}", "", "lost " * 200) for i in range(2000))
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_a_killed_writer_leaves_its_last_commit(index: LexicalIndex, tmp_path: Path) -> None:
    index.close()
    process = multiprocessing.get_context("spawn").Process(target=_write_and_die, args=(str(tmp_path / "lexical"),))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    with LexicalIndex.open(tmp_path / "lexical") as again:
        assert again.count() == len(_PAPERS) + 1
        assert _ids(again.search("committed", 5)) == ["e#0"]
        assert again.search("lost", 5) == []
        again.add([("f#0", "f", "", "alive")])
        again.commit()


@pytest.mark.parametrize("k", [1, 5, 40])
def test_many_allowed_papers_rank_as_an_exact_filter_would(tmp_path: Path, k: int) -> None:
    with LexicalIndex.create(tmp_path / "x") as index:
        index.add((f"p{i}#0", f"p{i}", "", "prompt " * (1 + i % 5) + "filler " * (i % 11)) for i in range(400))
        index.commit()
        every = index.search("prompt", 400)
        for step in (2, 3, 30):
            allowed = {f"p{i}" for i in range(0, 400, step)}
            assert (
                index.search("prompt", k, allowed)
                == [hit for hit in every if hit[0].partition("#")[0] in allowed][:k]
            )


def test_a_folder_that_forbids_writing_is_searched_and_followed(
    index: LexicalIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the operating system forbids is tested in test_sealed.py.
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)
    with LexicalIndex.open(tmp_path / "lexical") as onlooker:
        assert _ids(onlooker.search("vitamin", 5)) == ["c#0"]
        index.add([("e#0", "e", "More vitamins", "Vitamin K and bones.")])
        index.remove(["c"])
        index.commit()
        onlooker.reload()
        assert _ids(onlooker.search("vitamin", 5)) == ["e#0"]
