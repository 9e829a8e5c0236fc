"""Writes the pages that are made from the code, so that they cannot drift from it.

    python tools/generated_pages.py            writes them
    python tools/generated_pages.py --check    exit code 1, and the names of those that are not what would be written

docs/cli.md comes from the `--help` texts, docs/settings.md from `assistant.settings`, the index of decisions from the
records' first lines, and the tree in README.md from the modules' docstrings.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("assistant", "ingest", "ui", "evals")
_WIDTH = 100  # columns of a help text; fixed, so that the page does not depend on the terminal
_NAME_WIDTH = 28  # columns of the tree's names
_SUMMARY_WIDTH = 92  # columns of a line's text

_CLI_HEAD = """# Command line

Made from the `--help` texts by `tools/generated_pages.py`; change the texts, then run `make format`.
"""
_SETTINGS_HEAD = """# Settings

Made from `assistant/settings.py` by `tools/generated_pages.py`. Each can be given as an environment variable or in Python,
`Settings.load(papers=12)`; an unknown or out-of-range one is an error. Options of a command win over the environment.

| variable | default | meaning |
|---|---|---|
"""
_DECISIONS_HEAD = """# Decisions

One record for each choice that could have gone another way: context, choice, what was measured, what would change it.
Index made by `tools/generated_pages.py`.

| record | choice |
|---|---|
"""
_NUMBERED = re.compile(r"^(?:Decision )?(\d{4})[\s.·:—–-]*(.*)$")
_TREE = re.compile(r"(?<=<!-- tree: made from the docstrings -->\n```text\n).*?(?=```\n)", re.DOTALL)
# What a docstring cannot say: folders of data, and what is not a package.
_FOLDERS = {
    "assistant/csl": "styles of references, from the Citation Style Language project",
    "assistant/models": "the embedding, sentence-selection and claim-reading models, with their cards and licences",
    "assistant/prompts": "prompts for chat models, as Markdown",
    "assistant/training/claims": "claims written by hand, faithful and faulty, and their papers",
    "assistant/training/written": "questions written by hand over other abstracts, to train the selector",
    "ingest/corpus": "the 59 papers to try it on",
    "evals/datasets": "sets of questions, conversations and lists, and the papers of those that are not bundled",
    "evals/reports/page": "the page's template, style and script",
    "evals/suites": "which cases and margins an eval run uses",
    "evals/baselines": "recorded results that a run is compared with",
    "benchmarks": "speed and quality measurements, one script each",
    "docs": "architecture, decisions, experiments, benchmarks, settings, command line",
    "tests": "tests, by the module they test",
    "tools": "makes the generated pages",
}


def pages() -> dict[Path, str]:
    """Every page with the text it should have."""
    from assistant.cli import cli
    from evals.command import main as evals

    readme = ROOT / "README.md"
    return {
        ROOT / "docs" / "cli.md": cli_page(cli, {"eval": evals}),
        ROOT / "docs" / "settings.md": settings_page(),
        ROOT / "docs" / "decisions" / "README.md": decisions_page(),
        readme: _TREE.sub(lambda _: tree(), readme.read_text(encoding="utf-8")),
    }


def cli_page(root: click.Group, elsewhere: dict[str, click.Command]) -> str:
    """The help texts of every visible command; `elsewhere` stands in for those whose help is in another package."""
    sections = [
        _section(context.command_path, command.get_help(context)) for context, command in _commands(root, elsewhere)
    ]
    return "\n".join([_CLI_HEAD, *sections])


def _section(name: str, text: str) -> str:
    stripped = "\n".join(line.rstrip() for line in text.splitlines())
    return f"## `{name}`\n\n```text\n{stripped}\n```\n"


def _commands(
    command: click.Command,
    elsewhere: dict[str, click.Command],
    name: str = "ibid",
    parent: click.Context | None = None,
) -> Iterator[tuple[click.Context, click.Command]]:
    """`command` first, then every visible command under it in listed order, each with its context."""
    widths: dict[str, Any] = {"max_content_width": _WIDTH, "terminal_width": _WIDTH}
    context = click.Context(command, info_name=name, parent=parent, **{**command.context_settings, **widths})
    yield context, command
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            subcommand = elsewhere.get(inner) or command.get_command(context, inner)
            if subcommand is not None and not subcommand.hidden:
                yield from _commands(subcommand, elsewhere, inner, context)


def settings_page() -> str:
    """Every setting with its default and its description."""
    from assistant.settings import Settings

    rows = [
        f"| `IBID_{name.upper()}` | {'' if field.default is None else f'`{field.default}`'} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    ]
    return _SETTINGS_HEAD + "".join(rows)


def decisions_page() -> str:
    """The index of decision records: number and title, from each record's first line."""
    rows = []
    for record in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")):
        title = record.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
        number, choice = _NUMBERED.sub(r"\1", title), _NUMBERED.sub(r"\2", title)
        rows.append(f"| [{number}]({record.name}) | {choice} |\n")
    return _DECISIONS_HEAD + "".join(rows)


def tree() -> str:
    """The folders and modules, a line each: its name and the first sentence of its docstring."""
    lines = [line for package in PACKAGES for line in _folder(ROOT / package, 0)]
    lines += [_line(0, f"{name}/", _FOLDERS[name]) for name in ("benchmarks", "docs", "tests", "tools")]
    return "".join(lines)


def _folder(folder: Path, depth: int) -> Iterator[str]:
    name = folder.relative_to(ROOT).as_posix()
    initial = folder / "__init__.py"
    yield _line(depth, f"{folder.name}/", _FOLDERS.get(name) or _summary(initial))
    if not initial.exists():
        return
    entries = sorted(entry for entry in folder.iterdir() if entry.name != "__pycache__")
    for module in (entry for entry in entries if entry.suffix == ".py" and entry != initial):
        yield _line(depth + 1, module.name, _summary(module))
    for inner in (entry for entry in entries if entry.is_dir()):
        if any(path.is_file() and "__pycache__" not in path.parts for path in inner.rglob("*")):
            yield from _folder(inner, depth + 1)


def _line(depth: int, name: str, text: str) -> str:
    return f"{'    ' * depth}{name}".ljust(_NAME_WIDTH) + f"  {text}".rstrip() + "\n"


def _summary(module: Path) -> str:
    """The first sentence of a module's docstring, without its full stop and cut to fit; empty when it has none."""
    if not module.exists():
        return ""
    text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(text.split("\n\n")[0].split())
    sentence = re.split(r"(?<=[^.]{4})\.(?:\s|$)|;\s", paragraph)[0]
    return textwrap.shorten(sentence.rstrip(":"), _SUMMARY_WIDTH, placeholder=" …")


def main(arguments: list[str]) -> int:
    drifted = [
        page for page, text in pages().items() if not page.exists() or page.read_text(encoding="utf-8") != text
    ]
    if arguments == ["--check"]:
        for page in drifted:
            print(f"{page.relative_to(ROOT)} is not what the code says; run: make format", file=sys.stderr)
        return 1 if drifted else 0
    for page, text in pages().items():
        page.parent.mkdir(exist_ok=True)
        page.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
