"""Writing and reading a run's folder. `papers.jsonl` keeps the papers that its answers and cases name, so that a run
can be scored again, or read years later, without the library."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assistant.errors import InputError
from assistant.papers import Paper, details
from evals.reports import junit, markdown, page
from evals.responses import Corpus
from evals.results import CaseResult, Run, Summary


def write(run: Run, corpus: Corpus, folder: Path) -> None:
    """Writes all files of a run into `folder`, made when absent; files of an earlier run there are replaced."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        papers = _named(run, corpus)
        _write_lines(folder / "cases.jsonl", [result.to_dict() for result in run.results])
        _write_lines(folder / "papers.jsonl", [asdict(paper) for paper in papers])
        summary = json.dumps(run.summary.to_dict(), ensure_ascii=False, indent=2)
        (folder / "summary.json").write_text(summary + "\n", encoding="utf-8")
        (folder / "junit.xml").write_text(junit.render(run), encoding="utf-8")
        (folder / "report.md").write_text(markdown.render(run), encoding="utf-8")
        (folder / "report.html").write_text(page.render(run), encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write the run to {str(folder)!r}: {error.strerror}; give another --out") from error


def read(folder: Path) -> Run:
    """The run in `folder`; InputError when there is none."""
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        results = tuple(CaseResult.from_dict(line) for line in _read_lines(folder / "cases.jsonl"))
        return Run(Summary.from_dict(summary), results)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"no run in {str(folder)!r} ({error}); make one with: ibid eval run --out {folder}"
        ) from error


def read_corpus(folder: Path) -> Corpus:
    """The papers that the run in `folder` names."""
    try:
        return Corpus(_paper(line) for line in _read_lines(folder / "papers.jsonl"))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"no papers in {str(folder)!r} ({error}); the run is incomplete, make it again") from error


def _paper(line: dict[str, Any]) -> Paper:
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in line.items()}
    return Paper(**fields | {"details": details(dict(line.get("details", ())))})


def _named(run: Run, corpus: Corpus) -> list[Paper]:
    found: dict[str, Paper] = {}
    for result in run.results:
        cited = [*result.response.citations, *(one for said in result.response.said for one in said.citations)]
        papers = [corpus.of(one) for one in cited] + [corpus.by_title(title) for title in result.case.papers]
        found.update({paper.id: paper for paper in papers if paper is not None})
    return [found[paper_id] for paper_id in sorted(found)]


def _write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


def _read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
