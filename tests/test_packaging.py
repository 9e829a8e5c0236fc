"""What gets installed: the wheel's content, the locks, and the Makefile's own promises."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("assistant", "ingest", "ui", "evals")
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-tools.lock")
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def _pins(lock: str) -> dict[str, list[str]]:
    pins: dict[str, list[str]] = {}
    for name, version in _PIN.findall((ROOT / lock).read_text()):
        pins.setdefault(canonicalize_name(name), []).append(version)
    return pins


def _declared(*extras: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [
        *project["dependencies"],
        *(line for extra in extras for line in project["optional-dependencies"][extra]),
    ]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize(("lock", "extras"), [("requirements.lock", ()), ("requirements-dev.lock", ("dev", "evals"))])
def test_the_lock_holds_every_declared_dependency_at_a_fitting_version(lock: str, extras: tuple[str, ...]) -> None:
    pins = _pins(lock)
    for requirement in _declared(*extras):
        versions = pins.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement} is not in {lock}; run: make lock"
        assert all(requirement.specifier.contains(version, prereleases=True) for version in versions), requirement


def test_the_developers_lock_agrees_with_the_users() -> None:
    developers = _pins("requirements-dev.lock")
    assert {name: developers.get(name) for name in _pins("requirements.lock")} == _pins("requirements.lock")


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_and_neither_addresses_nor_paths(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"https?:|file:|index-url|find-links| @ |# via", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_pytorch_stays_out(lock: str) -> None:
    assert (
        not {"torch", "transformers", "sentence-transformers", "langchain-community", "langchain-classic"}
        & _pins(lock).keys()
    )


def test_ci_runs_make_test_and_nothing_else() -> None:
    lines = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line and not line.startswith("#")]
    assert lines == ["set -eu", 'cd "$(dirname "$0")/.."', "exec make test"]


def test_make_lists_its_targets() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("chat", "test", "test-all", "check", "bench", "lock"):
        assert re.search(rf"^make {target}\s", shown, re.MULTILINE), target


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that `python -m build` makes, built offline from a copy of the tracked and new files."""
    source = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--skip-dependency-check",
        "--outdir",
        "out",
    ]
    built = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr + built.stdout
    return next((source / "out").glob("ibid_papers-*.whl"))


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    listed = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True)
    wanted = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert wanted - held == set()
    assert "ingest/corpus/huggingface-papers.txt" in held
    assert "ui/page.css" in held
    assert {name.split("/")[0] for name in held} <= {
        *PACKAGES,
        next(n for n in held if ".dist-info/" in n).split("/")[0],
    }


def test_the_installed_wheel_works_from_anywhere(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    site = next((environment / "lib").glob("python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    ours = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    (site / "dependencies.pth").write_text(f"{ours}\n")  # dependencies only: our own packages come from the wheel
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    script = (
        "import sys; from importlib.metadata import entry_points; import assistant; print(assistant.__file__);"
        "sys.argv = ['ibid', '--help']; next(iter(entry_points(group='console_scripts', name='ibid'))).load()()"
    )
    command = [environment / "bin" / "python", "-c", script]
    shown = subprocess.run(command, cwd=elsewhere, env=clean, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[0] == str(site / "assistant" / "__init__.py")
    for command_name in ("add", "ask", "serve", "doctor"):
        assert command_name in shown.stdout
