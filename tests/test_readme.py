"""The README's snippets run, and its tree names what is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PACKAGES = ("assistant", "ingest", "ui", "evals")


def _snippets(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder that looks like a clone to the snippets, with a library of its own and `ibid` on its path."""
    (tmp_path / "ingest").mkdir()
    (tmp_path / "ingest" / "corpus").symlink_to(ROOT / "ingest" / "corpus")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "ibid"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from assistant.cli import main; main()" "$@"\n')
    program.chmod(0o755)
    return tmp_path


def _run(command: list[str], project: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{project / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "IBID_LIBRARY": str(project / "library"),
        "PYTHONSAFEPATH": "1",
    }
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def test_there_are_snippets_to_run() -> None:
    assert len(_snippets("python")) == 1
    assert len(_snippets("bash")) == 1
    assert len(_snippets("console")) == 1


@pytest.mark.parametrize("snippet", _snippets("python"))
def test_a_python_snippet_runs(snippet: str, project: Path) -> None:
    done = _run([sys.executable, "-c", snippet], project)
    assert done.returncode == 0, done.stderr
    assert "quoted" in done.stdout


@pytest.mark.parametrize("snippet", _snippets("bash"))
def test_a_shell_snippet_runs(snippet: str, project: Path) -> None:
    done = _run(["bash", "-euo", "pipefail", "-c", snippet], project)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("capture", _snippets("console"))
def test_a_capture_shows_what_the_command_prints(capture: str, project: Path) -> None:
    _run(["ibid", "add", "ingest/corpus/huggingface-papers.txt"], project)
    for part in re.split(r"^\$ ", capture, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        done = _run(["bash", "-c", command], project)
        assert done.stdout.strip() == expected.strip()


def test_the_tree_names_every_module_once() -> None:
    block = re.search(r"<!-- tree: made from the docstrings -->\n```text\n(.*?)```", README, re.DOTALL)
    assert block
    above: list[str] = []
    named: list[str] = []
    for line in block.group(1).splitlines():
        depth = (len(line) - len(line.lstrip())) // 4
        name, _, summary = line.strip().partition(" ")
        assert summary.strip(), f"{name} has no line about it"
        above = [*above[:depth], name]
        named.append("".join(above))
    modules = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if path.name != "__init__.py" and "__pycache__" not in path.parts
    }
    assert sorted(name for name in named if name.endswith(".py")) == sorted(modules)
    assert all((ROOT / name).exists() for name in named)
