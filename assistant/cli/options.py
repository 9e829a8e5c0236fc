"""Options that commands share, and how they open a library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assistant.errors import LibraryNotFound

if TYPE_CHECKING:
    from assistant.library import Library
    from assistant.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])


def library_option(function: F) -> F:
    """`--library PATH`."""
    return click.option(
        "--library",
        "library_path",
        type=click.Path(file_okay=False, path_type=Path),
        help="Library folder. Default: IBID_LIBRARY, else the platform's user-data folder.",
    )(function)


def json_option(function: F) -> F:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(function)


def filter_option(function: F) -> F:
    """`--filter KEY=VALUE`, repeatable."""
    return click.option(
        "--filter",
        "filters",
        multiple=True,
        metavar="KEY=VALUE",
        help="Only papers that match: year (2020, 2020-2024, >=2020), author, venue, category, tag, source, note, ids (also @citekeys). "
        "Repeatable.",
    )(function)


def on_failed_option(function: F) -> F:
    """`--on-failed mark|repair|replace`."""
    return click.option(
        "--on-failed",
        "on_failed_claim",
        type=click.Choice(["mark", "repair", "replace"]),
        help="A chat model's sentence that its evidence does not carry: mark it, have it repaired once, or put a quote "
        "in its place. Default: IBID_ON_FAILED_CLAIM, else mark.",
    )(function)


def settings(library_path: Path | None = None, **overrides: Any) -> Settings:
    """Settings with what the command line gave; raises SettingsError."""
    from assistant.settings import Settings

    given = {name: value for name, value in overrides.items() if value is not None}
    return Settings.load(**given, **({"library": library_path} if library_path else {}))


def existing(library_path: Path | None, **overrides: Any) -> Library:
    """The library to read from; raises LibraryNotFound with the command that makes one."""
    from assistant.library import Library

    wanted = settings(library_path, **overrides)
    try:
        return Library.open(wanted.library_path(), create=False, settings=wanted)
    except LibraryNotFound as error:
        place = f" --library {library_path}" if library_path else ""
        raise LibraryNotFound(
            f"no library at {str(wanted.library_path())!r}; make one with: ibid add FILE{place}"
        ) from error
