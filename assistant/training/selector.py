"""Train the answer-sentence selector and write it as an int8 ONNX file with its calibration.

    ibid train selector DATA --base MINILM_FOLDER --out assistant/models

Deterministic for a seed and a number of threads: the same files and versions give the same weights on the same processor.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from assistant.errors import InputError
from assistant.selector import CALIBRATION_FILE, MODEL_FILE, UNCALIBRATED, Calibrations, Selector
from assistant.training import handwritten, pairing, reading
from assistant.training.bert import Reader
from assistant.training.documents import Document, rows, title_key
from assistant.training.export import calibrate, export
from assistant.training.handwritten import Shares, WrittenSet
from assistant.training.imagined import imagined
from assistant.training.mixture import general, single

# Of the official all-MiniLM-L6-v2.
_BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@dataclass(frozen=True, slots=True)
class Stage:
    """A pass over written sets: which, which of them twice, and what is mixed in so that the rest is not forgotten."""

    sets: tuple[str, ...]
    recipe: reading.Recipe
    shares: Shares
    twice: tuple[str, ...] = ()
    imagined: int = 0  # papers
    replayed: int | None = None  # each n-th document of the general stage, drawn anew


PAIRS = pairing.Recipe()
GENERAL = reading.Recipe(frozen=1)
_FEWER = Shares(elsewhere=0.3, bereft=0.15, crops=0.8)
_THREE = ("life-sciences", "nlp", "trials")
WRITTEN = (
    Stage(("life-sciences", "trials"), reading.Recipe(frozen=1, seed=11), Shares()),
    Stage(_THREE, reading.Recipe(frozen=1, seed=21), _FEWER, ("nlp",), 160, 25),
    Stage(_THREE, reading.Recipe(frozen=1, seed=31, rate=6e-5), _FEWER, ("nlp",), 160, 25),
)
KEPT_BACK = Shares(elsewhere=0.5, bereft=0.0, crops=0.0)

Progress = Callable[[str], None]


def train(
    data: Path, base: Path, out: Path, *, without: Sequence[Path] = (), say: Progress = print, thin: int = 1
) -> Calibrations:
    """Train on the sets in `data` and those written by hand, from the MiniLM weights in `base`; write into `out`.

    `base` holds model.safetensors and tokenizer.json of all-MiniLM-L6-v2; `without` are JSON Lines files of papers
    that the model will be evaluated on. `thin` keeps each n-th example only, to try the pipeline out. Progress goes
    to `say`, line by line. InputError when `base` holds other weights.
    """
    weights = base / "model.safetensors"
    if not weights.is_file() or _sha256(weights) != _BASE_SHA256:
        raise InputError(f"{str(weights)!r} is not all-MiniLM-L6-v2's; give a folder with its model.safetensors")
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    evaluated = {title_key(row["title"]) for file in without for row in rows(file)}
    sets = written_sets()

    def learned(start: Reader, documents: Sequence[Document], recipe: reading.Recipe) -> Reader:
        examples = [example for document in documents[::thin] for example in reading.encoded(tokenizer, document)]
        say(f"{len(examples)} windows")
        return reading.fit(start, [examples], recipe, lambda step, steps, loss, _: progress(step, steps, loss))

    progress = _reporter(say)
    pairs = [pairing.encode(tokenizer, pair) for pair in single(data, seed=1)[::thin]]
    model = Reader(PAIRS.layers)
    model.start_from(pairing.fit(pairs, base, PAIRS, progress))
    model = learned(model, general(data, seed=1, evaluated=evaluated), GENERAL)
    before = model
    for stage in WRITTEN:
        before, model = model, learned(model, documents_of(stage, sets, data, evaluated), stage.recipe)
    reading.blend(before, model, 0.5)  # each is better at something: docs/experiments/selector.md
    out.mkdir(parents=True, exist_ok=True)
    export(before, out / MODEL_FILE)
    return finished(out, sets, thin)


def written_sets() -> list[WrittenSet]:
    """The sets that lie beside this module."""
    with as_file(files("assistant.training") / "written") as folder:
        return list(handwritten.load_all(folder))


def documents_of(
    stage: Stage, sets: Sequence[WrittenSet], data: Path, evaluated: Collection[str] = ()
) -> list[Document]:
    """Everything that a stage is over, in the order in which it is drawn."""
    seed = stage.recipe.seed
    documents: list[Document] = []
    for name in stage.sets:
        (training,) = (handwritten.divided(part)[0] for part in sets if part.name == name)
        documents += handwritten.drawn(training, seed, stage.shares)
        if name in stage.twice:
            documents += handwritten.drawn(training, seed + 100, stage.shares)
    documents += imagined(stage.imagined, seed)
    if stage.replayed is not None:
        documents += general(data, seed, evaluated)[:: stage.replayed]
    return documents


def finished(out: Path, sets: Sequence[WrittenSet], thin: int = 1) -> Calibrations:
    """Calibrate the model in `out` on the papers kept back, as it will run, and write what belongs to it."""
    reader = Selector((out / MODEL_FILE).read_bytes(), UNCALIBRATED)
    kept = [
        document
        for part in sets
        for document in handwritten.drawn(handwritten.divided(part)[1], 1, KEPT_BACK)[::thin]
        if document.answered is not None
    ]
    found = [reader.logits(document.question, [(document.title, document.sentences)])[0] for document in kept]
    labels = [float(index in document.right) for document in kept for index in range(len(document.sentences))]
    sentences = calibrate(np.concatenate([logits.sentences for logits in found]).tolist(), labels)
    answered = calibrate([logits.answered for logits in found], [float(bool(doc.answered)) for doc in kept])
    card = {
        "calibration": {"sentences": asdict(sentences), "answered": asdict(answered)},
        "sha256": _sha256(out / MODEL_FILE),
        "pairs": asdict(PAIRS),
        "general": asdict(GENERAL),
        "stages": [asdict(stage) for stage in WRITTEN],
        "written": {part.name: len(part.asked) for part in sets},
        "calibrated_on": len(kept),
    }
    (out / CALIBRATION_FILE).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return Calibrations(sentences, answered)


def _reporter(say: Progress) -> Callable[[int, int, float], None]:
    recent: list[float] = []

    def report(step: int, steps: int, loss: float) -> None:
        recent.append(loss)
        if step % 50 == 0 or step == steps:
            say(f"step {step} of {steps}, loss {sum(recent[-100:]) / len(recent[-100:]):.3f}")

    return report


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
