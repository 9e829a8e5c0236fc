"""Commands that answer: search, ask."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from assistant.cli import json_lines, options, output
from assistant.errors import InputError

if TYPE_CHECKING:
    from assistant.engine import Assistant
    from assistant.filters import Filters
    from assistant.papers import Hit


@click.command()
@click.argument("question", nargs=-1, required=True)
@click.option("-k", "k", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many papers.")
@options.library_option
@options.filter_option
@options.json_option
def search(
    question: tuple[str, ...], k: int, library_path: Path | None, filters: tuple[str, ...], as_json: bool
) -> None:
    """Find the papers nearest to a question, best first."""
    from assistant.filters import Filters

    text = " ".join(question)
    with options.existing(library_path) as library:
        hits = library.search(text, k=k, filters=Filters.parse_options(filters))
    if as_json:
        output.emit({"question": text, "hits": [_hit(hit) for hit in hits]})
        return
    for hit in hits:
        click.echo(output.hit_text(hit))
    if not hits:
        click.echo("Nothing found.", err=True)


def _hit(hit: Hit) -> dict[str, Any]:
    from assistant.answers import paper_summary

    passages = [
        {"id": passage.id, "start": passage.start, "end": passage.end, "text": passage.text}
        for passage in hit.passages
    ]
    return {"rank": hit.rank, "score": hit.score, "paper": paper_summary(hit.paper), "passages": passages}


@click.command()
@click.argument("question", nargs=-1)
@click.option(
    "--batch", type=click.File("rb"), help="Answer JSON Lines of {id, question} or {id, turns}; - is stdin."
)
@click.option("--conversation", "conversation_id", help="Continue this conversation (its id).")
@click.option("--model", "chat_model", help="Answer with this chat model instead of quotes; see IBID_CHAT_MODEL.")
@click.option("--base-url", "chat_base_url", help="The OpenAI-compatible endpoint that serves it.")
@options.on_failed_option
@options.library_option
@options.filter_option
@options.json_option
def ask(
    question: tuple[str, ...],
    batch: IO[bytes] | None,
    conversation_id: str | None,
    chat_model: str | None,
    chat_base_url: str | None,
    on_failed_claim: str | None,
    library_path: Path | None,
    filters: tuple[str, ...],
    as_json: bool,
) -> None:
    """Ask the library a question."""
    from assistant.engine import Assistant
    from assistant.filters import Filters

    if bool(question) == (batch is not None):
        raise click.UsageError("give either a QUESTION or --batch FILE")
    narrowed = Filters.parse_options(filters)
    overrides = {
        "chat_model": chat_model,
        "chat_base_url": chat_base_url,
        "on_failed_claim": on_failed_claim,
    }
    with options.existing(library_path, **overrides) as library:
        assistant = Assistant(library, settings=options.settings(library_path, **overrides))
        if batch is not None:
            failed = False
            for result in json_lines.answered(batch, lambda case: _answered(assistant, case, narrowed)):
                output.emit(result)
                failed = failed or "error" in result
            if failed:
                sys.exit(1)
            return
        text = " ".join(question)
        if as_json or assistant.settings.chat_model == "quotes":
            answer = assistant.ask(text, filters=narrowed, conversation=conversation_id)
        else:
            answer = output.answered(assistant.stream(text, filters=narrowed, conversation=conversation_id))
    if as_json:
        output.emit(answer.to_dict())
    else:
        click.echo(output.answer_text(answer))


def _answered(assistant: Assistant, case: json_lines.Case, filters: Filters) -> json_lines.Case:
    """The answer to one line of a batch."""
    narrowed = _narrowed(case, filters)
    turns = case.get("turns")
    if isinstance(turns, list) and turns and all(isinstance(turn, str) for turn in turns):
        conversation = assistant.conversation()
        answers = [conversation.ask(turn, filters=narrowed).to_dict() for turn in turns]
        return {"answer": answers[-1], "answers": answers}
    if isinstance(case.get("question"), str):
        return {"answer": assistant.ask(case["question"], filters=narrowed).to_dict()}
    raise InputError('there is neither a "question" text nor a list of "turns"; give one of them')


def _narrowed(case: json_lines.Case, filters: Filters) -> Filters:
    """The case's own filters where it has some, else those of the command line."""
    from assistant.filters import Filters

    given = case.get("filters")
    if given is None or given == {}:
        return filters
    if not isinstance(given, dict):
        raise InputError(f'"filters" must be an object such as {{"year": 2020}}, not {given!r:.60}')
    return Filters.parse(given)
