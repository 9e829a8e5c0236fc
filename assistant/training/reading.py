"""Fits the reader: batches of windows, the loss, one stage of training."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from assistant.selector import Window, pooling, windows
from assistant.training.bert import Reader
from assistant.training.documents import Document

_MEGABATCH = 20  # batches that are sorted by length together, so that little padding is computed
_EACH = 0.2  # weight of each sentence's own loss beside the choice between the sentences
_MASKED = -10000.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything besides the data that decides the weights of a stage."""

    frozen: int = 0
    tokens: int = 4200  # of a batch, padding included
    rate: float = 1e-4
    head_rate: float = 1e-3
    warmup: int = 60  # steps
    average: float = 0.995  # of the exponential moving average of the weights, which is what is kept
    threads: int = 2
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Example:
    """A window with what is known of its sentences (1, 0, or -1 for unknown) and of the whole (the same)."""

    window: Window
    labels: list[int]
    answered: int


def encoded(tokenizer: Tokenizer, document: Document) -> list[Example]:
    """The document's windows. One without any of the answering sentences counts as not answering."""

    def tokens(text: str) -> list[int]:
        ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    found = []
    parts = [tokens(sentence) for sentence in document.sentences]
    for window in windows(tokens(document.question), tokens(document.title) if document.title else [], parts):
        where = range(window.first, window.first + len(window.spans))
        labels = [1 if index in document.right else -1 if index in document.unknown else 0 for index in where]
        answered = -1 if document.answered is None else int(1 in labels)
        found.append(Example(window, labels, answered))
    return found


def batches(examples: Sequence[Example], tokens: int, generator: random.Random) -> Iterator[list[Example]]:
    """One pass in random order, in batches of similar length."""
    order = list(examples)
    generator.shuffle(order)
    part = max(1, tokens * _MEGABATCH // 250)
    for start in range(0, len(order), part):
        rest = sorted(order[start : start + part], key=lambda example: len(example.window.ids))
        groups: list[list[Example]] = []
        for example in rest:
            if not groups or (len(groups[-1]) + 1) * len(example.window.ids) > tokens:
                groups.append([])
            groups[-1].append(example)
        generator.shuffle(groups)
        yield from groups


def tensors(batch: Sequence[Example]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Ids, types, mask and pooling weights, padded to the longest of the batch."""
    width = max(len(example.window.ids) for example in batch)
    most = max(len(example.labels) for example in batch)

    def padded(rows: Sequence[list[int]]) -> Tensor:
        return torch.tensor([row + [0] * (width - len(row)) for row in rows])

    pool = torch.zeros(len(batch), most, width)
    for row, example in enumerate(batch):
        pool[row, : len(example.labels)] = torch.from_numpy(pooling(example.window.spans, width))
    windows_ = [example.window for example in batch]
    mask = padded([[1] * len(window.ids) for window in windows_])
    return padded([window.ids for window in windows_]), padded([window.types for window in windows_]), mask, pool


def loss_of(sentences: Tensor, answered: Tensor, batch: Sequence[Example]) -> Tensor:
    """Choice between the sentences where some answer, each sentence by itself, and the text as a whole."""
    most = sentences.shape[1]
    labels = torch.tensor([example.labels + [-1] * (most - len(example.labels)) for example in batch])
    whole = torch.tensor([example.answered for example in batch])
    known, right = labels >= 0, labels == 1
    each = functional.binary_cross_entropy_with_logits(sentences, right.float(), reduction="none")
    loss = _EACH * (each * known).sum() / len(batch)
    some = right.any(dim=1)
    if some.any():
        among = torch.logsumexp(sentences.masked_fill(~known, _MASKED)[some], dim=1)
        those = torch.logsumexp(sentences.masked_fill(~right, _MASKED)[some], dim=1)
        loss = loss + (among - those).sum() / len(batch)
    told = functional.binary_cross_entropy_with_logits(answered, (whole == 1).float(), reduction="none")
    return loss + (told * (whole >= 0)).sum() / len(batch)


def fit(
    start: Reader,
    passes: Sequence[Sequence[Example]],
    recipe: Recipe,
    report: Callable[[int, int, float, Reader], None],
) -> Reader:
    """One stage over the passes in turn; the averaged model. `report(step, steps, loss, averaged)` sees every step."""
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.threads)
    torch.use_deterministic_algorithms(True)
    generator = random.Random(recipe.seed)
    model = Reader(len(start.layers), recipe.frozen)
    model.load_state_dict(start.state_dict())
    averaged = copy.deepcopy(model)
    weights = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
    groups = [
        {"params": [weight for name, weight in weights if "head" not in name], "lr": recipe.rate},
        {"params": [weight for name, weight in weights if "head" in name], "lr": recipe.head_rate},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    order = [batch for examples in passes for batch in batches(examples, recipe.tokens, generator)]

    def rate(step: int) -> float:
        return min((step + 1) / recipe.warmup, 0.03 + 0.97 * (len(order) - step) / len(order))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
    for step, batch in enumerate(order, start=1):
        sentences, answered = model(*tensors(batch))
        loss = loss_of(sentences, answered, batch)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_([weight for _, weight in weights], 1.0)
        optimiser.step()
        schedule.step()
        blend(averaged, model, min(recipe.average, step / (step + 10)))
        report(step, len(order), loss.item(), averaged)
    return averaged


def blend(kept: Reader, other: Reader, share: float) -> None:
    """Weights of `kept` become `share` of themselves and the rest of `other`'s."""
    with torch.no_grad():
        for old, new in zip(kept.parameters(), other.parameters(), strict=True):
            if new.requires_grad:
                old.lerp_(new, 1.0 - share)
