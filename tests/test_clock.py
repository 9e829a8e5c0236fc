"""Clocks that are set back, or far ahead: what a library holds and how it is ordered does not follow them."""

from __future__ import annotations

import os
import time
from datetime import datetime, tzinfo
from pathlib import Path

import pytest

from assistant.library import Library, text_digest
from assistant.storage import writing
from tests.stored_papers import EMBEDDER, many, own_word, paper, stored

pytestmark = pytest.mark.timeout(300)
DAYS = ("2026-11-20", "2026-11-19", "1970-01-02", "2099-12-31", "2026-11-20")


class Clock:
    """The machine's clock, for everything that a library stamps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch

    def set(self, day: str) -> None:
        class Set(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Set:
                return cls.fromisoformat(f"{day}T12:00:00+00:00").astimezone(tz)

        nanoseconds = int(Set.now().timestamp() * 1e9)
        self._patch.setattr(writing, "datetime", Set)
        self._patch.setattr(time, "time", lambda: nanoseconds / 1e9)
        self._patch.setattr(time, "time_ns", lambda: nanoseconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_papers_and_their_indexes_go_by_changes_and_not_by_the_clock(tmp_path: Path, clock: Clock) -> None:
    with (
        Library.open(tmp_path, embedder=EMBEDDER) as library,
        Library.open(tmp_path, embedder=EMBEDDER) as reader,
    ):
        texts = []
        for step, day in enumerate(DAYS):
            clock.set(day)
            changing = paper(900, abstract=f"{own_word(5000 + step)} changes every day. It did so again.")
            texts.append(changing)
            library.write([*many(range(10 * step, 10 * step + 10)), stored(changing)])
            if step:
                assert library.remove([f"title:{10 * step - 1}"]) == 1
            for opened in (library, reader):
                assert opened.lexical(own_word(10 * step), 1)[0][0] == f"title:{10 * step}#0"
                assert opened.lexical(own_word(5000 + step), 1)[0][0] == "title:900#0"
                assert opened.paper("title:900").abstract == changing.abstract
                assert not step or opened.lexical(own_word(10 * step - 1), 1) == []
                assert not step or opened.lexical(own_word(5000 + step - 1), 1) == []
        numbers = [number for number in range(50) if number not in (9, 19, 29, 39)]
        numbers.insert(9, 900)
        assert [one.id for one in library.papers()] == [f"title:{number}" for number in numbers]
        for text in texts:
            assert library.former_text("title:900", text_digest(text.title, text.abstract)) == (
                text.title,
                text.abstract,
            )
        assert [check.message for check in library.doctor() if not check.ok] == []


def test_conversations_records_and_words_on_them_keep_their_order(tmp_path: Path, clock: Clock) -> None:
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        library.write(many(range(3)))
        conversation = library.create_conversation("kept")
        made = []
        for step, day in enumerate(DAYS):
            clock.set(day)
            made.append(library.save_record({"question": f"q{step}", "answer": {}}))
            library.append_turn(conversation, f"q{step}", f"q{step}", made[-1])
            library.add_feedback(made[0], 1.0, f"word {step}")
            library.save_report({"step": step})
        assert len({*made}) == len(DAYS)
        assert [turn.record_id for turn in library.conversation_turns(conversation)] == made
        assert [library.record(id_).question for id_ in made] == [f"q{step}" for step in range(len(DAYS))]
        assert {record.id for record in library.records()} == {*made}
        assert [word.comment for word in library.feedback(made[0])] == [f"word {step}" for step in range(len(DAYS))]
        assert [report["step"] for report in library.reports()] == [*reversed(range(len(DAYS)))]
        assert [turn.question for turn in library.cut_conversation(conversation, 3)] == ["q3", "q4"]


def test_a_lock_is_free_or_taken_whatever_the_time(tmp_path: Path, clock: Clock) -> None:
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        for day in DAYS:
            clock.set(day)
            with library.writing("counting"):
                holder = (tmp_path / "writer.json").read_text(encoding="utf-8")
                assert day in holder
            assert not (tmp_path / "writer.json").exists()


@pytest.mark.parametrize("seconds", [-50 * 365 * 86400, 50 * 365 * 86400])
def test_times_of_files_mean_nothing(tmp_path: Path, seconds: int) -> None:
    """As of a library that was unpacked from an archive, or copied by a machine with another time."""
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        library.write(many(range(20)))
        before = [library.lexical(own_word(7), 9), library.dense(EMBEDDER.embed_query(own_word(7)), 9)]
        stamp = time.time() + seconds
        for path in tmp_path.rglob("*"):
            os.utime(path, (stamp, stamp))
        library.write(many([100]))
        library.remove(["title:100"])
        assert [library.lexical(own_word(7), 9), library.dense(EMBEDDER.embed_query(own_word(7)), 9)] == before
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        assert [library.lexical(own_word(7), 9), library.dense(EMBEDDER.embed_query(own_word(7)), 9)] == before
        assert [check.message for check in library.doctor() if not check.ok] == []
