"""BERT as a cross-encoder that reads a question and a sentence and gives one logit, in plain torch.

Devlin et al. 2018; the weights are those of all-MiniLM-L6-v2 (Wang et al. 2020). Written out because it is short,
exports to a graph that onnxruntime can fuse, and lets the lower layers be cut or frozen.
"""

# mypy: allow-subclassing-any

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn

HIDDEN = 384
_HEADS = 12
_FEED_FORWARD = 1536
_VOCABULARY = 30522
_POSITIONS = 512
_EPSILON = 1e-12


class Layer(nn.Module):
    """One post-norm transformer layer."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(HIDDEN, HIDDEN)
        self.key = nn.Linear(HIDDEN, HIDDEN)
        self.value = nn.Linear(HIDDEN, HIDDEN)
        self.attended = nn.Linear(HIDDEN, HIDDEN)
        self.attended_norm = nn.LayerNorm(HIDDEN, eps=_EPSILON)
        self.widen = nn.Linear(HIDDEN, _FEED_FORWARD)
        self.narrow = nn.Linear(_FEED_FORWARD, HIDDEN)
        self.output_norm = nn.LayerNorm(HIDDEN, eps=_EPSILON)

    def forward(self, states: Tensor, bias: Tensor) -> Tensor:
        """`states` (batch, length, hidden); `bias` (batch, 1, 1, length) is added to the attention scores."""
        batch, length, _ = states.shape

        def heads(projected: Tensor) -> Tensor:
            return projected.view(batch, length, _HEADS, HIDDEN // _HEADS).transpose(1, 2)

        scores = heads(self.query(states)) @ heads(self.key(states)).transpose(-1, -2)
        weights = torch.softmax(scores / math.sqrt(HIDDEN // _HEADS) + bias, dim=-1)
        context = (weights @ heads(self.value(states))).transpose(1, 2).reshape(batch, length, HIDDEN)
        states = self.attended_norm(states + self.attended(context))
        return self.output_norm(states + self.narrow(nn.functional.gelu(self.widen(states))))


class CrossEncoder(nn.Module):
    """The lowest `layers` layers of MiniLM under a linear head on the first token and the mean of all tokens."""

    def __init__(self, layers: int, frozen: int = 0) -> None:
        """`frozen`: how many of the lowest layers, with the embeddings, keep their weights in training."""
        super().__init__()
        self.words = nn.Embedding(_VOCABULARY, HIDDEN)
        self.positions = nn.Embedding(_POSITIONS, HIDDEN)
        self.types = nn.Embedding(2, HIDDEN)
        self.embedding_norm = nn.LayerNorm(HIDDEN, eps=_EPSILON)
        self.layers = nn.ModuleList(Layer() for _ in range(layers))
        self.head = nn.Linear(2 * HIDDEN, 1)
        self._frozen = frozen
        lowest = [self.words, self.positions, self.types, self.embedding_norm, *list(self.layers)[:frozen]]
        for module in lowest:
            module.requires_grad_(False)

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """Token ids, segment (0 or 1) and mask (1 = token, 0 = padding), each (batch, length); logits (batch,)."""
        bias = (1.0 - mask[:, None, None, :].to(torch.float32)) * -10000.0
        states = self.words(ids) + self.positions.weight[: ids.shape[1]] + self.types(types)
        states = self.embedding_norm(states)
        for layer in self.layers:
            states = layer(states, bias)
        present = mask[:, :, None].to(torch.float32)
        mean = (states * present).sum(dim=1) / present.sum(dim=1)
        logits: Tensor = self.head(torch.cat([states[:, 0], mean], dim=-1))[:, 0]
        return logits


_NAMES = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "attended",
    "attention.output.LayerNorm": "attended_norm",
    "intermediate.dense": "widen",
    "output.dense": "narrow",
    "output.LayerNorm": "output_norm",
}


def load_pretrained(model: CrossEncoder, weights: Path) -> None:
    """Fill everything below the head from a safetensors file of MiniLM-L6; deeper layers of the file are left out."""
    from safetensors.torch import load_file

    published = load_file(weights)
    mine = {
        "words.weight": published["embeddings.word_embeddings.weight"],
        "positions.weight": published["embeddings.position_embeddings.weight"],
        "types.weight": published["embeddings.token_type_embeddings.weight"],
        "embedding_norm.weight": published["embeddings.LayerNorm.weight"],
        "embedding_norm.bias": published["embeddings.LayerNorm.bias"],
    }
    for depth in range(len(model.layers)):
        for theirs, ours in _NAMES.items():
            for kind in ("weight", "bias"):
                mine[f"layers.{depth}.{ours}.{kind}"] = published[f"encoder.layer.{depth}.{theirs}.{kind}"]
    missing = set(model.state_dict()) - set(mine)
    lacking = {name for name in missing if not name.startswith("head.")}
    if lacking:
        raise KeyError(f"{weights} lacks {sorted(lacking)}")
    model.load_state_dict(mine, strict=False)
