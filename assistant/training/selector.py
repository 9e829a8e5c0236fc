"""Train the answer-sentence selector and write it as an int8 ONNX file with its calibration.

    ibid train selector DATA --base MINILM_FOLDER --out assistant/models

Deterministic for a seed on one thread: the same files and versions give the same weights on the same processor.
"""

from __future__ import annotations

import copy
import hashlib
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from assistant.errors import InputError
from assistant.selector import CALIBRATION_FILE, MODEL_FILE, Calibration, Selector, pack
from assistant.training.bert import CrossEncoder, load_pretrained
from assistant.training.export import calibrate, export
from assistant.training.mixture import mixture
from assistant.training.pairs import Pair

# Of the official all-MiniLM-L6-v2.
_BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

_MEGABATCH = 40  # batches that are sorted by length together, so that little padding is computed


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything besides the data that decides the weights."""

    layers: int = 4
    frozen: int = 0
    batch: int = 16
    rate: float = 1e-4
    head_rate: float = 1e-3
    warmup: int = 150  # steps
    decay: float = 0.3  # last share of the steps, over which the rate falls to a twentieth
    average: float = 0.998  # of the exponential moving average of the weights, which is what is kept
    stop: int | None = None  # the step after which the rest of the pass is left out
    seed: int = 7


FIRST = Recipe()
SECOND = Recipe(frozen=1, stop=600)
THIRD = Recipe(frozen=1, warmup=50, decay=0.6)
# Share of the first stage's weights in what ships. The later stages teach details and lose some of the first's breadth;
# a weighted mean of both keeps most of each (Wortsman et al. 2022). See docs/experiments/selector.md.
_FIRST_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Example:
    """A pair as token ids and segments."""

    ids: list[int]
    types: list[int]
    label: float


def encode(tokenizer: Tokenizer, pair: Pair) -> Example:
    """`[CLS] question [SEP] title [SEP]` as segment 0, `sentence [SEP]` as segment 1, within the token limits."""

    def tokens(text: str) -> list[int]:
        ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    ids, types = pack(tokens(pair.question), tokens(pair.title) if pair.title else [], tokens(pair.sentence))
    return Example(ids, types, float(pair.label))


def batches(examples: Sequence[Example], size: int, generator: random.Random) -> Iterator[list[Example]]:
    """One pass in random order, in batches of similar length."""
    order = list(examples)
    generator.shuffle(order)
    for start in range(0, len(order), size * _MEGABATCH):
        part = sorted(order[start : start + size * _MEGABATCH], key=lambda example: len(example.ids))
        groups = [part[at : at + size] for at in range(0, len(part), size)]
        generator.shuffle(groups)
        yield from groups


def tensors(batch: Sequence[Example]) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, types and mask, padded to the longest of the batch."""
    width = max(len(example.ids) for example in batch)
    ids = torch.tensor([example.ids + [0] * (width - len(example.ids)) for example in batch])
    types = torch.tensor([example.types + [0] * (width - len(example.types)) for example in batch])
    mask = torch.tensor([[1] * len(example.ids) + [0] * (width - len(example.ids)) for example in batch])
    return ids, types, mask


def fit(
    examples: Sequence[Example],
    base: Path,
    recipe: Recipe,
    report: Callable[[int, int, float, CrossEncoder], None],
    start: CrossEncoder | None = None,
) -> CrossEncoder:
    """One pass over the examples; the averaged model. `report(step, steps, loss, averaged)` sees every step."""
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    generator = random.Random(recipe.seed)
    model = CrossEncoder(recipe.layers, recipe.frozen)
    load_pretrained(model, base / "model.safetensors")
    if start is not None:
        model.load_state_dict(start.state_dict())
    averaged = copy.deepcopy(model)
    head = list(model.head.parameters())
    body = [weight for name, weight in model.named_parameters() if weight.requires_grad and "head" not in name]
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": recipe.rate}, {"params": head, "lr": recipe.head_rate}], weight_decay=0.01
    )
    steps = -(-len(examples) // recipe.batch)

    def rate(step: int) -> float:
        left = (steps - step) / (recipe.decay * steps)
        return min(1.0, (step + 1) / recipe.warmup, 0.05 + 0.95 * left)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
    for step, batch in enumerate(batches(examples, recipe.batch, generator), start=1):
        ids, types, mask = tensors(batch)
        labels = torch.tensor([example.label for example in batch])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(ids, types, mask), labels)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(body + head, 1.0)
        optimiser.step()
        schedule.step()
        _average(averaged, model, min(recipe.average, step / (step + 10)))
        report(step, steps, loss.item(), averaged)
        if step == recipe.stop:
            break
    return averaged


def _average(averaged: CrossEncoder, model: CrossEncoder, keep: float) -> None:
    with torch.no_grad():
        for old, new in zip(averaged.parameters(), model.parameters(), strict=True):
            if new.requires_grad:
                old.lerp_(new, 1.0 - keep)


def logits(model: CrossEncoder, examples: Sequence[Example], size: int = 32) -> list[float]:
    """The model's logit for each example, in order."""
    order = sorted(range(len(examples)), key=lambda index: len(examples[index].ids))
    found = [0.0] * len(examples)
    with torch.no_grad():
        for at in range(0, len(order), size):
            chosen = order[at : at + size]
            values = model(*tensors([examples[index] for index in chosen])).tolist()
            for index, value in zip(chosen, values, strict=True):
                found[index] = value
    return found


Progress = Callable[[str], None]


def train(data: Path, base: Path, out: Path, *, say: Progress = print, thin: int = 1) -> Calibration:
    """Train on the sets in `data` from the MiniLM weights in `base`; write model and calibration into `out`.

    `base` holds model.safetensors and tokenizer.json of all-MiniLM-L6-v2. `thin` keeps each n-th pair only, to try
    the pipeline out. Progress goes to `say`, line by line. InputError when `base` holds other weights.
    """
    weights = base / "model.safetensors"
    if not weights.is_file() or _sha256(weights) != _BASE_SHA256:
        raise InputError(f"{str(weights)!r} is not all-MiniLM-L6-v2's; give a folder with its model.safetensors")
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    pairs = mixture(data)

    def stage(recipe: Recipe, chosen: Sequence[Pair], start: CrossEncoder | None) -> CrossEncoder:
        examples = [encode(tokenizer, pair) for pair in chosen[::thin]]
        say(f"{len(examples)} pairs, lowest {recipe.frozen} of {recipe.layers} layers frozen")
        return fit(examples, base, recipe, _reporter(say), start)

    broad = stage(FIRST, pairs.general, None)
    model = stage(THIRD, pairs.near_misses, stage(SECOND, pairs.abstracts, broad))
    _average(model, broad, 1.0 - _FIRST_SHARE)
    out.mkdir(parents=True, exist_ok=True)
    export(model, out / MODEL_FILE)
    kept_back = [pair for part in pairs.kept_back.values() for pair in part[::thin]]
    calibration = _calibrated(out / MODEL_FILE, kept_back)
    card = {
        "calibration": asdict(calibration),
        "sha256": _sha256(out / MODEL_FILE),
        "stages": [asdict(recipe) for recipe in (FIRST, SECOND, THIRD)],
        "share of the first": _FIRST_SHARE,
        "pairs": [len(part[::thin]) for part in (pairs.general, pairs.abstracts, pairs.near_misses)],
        "calibrated_on": {name: len(part[::thin]) for name, part in pairs.kept_back.items()},
    }
    (out / CALIBRATION_FILE).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return calibration


def _calibrated(model: Path, pairs: Sequence[Pair]) -> Calibration:
    """Platt scaling of the int8 model, as it will run, on pairs it never saw."""
    reader = Selector(model.read_bytes(), Calibration(1.0, 0.0))
    values = [float(reader.logits(pair.question, [pair.sentence], [pair.title])[0]) for pair in pairs]
    return calibrate(values, [float(pair.label) for pair in pairs])


def _reporter(say: Progress) -> Callable[[int, int, float, CrossEncoder], None]:
    recent: list[float] = []

    def report(step: int, steps: int, loss: float, _: CrossEncoder) -> None:
        recent.append(loss)
        if step % 50 == 0 or step == steps:
            say(f"step {step} of {steps}, loss {sum(recent[-100:]) / len(recent[-100:]):.3f}")

    return report


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
