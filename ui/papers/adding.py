"""Adding papers from the page, and syncing with sources: one at a time, in a thread of its own, watched by whoever looks."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal

from assistant.errors import IbidError, InputError, LibraryError
from ui.papers import views
from ui.uploads import MOST_UNPACKED, safe, without_paths

if TYPE_CHECKING:
    from ui.services import Services

Kind = Literal["add", "plan", "sync"]
Work = Callable[[Callable[[Any], None]], str]  # takes what hears of progress, gives the report as HTML
_FORM: Final = "added by hand.jsonl"  # the source of a paper that was typed in


@dataclass(frozen=True, slots=True)
class Ingest:
    """How far an ingest is. `total` is None while it is not known; `report` is HTML, `message` what stopped it.

    A `plan` changes nothing: it tells what a `sync` would do.
    """

    number: int
    what: str
    kind: Kind = "add"
    state: Literal["running", "done", "failed"] = "running"
    done: int = 0
    total: int | None = None
    report: str = ""
    message: str = ""

    def told(self) -> dict[str, Any]:
        return asdict(self)


class Adding:
    """The page's ingests. Any thread may ask."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._latest: Ingest | None = None

    @property
    def latest(self) -> Ingest | None:
        return self._latest

    def files(self, sent: Sequence[tuple[str, BinaryIO]]) -> Ingest:
        """Starts to add files, given by name and content. Raises as `_start`."""
        names = [safe(name) for name, _ in sent]
        folder = Path(tempfile.mkdtemp(prefix="ibid-"))
        try:
            paths = []
            for number, (name, (_, content)) in enumerate(zip(names, sent, strict=True)):
                path = folder / str(number) / name
                path.parent.mkdir()
                with path.open("wb") as target:
                    shutil.copyfileobj(content, target)
                paths.append(path)
            return self._start(views.several(names), self._adding(folder, paths))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def paper(self, fields: Mapping[str, Any]) -> Ingest:
        """Starts to add one paper, its fields as in JSON Lines. Raises as `_start`."""
        folder = Path(tempfile.mkdtemp(prefix="ibid-"))
        path = folder / _FORM
        path.write_text(json.dumps(fields, ensure_ascii=False) + "\n", encoding="utf-8")
        try:
            return self._start(str(fields["title"]), self._adding(folder, [path]))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def sync(self, source: str, name: str, *, prune: bool, dry: bool) -> Ingest:
        """Starts to bring in what changed in a source, or with `dry` to tell what would. Raises as `_start`.

        Naming a source on the internet asks it: only a reader's click may come to that.
        """
        run = self._services.hook("sync")
        library = self._services.library

        def work(progress: Callable[[Any], None]) -> str:
            contact = os.environ.get("IBID_CONTACT")
            done = run(library, source, prune=prune, dry=dry, contact=contact, progress=progress).to_dict()
            (told,) = done["sources"]
            return views.synced(told, self._titles(told, gone=True), prune=prune, dry=dry)

        return self._start(name, work, "plan" if dry else "sync")

    def refuse_while_running(self) -> None:
        """Raises InputError while papers are being added."""
        if self._latest is not None and self._latest.state == "running":
            raise InputError(f"{self._latest.what} is being added; try again when that is done")

    def _adding(self, folder: Path, paths: Sequence[Path]) -> Work:
        """Adds files, and takes their folder away."""
        add = self._services.hook("ingest")

        def work(progress: Callable[[Any], None]) -> str:
            try:
                report = add(
                    self._services.library, *paths, progress=progress, max_unpacked_bytes=MOST_UNPACKED
                ).to_dict()
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return views.report(without_paths(report, paths), self._titles(report))

        return work

    def _start(self, what: str, work: Work, kind: Kind = "add") -> Ingest:
        """Raises InputError while another ingest runs, LibraryError where nothing can be written."""
        if self._services.library.read_only:
            raise LibraryError("this library is open for reading only; nothing was added")
        with self._lock:
            self.refuse_while_running()
            self._latest = begun = Ingest(self._latest.number + 1 if self._latest else 1, what, kind)
        threading.Thread(target=self._run, args=(work,), name="ibid-adding", daemon=True).start()
        return begun

    def _run(self, work: Work) -> None:
        def progress(now: Any) -> None:
            self._change(done=now.done, total=now.total)

        try:
            self._change(report=work(progress), state="done")
        except IbidError as error:
            self._change(state="failed", message=str(error))
        except Exception as error:  # nobody else would hear of it
            self._change(state="failed", message=f"adding broke off: {type(error).__name__}: {error}")

    def _titles(self, report: Mapping[str, Any], *, gone: bool = False) -> dict[str, str]:
        """Of the papers that a report names and that are here."""
        named = {one[name] for one in report["ambiguous"] for name in ("paper_id", "other_id")}
        named |= {one for name in ("added", "updated", "duplicates") for one in report["ids"][name][: views.NAMED]}
        named |= {one for name in ("gone", "pruned") for one in report[name][: views.NAMED]} if gone else set()
        return {id_: paper.title for id_, paper in self._services.library.papers_by_id(named).items()}

    def _change(self, **now: Any) -> None:
        if self._latest is not None:
            self._latest = replace(self._latest, **now)
