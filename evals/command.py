"""`ibid eval`: run, compare, report, make. Loaded by `ibid` through its entry point; `python -m evals` is the same."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.errors import IbidError

if TYPE_CHECKING:
    from collections.abc import Callable

    from evals.baselines import Options
    from evals.cases import Case
    from evals.results import CaseResult
    from evals.systems import System


class Group(click.Group):
    """Turns errors raised on purpose into one line on stderr and exit code 1."""

    def invoke(self, context: click.Context) -> Any:
        """Runs the command."""
        try:
            return super().invoke(context)
        except IbidError as error:
            click.echo(f"error: {error}", err=True)
            raise SystemExit(1) from error


@click.group(cls=Group, name="eval")
def main() -> None:
    """Measures answers: are they right, do citations carry them, are refusals just?"""


_FOLDER = click.Path(file_okay=False, path_type=Path)
_EXISTING = click.Path(exists=True, file_okay=False, path_type=Path)
_library = click.option(
    "--library", type=_FOLDER, help="Library to ask; default: one made from the bundled cases' own corpus."
)


@main.command()
@click.option("--suite", default="gate", show_default=True, help="Bundled suite (gate, full) or a .toml file.")
@_library
@click.option("--cases", multiple=True, help="Datasets in place of the suite's: bundled names or .jsonl files.")
@click.option("--split", type=click.Choice(["dev", "test", "all"]), help="Default: as the suite says.")
@click.option("--kind", "kinds", multiple=True, help="Only cases of this kind; may be repeated.")
@click.option("--tag", "tags", multiple=True, help="Only cases with this tag; may be repeated.")
@click.option("--limit", type=click.IntRange(1), help="At most so many cases, spread over the set.")
@click.option("--repeats", default=1, show_default=True, type=click.IntRange(1), help="Times to ask each case.")
@click.option("--data", type=_EXISTING, help="Folder of external sets (scifact, cisi, pubmedqa, injections).")
@click.option(
    "--system", "name", default="ibid", show_default=True, help="ibid, bm25, langchain, endpoint or unguarded."
)
@click.option(
    "--base-url", help="OpenAI-compatible server of system endpoint or unguarded, or of langchain's chat model."
)
@click.option("--model", help="Its model.")
@click.option("--api-key", envvar="OPENAI_API_KEY", help="Its key; default: OPENAI_API_KEY.")
@click.option("--timeout", default=120.0, show_default=True, help="Seconds to wait for it.")
@click.option("--verifier", "verifier_name", default="coverage", show_default=True, help="coverage or assistant.")
@click.option("--out", type=_FOLDER, help="Folder for the run's files.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def run(
    suite: str,
    library: Path | None,
    cases: tuple[str, ...],
    split: str | None,
    kinds: tuple[str, ...],
    tags: tuple[str, ...],
    limit: int | None,
    repeats: int,
    data: Path | None,
    name: str,
    base_url: str | None,
    model: str | None,
    api_key: str | None,
    timeout: float,
    verifier_name: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Asks the cases of a suite and judges the answers. Exit code 1 when a declared bound is not reached."""
    from evals import runner
    from evals.baselines import Options
    from evals.suite import load_suite
    from evals.verifiers import named

    declared = load_suite(suite)
    chosen = runner.chosen(cases or None, declared, split=split, kinds=kinds, tags=tags, limit=limit, repeats=repeats)
    if data is not None and not cases:
        from evals import external

        chosen = (*chosen, *external.load(data, declared.external, limit=limit))
    system = _system(name, library, chosen, Options(base_url, model, api_key, timeout), data)
    found = runner.run(system, chosen, suite=declared, verifier=named(verifier_name), out=out, progress=_progress())
    _print(found, as_json)
    raise SystemExit(1 if found.summary.verdict == "fail" else 0)


def _system(name: str, library: Path | None, cases: tuple[Case, ...], options: Options, data: Path | None) -> System:
    from evals import runner
    from evals.baselines import maker
    from evals.cases import bundled

    known = {*bundled()}
    if library is None and (data is not None or all(case.dataset in known for case in cases)):
        return runner.over_own_corpora(name, cases, options, data)
    from assistant import Library

    return maker(name, options)(Library.open(library, create=False))


@main.command()
@click.argument("folder", type=_EXISTING)
@click.option("--suite", help="Suite to judge by; default: that of the run.")
@click.option("--write", is_flag=True, help="Write the run's reports again.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def report(folder: Path, suite: str | None, write: bool, as_json: bool) -> None:
    """Scores a recorded run again from its files, without the system that made it."""
    from evals import reports, runner

    found = runner.replay(folder, suite=suite)
    if write:
        reports.write(found, reports.read_corpus(folder), folder)
    _print(found, as_json)
    raise SystemExit(1 if found.summary.verdict == "fail" else 0)


@main.command()
@click.argument("before", type=_FOLDER)
@click.argument("after", type=_FOLDER)
@click.option("--suite", help="Suite that declares the margins; default: that of the first run.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(before: Path, after: Path, suite: str | None, as_json: bool) -> None:
    """Compares two recorded runs on the cases they share. Exit code 1 when AFTER is worse beyond a margin."""
    from evals.comparison import compare as compare_runs
    from evals.reports import read
    from evals.reports.comparison import render
    from evals.suite import load_suite

    margins = load_suite(suite).margins if suite else None
    found = compare_runs(read(before), read(after), margins)
    click.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=2) if as_json else render(found), nl=as_json)
    raise SystemExit(1 if found.verdict == "fail" else 0)


@main.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--library", type=_FOLDER, help="Library to draft from; default: the user's.")
@click.option("--per-paper", default=3, show_default=True, type=click.IntRange(1), help="Most facts from one paper.")
@click.option("--limit", type=click.IntRange(1), help="At most so many drafts.")
@click.option("--seed", default=0, show_default=True)
@click.option("--accept-all", is_flag=True, help="Keep every draft that passes the screening, unread.")
@click.option("--base-url", help="OpenAI-compatible server whose model drafts questions too.")
@click.option("--model", help="Its model.")
@click.option("--api-key", envvar="OPENAI_API_KEY", help="Its key; default: OPENAI_API_KEY.")
def make(
    target: Path,
    library: Path | None,
    per_paper: int,
    limit: int | None,
    seed: int,
    accept_all: bool,
    base_url: str | None,
    model: str | None,
    api_key: str | None,
) -> None:
    """Drafts cases from a library's papers into TARGET (.jsonl) and asks which to keep.

    A review can be left with q and taken up again: what was decided is kept.
    """
    from assistant import Library
    from evals import making
    from evals.baselines import Options
    from evals.cases import read
    from evals.making.review import keep, pending

    say = _model(Options(base_url, model, api_key)) if base_url and model else None
    with Library.open(library, create=False) as opened:
        papers = tuple(opened.papers())
    kept, dropped = making.screen(making.draft(papers, seed=seed, per_paper=per_paper, say=say), papers)
    for one in dropped:
        click.echo(f"dropped: {one.case.question} ({one.why})", err=True)
    drafts = kept[:limit]
    if accept_all:
        for case in pending(drafts, target):
            keep(case, target)
    else:
        found = making.review(drafts, target, lambda prompt, default: click.prompt(prompt, default), click.echo)
        click.echo(f"{found.accepted} accepted, {found.rejected} rejected, {found.left} left for another time")
    click.echo(str(making.cover(read(target) if target.exists() else (), papers)))


def _model(options: Options) -> Callable[[str], str]:
    from evals.baselines.endpoint import complete

    return lambda prompt: complete(options, [{"role": "user", "content": prompt}]).text


@main.command()
@click.argument("folder", type=_EXISTING)
@click.option("--base-url", help="OpenAI-compatible server whose model writes the questions; default: none.")
@click.option("--model", help="Its model.")
@click.option("--api-key", envvar="OPENAI_API_KEY", help="Its key; default: OPENAI_API_KEY.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def cycle(folder: Path, base_url: str | None, model: str | None, api_key: str | None, as_json: bool) -> None:
    """Looks, without labels, for answers of a recorded run that do not lead back to their questions."""
    from dataclasses import asdict

    from assistant.embedding import default_embedder
    from evals import reports
    from evals.baselines import Options
    from evals.metrics import cycle as consistency

    say = _model(Options(base_url, model, api_key)) if base_url and model else None
    ask_back = (lambda answer: say(consistency.PROMPT.format(answer=answer))) if say else None
    found = consistency.cycle(reports.read(folder), default_embedder().embed_sentences, ask_back)
    click.echo(json.dumps(asdict(found), ensure_ascii=False, indent=2) if as_json else consistency.render(found))


@main.command()
@click.option(
    "--papers", type=click.Path(exists=True, path_type=Path), help="Source to plant faults into; default: bundled."
)
@click.option(
    "--data", type=_EXISTING, help="Folder of human-labelled sets (scifact, healthver, factcheckgpt, wice)."
)
@click.option("--verifier", "name", default="coverage", show_default=True, help="coverage or assistant.")
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verifier(papers: Path | None, data: Path | None, name: str, seed: int, as_json: bool) -> None:
    """Judges a verifier: planted faults caught by kind, false alarms, agreement with people."""
    from dataclasses import asdict

    from evals import verifier_check, verifiers
    from evals.cases import corpus_of
    from evals.faults import plant
    from evals.libraries import papers_of

    judge = verifiers.named(name)
    found = verifier_check.check(judge, plant(papers_of(papers or corpus_of("bundled")), seed), seed)
    agreed = verifier_check.agreements(judge, data) if data is not None else {}
    if as_json:
        click.echo(json.dumps({**asdict(found), "labelled": agreed}, ensure_ascii=False, indent=2))
    else:
        click.echo(verifier_check.render(name, found, agreed))


def _print(found: Any, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found.summary.to_dict(), ensure_ascii=False, indent=2))
        return
    from rich.console import Console

    from evals.reports import terminal

    terminal.show(found, Console())


def _progress() -> Any:
    """Counts cases on stderr when that is a terminal."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int, result: CaseResult) -> None:
        click.echo(f"\r{done}/{total} {result.case.id:<40.40}", nl=done == total, err=True)

    return show
