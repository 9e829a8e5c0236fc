"""The `ibid` command. Modules of commands import nothing heavy, so that `ibid --help` answers at once."""

from __future__ import annotations

import io
import os
import sys

import click

from assistant.cli import (
    answering,
    calibrate,
    chatting,
    conversations,
    edit,
    exporting,
    hooks,
    models,
    papers,
    serving,
    sync,
    training,
    upkeep,
    verifying,
)
from assistant.errors import IbidError

_UNEXPECTED = "something went wrong that Ibid did not foresee"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ibid-papers", prog_name="ibid")
def cli() -> None:
    """Ask a library of research papers; every sentence of the answer points at the characters it rests on."""


for _command in (
    papers.add,
    papers.list_,
    papers.show,
    papers.rm,
    edit.edit,
    sync.sync,
    answering.search,
    answering.ask,
    chatting.chat,
    conversations.conversations,
    verifying.verify,
    exporting.export,
    serving.serve,
    serving.mcp,
    calibrate.calibrate,
    upkeep.rebuild,
    upkeep.doctor,
    models.model,
    hooks.eval_,
    training.train,
):
    cli.add_command(_command)


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits: 0 done, 1 not done, 2 usage, 130 interrupted. No traceback reaches a user."""
    _print_anything()
    try:
        code = cli.main(args=arguments, prog_name="ibid", standalone_mode=False)
    except click.exceptions.Abort:
        _say("interrupted")
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.exceptions.Exit as exit_:
        code = exit_.exit_code
    except IbidError as error:
        _say(str(error))
        code = 1
    except KeyboardInterrupt:
        _say("interrupted")
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader of a pipe left, e.g. head
        code = 1
    except OSError as error:
        _say(f"{error.strerror or error}{f': {error.filename!r}' if error.filename else ''}")
        code = 1
    except Exception as error:
        _say(f"{_UNEXPECTED}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}")
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def _print_anything() -> None:
    """What an output can't encode is shown escaped: a lone surrogate, or any “quote” where the locale is ASCII."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _say(message: str) -> None:
    click.echo(f"ibid: {' '.join(message.split())}", err=True)
