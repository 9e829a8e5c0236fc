"""Recorded runs for whoever shows them: each a folder inside one folder, as plain values. Loaded through `ibid.hooks`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from assistant.errors import NotInLibrary
from assistant.papers import Paper
from evals.comparison import compare
from evals.reports import read, read_corpus
from evals.responses import Corpus
from evals.results import Run

_SUMMARY = "summary.json"


class Recorded:
    """The runs in `folder`; read anew when their files change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def runs(self) -> list[Mapping[str, Any]]:
        """A summary of each run without its cases, with the `name` of its folder, latest first; unreadable ones are
        left out."""
        found = []
        for path in sorted(self._folder.glob(f"*/{_SUMMARY}")):
            try:
                told = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            if isinstance(told, dict) and "started" in told:
                found.append({**told, "name": path.parent.name})
        return sorted(found, key=lambda run: str(run["started"]), reverse=True)

    def cases(self, name: str) -> list[Mapping[str, Any]]:
        """The cases of a run, as in cases.jsonl, each with its (last) `question`. Raises NotInLibrary, InputError."""
        return [{**result.to_dict(), "question": result.case.question} for result in self._run(name).results]

    def case(self, name: str, case_id: str) -> Mapping[str, Any]:
        """One case, with the `papers` that it and its answer name, by id. Raises NotInLibrary, InputError."""
        for result in self._run(name).results:
            if result.case.id == case_id:
                break
        else:
            raise NotInLibrary(f"run {name!r} has no case {case_id!r}")
        corpus = self._corpus(name)
        cited = [*result.response.citations, *(one for said in result.response.said for one in said.citations)]
        papers = [corpus.of(one) for one in cited] + [corpus.by_title(title) for title in result.case.papers]
        told = {**result.to_dict(), "question": result.case.question}
        return {**told, "papers": {paper.id: paper for paper in papers if paper is not None}}

    def paper(self, name: str, paper_id: str) -> Paper:
        """A paper as it was when the run was made. Raises NotInLibrary, InputError."""
        found = self._corpus(name).by_id(paper_id)
        if found is None:
            raise NotInLibrary(f"run {name!r} kept no paper {paper_id!r}")
        return found

    def compare(self, before: str, after: str) -> Mapping[str, Any]:
        """What changed from one run to another, as `ibid eval compare --json` has it. Raises NotInLibrary, InputError."""
        return compare(self._run(before), self._run(after)).to_dict()

    def _run(self, name: str) -> Run:
        return _read(*self._at(name, "cases.jsonl"))

    def _corpus(self, name: str) -> Corpus:
        return _papers(*self._at(name, "papers.jsonl"))

    def _at(self, name: str, file: str) -> tuple[Path, float]:
        """(folder, when `file` was written) of a run, which is one of those listed: no other path is opened."""
        if name not in {path.parent.name for path in self._folder.glob(f"*/{_SUMMARY}")}:
            raise NotInLibrary(f"no recorded run {name!r} in {str(self._folder)!r}")
        path = self._folder / name
        try:
            return path, (path / file).stat().st_mtime
        except OSError:
            return path, 0.0


@lru_cache(maxsize=8)
def _read(folder: Path, written: float) -> Run:
    return read(folder)


@lru_cache(maxsize=8)
def _papers(folder: Path, written: float) -> Corpus:
    return read_corpus(folder)
