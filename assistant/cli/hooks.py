"""Commands whose work is done by packages that `assistant` may not import; they are found through entry points."""

from __future__ import annotations

from typing import Any

import click

from assistant.errors import InputError


def load(name: str) -> Any:
    """What the installed entry point `name` of group `ibid.hooks` stands for."""
    from importlib import metadata  # a fifth of what `ibid --help` would take

    found = list(metadata.entry_points(group="ibid.hooks", name=name))
    if not found:
        raise InputError(f"this installation of Ibid has no {name!r}; install it whole: pip install ibid-papers")
    return found[0].load()


@click.command(
    "eval",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def eval_(arguments: tuple[str, ...]) -> None:
    """Run, compare and report grounding evals."""
    load("evals").main(args=list(arguments), prog_name="ibid eval", standalone_mode=False)
