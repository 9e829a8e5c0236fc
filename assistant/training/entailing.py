"""Trains the model of `assistant.checks.entailment`: labelled claims, two stages, an int8 ONNX file.

First pairs of public sets (FEVER, CAD-SNLI, FM2, SciFact, HealthVer, FactCheckGPT), then the claims written by hand.
A claim and its faults stand in one batch, and a margin asks that the faithful one be further on the side of support:
cross-entropy alone learns the topic.
"""

# mypy: allow-subclassing-any

from __future__ import annotations

import copy
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from assistant.checks import entailment, focus
from assistant.training import claim_sets, verifier
from assistant.training.bert import HIDDEN, Encoder, load_pretrained
from assistant.training.claim_sets import Label, LabelledClaim

LAYERS = 6
_CLASS: dict[Label, int] = {"S": 0, "C": 1, "U": 2, "P": 2}
_TOGETHER = 8  # pairs of one group that stay in one batch
_JITTER = 80.0  # characters by which the order by length is shaken
_SMOOTHING = 0.05
_OPSET = 17  # the newest that the legacy exporter writes


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim beside what it is said to rest on. Pairs of one `group` differ little and are told apart by the margin."""

    claim: str
    title: str
    evidence: str
    label: Label
    group: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything besides the data that decides the weights of a stage."""

    rate: float
    warmup: int  # steps
    margin: float  # weight of the margin loss
    average: float  # of the exponential moving average of the weights, which is what is kept; 0 keeps the last ones
    least_rate: float = 0.03  # share of the rate at the end
    most_steps: int | None = None
    size: int = 32  # pairs of a batch, at least
    frozen: int = 1  # layers that keep their weights, the embeddings with them
    threads: int = 2
    seed: int = 0


class Judge(Encoder):
    """Supported, contradicted or neither: a head on the first token and the means of claim and evidence."""

    def __init__(self, layers: int = LAYERS, frozen: int = 0) -> None:
        super().__init__(layers, frozen)
        self.head = nn.Linear(3 * HIDDEN, 3)

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """Logits (batch, 3)."""
        states = self.states(ids, types, mask)

        def mean(of: Tensor) -> Tensor:
            chosen = of[:, :, None].to(torch.float32)
            return (states * chosen).sum(dim=1) / chosen.sum(dim=1).clamp(min=1)

        parts = [states[:, 0], mean((types == 0) & (mask > 0)), mean((types == 1) & (mask > 0))]
        logits: Tensor = self.head(torch.cat(parts, dim=-1))
        return logits


def pair_of(row: LabelledClaim) -> Pair:
    """As `verify` would show it: the sentences in focus, best first."""
    chosen = focus.focus(row.claim, row.evidence)
    text = " ".join(sentence.text for sentence in chosen)
    return Pair(row.claim, row.titles[0] if row.titles else "", text, row.label, f"{row.source}|{row.group}|{text}")


def batches(pairs: Sequence[Pair], size: int, chance: random.Random) -> list[list[Pair]]:
    """One pass in random order: groups stay together, and batches are of similar length."""
    grouped: dict[str, list[Pair]] = {}
    for pair in pairs:
        grouped.setdefault(pair.group, []).append(pair)
    groups = list(grouped.values())
    chance.shuffle(groups)
    groups.sort(key=lambda group: len(group[0].evidence) + chance.random() * _JITTER)
    found: list[list[Pair]] = [[]]
    for group in groups:
        for start in range(0, len(group), _TOGETHER):
            found[-1] += group[start : start + _TOGETHER]
            if len(found[-1]) >= size:
                found.append([])
    found = [batch for batch in found if batch]
    chance.shuffle(found)
    return found


def tensors(tokenizer: Tokenizer, batch: Sequence[Pair]) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, segments and mask, padded to the longest of the batch."""

    def tokens(text: str) -> list[int]:
        found: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return found

    rows = [entailment.window(tokens(pair.claim), tokens(pair.title), tokens(pair.evidence)) for pair in batch]
    width = max(len(ids) for ids, _ in rows)

    def padded(parts: Iterator[list[int]]) -> Tensor:
        return torch.tensor([part + [0] * (width - len(part)) for part in parts])

    return (
        padded(ids for ids, _ in rows),
        padded(types for _, types in rows),
        padded([1] * len(ids) for ids, _ in rows),
    )


def loss_of(logits: Tensor, batch: Sequence[Pair], margin: float) -> Tensor:
    """Cross-entropy, and a margin between the faithful and the faulty claims of a group."""
    classes = torch.tensor([_CLASS[pair.label] for pair in batch])
    loss = functional.cross_entropy(logits, classes, label_smoothing=_SMOOTHING)
    support = logits[:, 0] - torch.logsumexp(logits[:, 1:], dim=-1)
    both = [
        (good, bad)
        for good, one in enumerate(batch)
        for bad, other in enumerate(batch)
        if one.group == other.group and one.label == "S" and other.label != "S"
    ]
    if both and margin:
        good, bad = torch.tensor(both).T
        loss = loss + margin * functional.softplus(1.0 - (support[good] - support[bad])).mean()
    return loss


def fit(
    start: Judge,
    passes: Sequence[Sequence[Pair]],
    tokenizer: Tokenizer,
    recipe: Recipe,
    report: Callable[[int, int, float], None],
) -> Judge:
    """One stage over the passes in turn. The same start, pairs, recipe and versions give the same weights."""
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.threads)
    torch.use_deterministic_algorithms(True)
    chance = random.Random(recipe.seed)
    model = Judge(len(start.layers), recipe.frozen)
    model.load_state_dict(start.state_dict())
    model.train()
    averaged = copy.deepcopy(model)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=recipe.rate, weight_decay=0.01)
    order = [batch for pairs in passes for batch in batches(pairs, recipe.size, chance)]
    steps = len(order)

    def rate(step: int) -> float:
        return min(1.0, (step + 1) / recipe.warmup) * max(recipe.least_rate, 1.0 - step / steps)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
    for step, batch in enumerate(order[: recipe.most_steps], start=1):
        loss = loss_of(model(*tensors(tokenizer, batch)), batch, recipe.margin)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            for kept, new in zip(averaged.parameters(), model.parameters(), strict=True):
                kept.lerp_(new, 1.0 - min(recipe.average, step / (step + 10)))
        report(step, steps, loss.item())
    return averaged


# --- the stages -------------------------------------------------------------------------------------------------------

PUBLIC = Recipe(rate=1.5e-4, warmup=60, margin=0.5, average=0.0, least_rate=0.15, most_steps=600)
WRITTEN = Recipe(rate=1e-4, warmup=40, margin=1.0, average=0.99)
PASSES = 3
_NLI = ("fever_dev", "cad_snli", "fm2", "fever_symmetric")
_LONGEST_PREMISE = 900  # characters
_REPLAYED = 900  # pairs of the public sets in each pass over the written ones
_REPLAYED_GROUP = 6


def train(
    data: Path,
    base: Path,
    nli: Path | None,
    folders: Sequence[Path],
    target: Path,
    say: Callable[[str], None],
    thin: int,
) -> None:
    """Both stages, from the MiniLM weights in `base`; writes `target`. Papers kept back are not seen."""
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    public = public_pairs(data, nli, thin)
    say(f"{len(public)} public pairs")
    model = Judge()
    load_pretrained(model, base / "model.safetensors")
    model = fit(model, [public], tokenizer, PUBLIC, _reporter(say))
    chance = random.Random(WRITTEN.seed)
    passes = written_passes(folders, public, chance, thin)
    say(f"{[len(pairs) for pairs in passes]} written pairs")
    model = fit(model, passes, tokenizer, WRITTEN, _reporter(say))
    export(model, target)


def public_pairs(data: Path, nli: Path | None, thin: int = 1) -> list[Pair]:
    """Of the pairs of `nli` those with a short premise, and the scientific sets."""
    rows = claim_sets.nli(nli, _NLI, sys.maxsize) if nli else []
    rows = [row for row in rows if len(row.evidence[0]) <= _LONGEST_PREMISE]
    for labelled in verifier.public_sets(data, None):
        rows += labelled
    return [replace(pair_of(row), group=f"{row.source}|{row.group}") for row in rows[::thin]]


def written_passes(
    folders: Sequence[Path], public: Sequence[Pair], chance: random.Random, thin: int
) -> list[list[Pair]]:
    """What is learned of the written sets, a list a pass: every claim, and samples of moved citations, whole papers and
    the public sets (SciFact whole)."""

    def seen(rows: Sequence[LabelledClaim]) -> list[Pair]:
        return [pair_of(row) for row in rows[::thin] if not verifier.kept_back(row)]

    cited: list[Pair] = []
    moved: list[Pair] = []
    whole: list[Pair] = []
    for folder in folders:
        claims = claim_sets.handwritten(folder)
        cited += seen(claims)
        moved += seen(verifier.misplaced(claims))
        rows = claim_sets.handwritten(folder, whole=True)
        whole += seen([row for row in rows if row.label in "SC" and row.kind != "other"])
    scifact = [pair for pair in public if pair.group.startswith("scifact|")]
    others = [pair for pair in public if not pair.group.startswith("scifact|")]
    passes = []
    for _ in range(PASSES):
        samples = [*chance.sample(moved, len(moved) // 2), *chance.sample(whole, len(whole) // 3)]
        passes.append([*cited, *samples, *scifact, *_some(others, chance)])
    return passes


def _some(pairs: Sequence[Pair], chance: random.Random) -> list[Pair]:
    grouped: dict[str, list[Pair]] = {}
    for pair in pairs:
        grouped.setdefault(pair.group, []).append(pair)
    groups = list(grouped.values())
    chance.shuffle(groups)
    found: list[Pair] = []
    for group in groups:
        if len(found) > _REPLAYED:
            break
        found += group[:_REPLAYED_GROUP]
    return found


def _reporter(say: Callable[[str], None]) -> Callable[[int, int, float], None]:
    recent: list[float] = []

    def report(step: int, steps: int, loss: float) -> None:
        recent.append(loss)
        if step % 25 == 0 or step == steps:
            say(f"step {step} of {steps}, loss {sum(recent[-50:]) / len(recent[-50:]):.3f}")

    return report


# --- what ships -------------------------------------------------------------------------------------------------------


class _Unpadded(nn.Module):
    """The model as it runs: texts of one length, hence no mask."""

    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self.judge = judge

    def forward(self, ids: Tensor, types: Tensor) -> Tensor:
        found: Tensor = self.judge(ids, types, torch.ones_like(ids))
        return found


def export(model: Judge, target: Path) -> None:
    """Write `model` as ONNX, weights and embeddings in int8, activations quantised at run time."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    ids = torch.randint(1000, 2000, (2, 24))
    types = torch.zeros_like(ids)
    types[:, 10:] = 1
    axes = {"ids": {0: "texts", 1: "tokens"}, "types": {0: "texts", 1: "tokens"}, "logits": {0: "texts"}}
    with tempfile.TemporaryDirectory() as folder:
        plain, prepared = Path(folder) / "plain.onnx", Path(folder) / "prepared.onnx"
        torch.onnx.export(
            _Unpadded(model).eval(),
            (ids, types),
            str(plain),
            dynamo=False,
            opset_version=_OPSET,
            input_names=["ids", "types"],
            output_names=["logits"],
            dynamic_axes=axes,
        )
        quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
        quantize_dynamic(str(prepared), str(target), weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
