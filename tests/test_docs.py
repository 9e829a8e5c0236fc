"""Documentation that cannot drift: generated pages, indexes, links, and the error tree."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from assistant import errors

ROOT = Path(__file__).resolve().parents[1]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def _pages() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_generated_pages_are_what_the_code_says() -> None:
    command = [sys.executable, "tools/generated_pages.py", "--check"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("page", _pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for groups in _LINK.findall(text):
        target = next(filter(None, groups))
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        aim = (page.parent / name).resolve() if name else page
        assert aim.exists(), f"{page.name} links to {target}, which is not there"
        if anchor and aim.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", aim.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in map(_anchor, headings), f"{page.name} links to {target}, but there is no such heading"


@pytest.mark.parametrize("record", DECISIONS, ids=lambda record: record.stem)
def test_a_decision_is_numbered_titled_and_indexed(record: Path) -> None:
    title = record.read_text(encoding="utf-8").splitlines()[0]
    assert title.startswith("# ")
    assert record.stem[:4] in title
    assert f"({record.name})" in (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")


def test_decision_numbers_are_used_once() -> None:
    numbers = [record.stem[:4] for record in DECISIONS]
    assert len(numbers) == len(set(numbers))


def test_every_experiment_is_indexed() -> None:
    index = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs" / "experiments").glob("*.md"):
        assert f"(experiments/{page.name})" in index


def test_the_error_tree_is_drawn_as_it_is() -> None:
    drawn = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^([\s│├└─]*)([A-Z]\w+)(?:\s{2,}|$)", line)
        if found:
            depth = len(found.group(1))
            above = [entry for entry in above if entry[0] < depth]
            drawn[found.group(2)] = above[-1][1] if above else "Exception"
            above.append((depth, found.group(2)))
    classes = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    assert drawn == {name: kind.__bases__[0].__name__ for name, kind in classes.items()}
