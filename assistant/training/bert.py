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

        query, key, value = heads(self.query(states)), heads(self.key(states)), heads(self.value(states))
        if self.training:  # half the time; written out, the graph is one that onnxruntime can fuse
            mixed = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        else:
            weights = torch.softmax(query @ key.transpose(-1, -2) / math.sqrt(HIDDEN // _HEADS) + bias, dim=-1)
            mixed = weights @ value
        context = mixed.transpose(1, 2).reshape(batch, length, HIDDEN)
        states = self.attended_norm(states + self.attended(context))
        return self.output_norm(states + self.narrow(nn.functional.gelu(self.widen(states))))


class Encoder(nn.Module):
    """The embeddings and the lowest `layers` layers of MiniLM."""

    def __init__(self, layers: int, frozen: int = 0) -> None:
        """`frozen`: how many of the lowest layers, with the embeddings, keep their weights in training."""
        super().__init__()
        self.words = nn.Embedding(_VOCABULARY, HIDDEN)
        self.positions = nn.Embedding(_POSITIONS, HIDDEN)
        self.types = nn.Embedding(2, HIDDEN)
        self.embedding_norm = nn.LayerNorm(HIDDEN, eps=_EPSILON)
        self.layers = nn.ModuleList(Layer() for _ in range(layers))
        lowest = [self.words, self.positions, self.types, self.embedding_norm, *list(self.layers)[:frozen]]
        for module in lowest:
            module.requires_grad_(False)

    def states(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """Token ids, segment (0 or 1) and mask (1 = token, 0 = padding), each (batch, length); (batch, length, hidden)."""
        bias = (1.0 - mask[:, None, None, :].to(torch.float32)) * -10000.0
        states = self.words(ids) + self.positions.weight[: ids.shape[1]] + self.types(types)
        states = self.embedding_norm(states)
        for layer in self.layers:
            states = layer(states, bias)
        found: Tensor = states
        return found


class CrossEncoder(Encoder):
    """Does the one text answer the question? A linear head on the first token and the mean of all tokens."""

    def __init__(self, layers: int, frozen: int = 0) -> None:
        super().__init__(layers, frozen)
        self.head = nn.Linear(2 * HIDDEN, 1)

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """Logits (batch,)."""
        states = self.states(ids, types, mask)
        present = mask[:, :, None].to(torch.float32)
        mean = (states * present).sum(dim=1) / present.sum(dim=1)
        logits: Tensor = self.head(torch.cat([states[:, 0], mean], dim=-1))[:, 0]
        return logits


class Reader(Encoder):
    """Which sentences answer the question, and does the text as a whole?

    A sentence is judged by the mean of its tokens, the text by the first token and its likeliest sentences.
    """

    def __init__(self, layers: int, frozen: int = 0) -> None:
        super().__init__(layers, frozen)
        self.sentence_head = nn.Linear(HIDDEN, 1)
        self.answered_head = nn.Linear(2 * HIDDEN, 1)

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor, pool: Tensor) -> tuple[Tensor, Tensor]:
        """`pool` (batch, sentences, length) averages each sentence's tokens, zeros for none. Logits of the sentences
        (batch, sentences) and of the text (batch,)."""
        states = self.states(ids, types, mask)
        means = pool @ states
        sentences = self.sentence_head(means)[:, :, 0]
        absent = (pool.sum(dim=-1) < 0.5).to(torch.float32) * -10000.0
        likely = torch.softmax(sentences + absent, dim=-1)
        best = (likely[:, None, :] @ means)[:, 0]
        answered: Tensor = self.answered_head(torch.cat([states[:, 0], best], dim=-1))[:, 0]
        return sentences, answered

    def start_from(self, pairs: CrossEncoder) -> None:
        """Take over what a model of single sentences has learned, its head included."""
        self.load_state_dict({k: v for k, v in pairs.state_dict().items() if not k.startswith("head.")}, strict=False)
        with torch.no_grad():
            self.sentence_head.weight.copy_(pairs.head.weight[:, HIDDEN:])
            self.sentence_head.bias.copy_(pairs.head.bias)
            self.answered_head.weight.copy_(pairs.head.weight)
            self.answered_head.bias.copy_(pairs.head.bias)


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


def load_pretrained(model: Encoder, weights: Path) -> None:
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
    lacking = {name for name in missing if "head." not in name}
    if lacking:
        raise KeyError(f"{weights} lacks {sorted(lacking)}")
    model.load_state_dict(mine, strict=False)
