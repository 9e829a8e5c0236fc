"""Commands that serve a library: to browsers and programs over HTTP, and to assistants over MCP."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from assistant.cli import options
from assistant.cli.hooks import load
from assistant.errors import InputError

_PORT = click.IntRange(0, 65535)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=_PORT, default=7860, show_default=True, help="The next free one is taken.")
@click.option("--token", help="What clients must present. Better in IBID_TOKEN, where other users don't see it.")
@click.option(
    "--auth-file", type=click.Path(dir_okay=False, path_type=Path), help="File of users. Default: IBID_AUTH_FILE."
)
@click.option("--add-user", metavar="NAME", help="Ask for a password, write the user into --auth-file, and end.")
@click.option("--name", "names", multiple=True, help="A host name that the server is reached by. Repeatable.")
@click.option(
    "--requests-per-minute", type=click.IntRange(1, 1_000_000), help="What one client may ask. Default: 600."
)
@options.library_option
def serve(
    host: str,
    port: int,
    token: str | None,
    auth_file: Path | None,
    add_user: str | None,
    names: tuple[str, ...],
    requests_per_minute: int | None,
    library_path: Path | None,
) -> None:
    """Serve the chat page, the HTTP interface and OpenAI's protocol.

    On this machine anyone may ask. On an address that others reach, a token or a file of users is needed; both are
    sent in the clear, so put a server that speaks TLS in front.
    """
    settings = options.settings(library_path, token=token, auth_file=auth_file)
    if add_user is not None:
        _add_user(add_user, settings.auth_file)
        return
    load("ui")(
        settings.library_path(),
        host=host,
        port=port,
        token=settings.token.get_secret_value() if settings.token else None,
        auth_file=settings.auth_file,
        names=names,
        requests_per_minute=requests_per_minute,
    )


def _add_user(name: str, path: Path | None) -> None:
    """Asks for the password on a terminal, else reads it from the first line of standard input."""
    from assistant import users

    if path is None:
        raise InputError(f"no file to write user {name!r} into; name it with --auth-file FILE or IBID_AUTH_FILE")
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, type=str)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    new = users.add(path.expanduser(), users.User.of(name, password))
    click.echo(f"{name} {'added to' if new else 'has a new password in'} {path}")


@click.command()
@click.option("--allow-writes", is_flag=True, help="Offer add_papers and remove_paper too.")
@click.option("--http", is_flag=True, help="Speak streamable HTTP at /mcp instead of standard input and output.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on, with --http.")
@click.option(
    "--port", type=_PORT, default=7861, show_default=True, help="Port, with --http; the next free one is taken."
)
@options.library_option
def mcp(allow_writes: bool, http: bool, host: str, port: int, library_path: Path | None) -> None:
    """Serve the library to assistants that speak the Model Context Protocol (MCP).

    Tools: search_papers, get_paper, ask, verify_claim, export_bibliography. With --http, IBID_TOKEN and IBID_AUTH_FILE
    say who may ask, as with `ibid serve`.
    """
    settings = options.settings(library_path)
    load("mcp")(
        settings.library_path(),
        allow_writes=allow_writes,
        http=http,
        host=host,
        port=port,
        token=settings.token.get_secret_value() if settings.token else None,
        auth_file=settings.auth_file,
    )
