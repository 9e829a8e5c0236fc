"""`ibid train`: make the small models that ship with Ibid anew. For developers; needs torch and onnx."""

from __future__ import annotations

from pathlib import Path

import click

from assistant.errors import InputError

_NEEDS = ("torch", "onnx", "safetensors")


@click.group()
def train() -> None:
    """Make the small models that ship with Ibid anew (for developers)."""


@train.command("selector")
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--base",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Folder with model.safetensors and tokenizer.json of all-MiniLM-L6-v2.",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Where the model goes.")
@click.option(
    "--without",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="Papers (JSON Lines with titles) that it will be evaluated on, never to be trained on; may be repeated.",
)
@click.option("--thin", type=click.IntRange(min=1), default=1, help="Keep each n-th pair only, to try it out.")
def selector(data: Path, base: Path, out: Path, without: tuple[Path, ...], thin: int) -> None:
    """Train the answer-sentence selector on the labelled sets in DATA and the questions written by hand."""
    from importlib.util import find_spec

    missing = [name for name in _NEEDS if find_spec(name) is None]
    if missing:
        raise InputError(f"training needs {', '.join(missing)}: pip install {' '.join(missing)}")
    from assistant.training.selector import train as train_selector

    found = train_selector(data, base, out, without=without, say=lambda line: click.echo(line, err=True), thin=thin)
    for name, fitted in (("sentences", found.sentences), ("answered", found.answered)):
        click.echo(f"{out}, {name}: slope {fitted.slope:.3f}, intercept {fitted.intercept:.3f}")


@train.command("verifier")
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--claims",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="Folder with claims.txt and papers.jsonl; may be repeated. Default: those in the package.",
)
@click.option(
    "--nli",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="JSON Lines of {premise, hypothesis, label, source} to learn from as well.",
)
@click.option(
    "--base",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="Folder with model.safetensors and tokenizer.json of all-MiniLM-L6-v2: trains the model that reads claims as "
    "well. Without it, the one in --out is kept and only the weights beside it are fitted.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder that model and weights go to.",
)
@click.option("--thin", type=click.IntRange(min=1), default=1, help="Keep each n-th claim only, to try it out.")
def verifier(data: Path, claims: tuple[Path, ...], nli: Path | None, base: Path | None, out: Path, thin: int) -> None:
    """Train the verifier on handwritten claims and the labelled sets in DATA (scifact, healthver, factcheckgpt)."""
    from importlib.util import find_spec

    missing = [name for name in _NEEDS if find_spec(name) is None] if base else []
    if missing:
        raise InputError(f"training needs {', '.join(missing)}: pip install {' '.join(missing)}")
    from assistant.training import verifier as training

    def say(line: str) -> None:
        click.echo(line, err=True)

    fitted = training.train(data, out, nli=nli, base=base, folders=claims or None, say=say, thin=thin)
    click.echo(f"{out}: supported from {fitted.supports_from:.2f}, partly from {fitted.partial_from:.2f}")
