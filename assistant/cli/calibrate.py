"""`ibid calibrate`: how readily this library's questions are refused, fitted to its own papers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli import options, output
from assistant.errors import InputError, LibraryError

if TYPE_CHECKING:
    from assistant.calibration.running import Outcome
    from assistant.calibration.store import Calibration
    from assistant.library import Library
    from assistant.settings import Settings

_RATE = click.FloatRange(0.005, 0.5)


@click.command()
@click.option("--false-answers", type=_RATE, help="Wanted share of unanswerable questions that are answered.")
@click.option("--false-refusals", type=_RATE, help="Wanted share of answerable questions that are refused (0.04).")
@click.option("--questions", type=click.IntRange(40, 5000), default=200, show_default=True, help="Questions to make.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed makes other questions.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Write the curve to this SVG file.")
@click.option("--dry-run", is_flag=True, help="Store nothing.")
@click.option("--show", is_flag=True, help="Show what is stored, and make nothing.")
@click.option("--reset", is_flag=True, help="Take what is stored away.")
@options.library_option
@options.json_option
def calibrate(library_path: Path | None, as_json: bool, show: bool, reset: bool, **given: Any) -> None:
    """Fit to this library's papers how readily Ibid refuses.

    Makes questions that the papers answer and questions that they don't, looks at what Ibid would do with each, and
    stores the threshold that gives the wanted rate of errors.
    """
    rates = [name for name in ("false_answers", "false_refusals") if given[name] is not None]
    if len(rates) + show + reset > 1:
        raise click.UsageError("give one of --false-answers, --false-refusals, --show and --reset")
    settings = options.settings(library_path)
    with options.existing(library_path) as library:
        if show:
            _show(library, as_json)
        elif reset:
            _reset(library, as_json)
        else:
            _calibrate(library, settings, as_json, **given)


def _calibrate(
    library: Library,
    settings: Settings,
    as_json: bool,
    *,
    false_answers: float | None,
    false_refusals: float | None,
    questions: int,
    seed: int,
    plot: Path | None,
    dry_run: bool,
) -> None:
    from assistant.calibration import store
    from assistant.calibration.curve import svg
    from assistant.calibration.fitting import Wanted
    from assistant.calibration.running import calibrate as run

    _check_plot(plot)
    if library.read_only and not dry_run:
        raise LibraryError(f"library {str(library.path)!r} is open for reading only; try: ibid calibrate --dry-run")
    wanted = (
        Wanted("false_answers", false_answers) if false_answers else Wanted("false_refusals", false_refusals or 0.04)
    )
    with _progress() as progress:
        outcome = run(library, wanted, settings, questions=questions, seed=seed, progress=progress)
    if not dry_run:
        store.save(library, outcome.calibration)
    if plot is not None:
        _write(plot, svg(outcome.curve, outcome.coverage))
    if as_json:
        output.emit({**outcome.to_dict(), "stored": not dry_run})
    else:
        click.echo(_told(outcome, stored=not dry_run))


def _check_plot(plot: Path | None) -> None:
    """Raises InputError for a picture that couldn't be written, before minutes are spent on what it shows."""
    if plot is None:
        return
    if plot.suffix.lower() != ".svg":
        raise InputError(f"cannot draw {str(plot)!r}; give a file that ends in .svg")
    if not plot.parent.is_dir():
        raise InputError(f"cannot write {str(plot)!r}: there is no folder {str(plot.parent)!r}; make it first")


def _write(plot: Path, picture: str) -> None:
    try:
        plot.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {str(plot)!r}: {error.strerror}; give another file to --plot") from error


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error when that is a terminal, with time left."""
    if not sys.stderr.isatty():
        yield lambda done, of: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Asking", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _told(outcome: Outcome, *, stored: bool) -> str:
    from assistant.calibration.curve import text_plot

    made, curve = outcome.calibration, outcome.curve
    lines = [
        click.style(f"Answers from a probability of {made.threshold:.2f} on", bold=True)
        + ("" if stored else " (not stored)"),
        f"fitted for {made.error.replace('_', ' ')} of {made.rate:.1%} on {made.questions} questions made from {made.papers} papers",
        "",
        f"Of the made questions that the library doesn't answer, {_share(outcome.refused)} would be refused;",
        f"of those that it answers, {_share(outcome.false_refusals)}. People's questions differ from made ones"
        + (
            ", which the threshold allows for."
            if outcome.referenced
            else ",\nand no reference of people's ships for these weights, so the threshold stays near the shipped one."
        ),
        "",
        "Refused by sort of question:",
        *(f"  {way.replace('_', ' '):10} {_share(share)}" for way, share in outcome.by_way.items()),
        "",
        "Share without an answer here (risk) among the surest questions (coverage), the threshold at ┴;",
        f"area {curve.aurc:.3f} [{curve.low:.3f}, {curve.high:.3f}], at best {curve.best:.3f}:",
        text_plot(curve, outcome.coverage),
    ]
    return "\n".join(lines)


def _share(share: Any) -> str:
    return f"{share.value:.0%} [{share.low:.0%}, {share.high:.0%}] of {share.n}"


def _show(library: Library, as_json: bool) -> None:
    from dataclasses import asdict

    from assistant.calibration import store
    from assistant.engine import Assistant

    found = store.stored(library)
    changed = found.changed(store.marks(library, Assistant(library).selector)) if found else ()
    if as_json:
        output.emit({"calibration": asdict(found) if found else None, "changed": changed})
    else:
        click.echo(_shown(found, changed))


def _shown(found: Calibration | None, changed: tuple[str, ...]) -> str:
    if found is None:
        return "This library has no calibration of its own; make one with: ibid calibrate"
    told = (
        f"Answers from a probability of {found.threshold:.2f} on: {found.error.replace('_', ' ')} of {found.rate:.1%}, "
        f"fitted on {found.questions} questions from {found.papers} papers, {found.made_at}"
    )
    return told + (f"\nNot used: made with another {' and '.join(changed)}; run: ibid calibrate" if changed else "")


def _reset(library: Library, as_json: bool) -> None:
    from assistant.calibration import store

    had = store.stored(library) is not None
    store.save(library, None)
    if as_json:
        output.emit({"reset": had})
    else:
        click.echo("The calibration was taken away" if had else "This library had no calibration of its own")
