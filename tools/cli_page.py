"""Writes docs/cli.md from the command line's own help texts, so that the page cannot drift.

python tools/cli_page.py            writes the page
python tools/cli_page.py --check    exit code 1 when the page is not what would be written
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cli.md"
_WIDTH = 100  # columns; fixed, so that the page does not depend on the terminal

_HEAD = """# Command line

Made from the `--help` texts by `tools/cli_page.py`; change the texts, then run `make format`.
"""


def commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every visible command under `command`, itself first, with its help text; subcommands in listed order."""
    context = click.Context(command, info_name=" ".join(path), max_content_width=_WIDTH, terminal_width=_WIDTH)
    yield path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            subcommand = command.get_command(context, name)
            if subcommand is not None and not subcommand.hidden:
                yield from commands(subcommand, (*path, name))


def page(root: click.Command) -> str:
    """The whole page."""
    sections = [_section(" ".join(path), text) for path, text in commands(root, ("ibid",))]
    return "\n".join([_HEAD, *sections])


def _section(name: str, text: str) -> str:
    stripped = "\n".join(line.rstrip() for line in text.splitlines())
    return f"## `{name}`\n\n```text\n{stripped}\n```\n"


def main(arguments: list[str]) -> int:
    from assistant.cli import main as root

    wanted = page(root)
    if arguments == ["--check"]:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == wanted:
            return 0
        print("docs/cli.md is not what the help texts say; run: make format", file=sys.stderr)
        return 1
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
