"""The first stage: a model of one question and one sentence, which the reader starts from."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from assistant.training.bert import CrossEncoder, load_pretrained
from assistant.training.pairs import Pair

_MEGABATCH = 40  # batches that are sorted by length together, so that little padding is computed
_START, _SEPARATOR = 101, 102  # [CLS] and [SEP] of the BERT vocabulary
_QUESTION_TOKENS, _SENTENCE_TOKENS = 40, 72


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything besides the data that decides the weights."""

    layers: int = 4
    batch: int = 16
    rate: float = 1e-4
    head_rate: float = 1e-3
    warmup: int = 150  # steps
    decay: float = 0.3  # last share of the steps, over which the rate falls to a twentieth
    average: float = 0.998  # of the exponential moving average of the weights, which is what is kept
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Example:
    """A pair as token ids and segments."""

    ids: list[int]
    types: list[int]
    label: float


def encode(tokenizer: Tokenizer, pair: Pair) -> Example:
    """`[CLS] question [SEP]` as segment 0, `sentence [SEP]` as segment 1, within the token limits."""

    def tokens(text: str) -> list[int]:
        ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    first = [_START, *tokens(pair.question)[-_QUESTION_TOKENS:], _SEPARATOR]
    second = [*tokens(pair.sentence)[:_SENTENCE_TOKENS], _SEPARATOR]
    return Example(first + second, [0] * len(first) + [1] * len(second), float(pair.label))


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
    examples: Sequence[Example], base: Path, recipe: Recipe, report: Callable[[int, int, float], None]
) -> CrossEncoder:
    """One pass over the examples from the published weights; the averaged model. `report(step, steps, loss)`."""
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    model = CrossEncoder(recipe.layers)
    load_pretrained(model, base / "model.safetensors")
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
    for step, batch in enumerate(batches(examples, recipe.batch, random.Random(recipe.seed)), start=1):
        labels = torch.tensor([example.label for example in batch])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(*tensors(batch)), labels)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(body + head, 1.0)
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            for old, new in zip(averaged.parameters(), model.parameters(), strict=True):
                if new.requires_grad:
                    old.lerp_(new, 1.0 - min(recipe.average, step / (step + 10)))
        report(step, steps, loss.item())
    return averaged
