"""MiniLM in other runtimes and graph forms: CPU time against float32 on onnxruntime, and agreement with it.

    python -m benchmarks.embedding_other_runtimes FLOAT32.onnx [--part runtimes|shapes] [--abstracts 59] [--repeats 3]

`FLOAT32.onnx` comes from `tools/quantise_minilm.py --float32`. Needs onnx; openvino and ctranslate2 are optional, and a row
that cannot be had says why. The rows take turns, one run each per repeat, and each row's ratio is the median over the
repeats of float32's CPU seconds divided by its own in the same repeat: other work on the machine then counts against both.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from assistant.embedding import normalise
from assistant.embedding.minilm import MODEL_FILE
from benchmarks.embedding_runtimes import Ids, Outputs, in_batches, one_by_one, session, stock_quantised, token_ids

LAYERS, HEADS, HIDDEN = 6, 12, 384
CALIBRATION = 20  # the last abstracts calibrate the static form; measure fewer than 40 to keep them apart
Run = Callable[[], Outputs]
Row = tuple[str, Run]


def plain(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network in standard operators only, query, key and value apart: as an exporter would write it."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    constants |= {
        "heads": np.array([0, 0, HEADS, HIDDEN // HEADS], dtype=np.int64),
        "joined": np.array([0, 0, HIDDEN], dtype=np.int64),
        "root": np.float32(np.sqrt(HIDDEN / HEADS)),
        "root2": np.float32(np.sqrt(2)),
        "one": np.float32(1),
        "half": np.float32(0.5),
    }
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        layer, _, part = node.name.partition(".")
        if part == "qkv.product":
            nodes += attention(int(layer), node.input[0], constants)
        elif node.op_type == "Gelu":
            nodes += gelu(node.input[0], node.output[0])
        elif part not in ("qkv", "qkv.split") and node.op_type != "MultiHeadAttention":
            nodes.append(node)
    initialisers = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "plain", model.graph.input, model.graph.output, initialisers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def attention(layer: int, x: str, constants: dict[str, NDArray[Any]]) -> list[onnx.NodeProto]:
    """Self-attention of `x`, from three products to the joined heads."""
    make, nodes = helper.make_node, []
    weights = np.split(constants.pop(f"{layer}.qkv.weight"), 3, axis=1)
    biases = np.split(constants.pop(f"{layer}.qkv.bias"), 3)
    for part, weight, bias, order in zip(
        "qkv", weights, biases, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]), strict=True
    ):
        name = f"{layer}.{part}"
        constants[f"{name}.weight"], constants[f"{name}.bias"] = np.ascontiguousarray(weight), bias
        nodes += [
            make("MatMul", [x, f"{name}.weight"], [f"{name}.product"], name=f"{name}.product"),
            make("Add", [f"{name}.bias", f"{name}.product"], [name], name=name),
            make("Reshape", [name, "heads"], [f"{name}.split"], name=f"{name}.split"),
            make("Transpose", [f"{name}.split"], [f"{name}.turned"], name=f"{name}.turned", perm=order),
        ]
    q, k, v, name = f"{layer}.q.turned", f"{layer}.k.turned", f"{layer}.v.turned", f"{layer}.att"
    return [
        *nodes,
        make("MatMul", [q, k], [f"{name}.raw"], name=f"{name}.raw"),
        make("Div", [f"{name}.raw", "root"], [f"{name}.scaled"], name=f"{name}.scaled"),
        make("Softmax", [f"{name}.scaled"], [f"{name}.weights"], name=f"{name}.weights", axis=-1),
        make("MatMul", [f"{name}.weights", v], [f"{name}.heads"], name=f"{name}.heads"),
        make("Transpose", [f"{name}.heads"], [f"{name}.turned"], name=f"{name}.turned", perm=[0, 2, 1, 3]),
        make("Reshape", [f"{name}.turned", "joined"], [f"{layer}.out.in"], name=f"{name}.joined"),
    ]


def gelu(x: str, name: str) -> list[onnx.NodeProto]:
    make = helper.make_node
    return [
        make("Div", [x, "root2"], [f"{name}.div"], name=f"{name}.div"),
        make("Erf", [f"{name}.div"], [f"{name}.erf"], name=f"{name}.erf"),
        make("Add", [f"{name}.erf", "one"], [f"{name}.add"], name=f"{name}.add"),
        make("Mul", [x, f"{name}.add"], [f"{name}.mul"], name=f"{name}.mul"),
        make("Mul", [f"{name}.mul", "half"], [name], name=f"{name}.half"),
    ]


def onnxruntime_rows(folder: Path, windows: Sequence[Ids], calibration: Sequence[Ids]) -> Iterator[Row]:
    """The plain graph, what onnxruntime's transformer optimiser makes of it, and int8 forms of both."""
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_dynamic, quantize_static
    from onnxruntime.transformers.optimizer import optimize_model

    class Calibration(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime is untyped
        def __init__(self) -> None:
            self.rest = iter(calibration)

        def get_next(self) -> dict[str, Ids] | None:
            window = next(self.rest, None)
            return None if window is None else {"input_ids": window}

    source = folder / "plain.onnx"
    optimised = optimize_model(str(source), model_type="bert", num_heads=HEADS, hidden_size=HIDDEN, opt_level=0)
    optimised.save_model_to_file(str(folder / "optimised.onnx"))
    print("fused by the optimiser:", {k: n for k, n in optimised.get_fused_operator_statistics().items() if n})
    quantize_dynamic(
        folder / "optimised.onnx",
        folder / "optimised-int8.onnx",
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=["MatMul", "Attention"],
        extra_options={"DefaultTensorType": 1},
    )
    (folder / "plain-int8.onnx").write_bytes(stock_quantised(source, per_channel=True))
    quantize_static(
        source,
        folder / "static.onnx",
        Calibration(),
        per_channel=True,
        op_types_to_quantize=["MatMul"],
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True, "DefaultTensorType": 1},
    )
    names = {
        "plain": "float32, plain graph",
        "optimised": "float32, transformer optimiser",
        "optimised-int8": "transformer optimiser, then dynamic int8",
        "plain-int8": "plain graph, then dynamic int8",
        "static": "plain graph, static int8",
    }
    for file, label in names.items():
        runner = session((folder / f"{file}.onnx").read_bytes())
        yield label, lambda runner=runner: one_by_one(runner, windows)  # type: ignore[misc]


def openvino_rows(folder: Path, windows: Sequence[Ids]) -> Iterator[Row]:
    if not find_spec("openvino"):
        print("OpenVINO: not installed, rows left out")
        return
    import openvino

    def run(compiled: Any) -> Outputs:
        request = compiled.create_infer_request()
        return [request.infer({"input_ids": window})[0].mean(axis=(0, 1)) for window in windows]

    trials = [("plain", "f32"), ("plain", "bf16"), ("plain-int8", "f32"), ("static", "f32"), ("shipped", "f32")]
    for file, precision in trials:
        label = f"OpenVINO {openvino.__version__.split('-')[0]}, {file}, {precision}"
        limits = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": precision}
        try:
            compiled = openvino.Core().compile_model(str(folder / f"{file}.onnx"), "CPU", limits)
        except RuntimeError as error:
            print(f"{label}: cannot be read: {' '.join(str(error).split())[:300]}")
            continue
        yield label, lambda compiled=compiled: run(compiled)  # type: ignore[misc]


def ctranslate2_rows(folder: Path, windows: Sequence[Ids], model: onnx.ModelProto) -> Iterator[Row]:
    if not find_spec("ctranslate2"):
        print("CTranslate2: not installed, rows left out")
        return
    import ctranslate2

    target = folder / "ctranslate2"
    target.mkdir()
    write_ctranslate2({t.name: numpy_helper.to_array(t) for t in model.graph.initializer}, target)
    texts = [window[0].tolist() for window in windows]

    def run(encoder: Any) -> Outputs:
        return [np.array(encoder.forward_batch([ids]).last_hidden_state).mean(axis=(0, 1)) for ids in texts]

    for precision in ("float32", "int8"):
        encoder = ctranslate2.Encoder(str(target), compute_type=precision, inter_threads=1, intra_threads=1)
        label = f"CTranslate2 {ctranslate2.__version__}, {precision}"
        yield label, lambda encoder=encoder: run(encoder)  # type: ignore[misc]


def write_ctranslate2(weights: dict[str, NDArray[Any]], target: Path) -> None:
    """CTranslate2's form of the network, written from the weights: its own converter would need torch."""
    from ctranslate2.specs import Activation, EmbeddingsMerge, TransformerEncoderModelSpec, TransformerEncoderSpec

    encoder = TransformerEncoderSpec(
        LAYERS,
        HEADS,
        pre_norm=False,
        activation=Activation.GELU,
        layernorm_embedding=True,
        num_source_embeddings=2,
        embeddings_merge=EmbeddingsMerge.ADD,
    )
    encoder.scale_embeddings = False
    encoder.embeddings[0].weight = weights["words"]
    encoder.embeddings[1].weight = np.zeros((2, HIDDEN), dtype=np.float32)  # already added to the positions
    encoder.position_encodings.encodings = weights["positions"]

    def norm(spec: Any, name: str) -> None:
        spec.gamma, spec.beta = weights[f"{name}.gain"], weights[f"{name}.shift"]

    def linear(spec: Any, name: str) -> None:
        spec.weight, spec.bias = np.ascontiguousarray(weights[f"{name}.weight"].T), weights[f"{name}.bias"]

    norm(encoder.layernorm_embedding, "embeddings.LayerNorm")
    for index, layer in enumerate(encoder.layer):
        linear(layer.self_attention.linear[0], f"{index}.qkv")
        linear(layer.self_attention.linear[1], f"{index}.out")
        norm(layer.self_attention.layer_norm, f"encoder.layer.{index}.attention.output.LayerNorm")
        linear(layer.ffn.linear_0, f"{index}.up")
        linear(layer.ffn.linear_1, f"{index}.down")
        norm(layer.ffn.layer_norm, f"encoder.layer.{index}.output.LayerNorm")
    spec = TransformerEncoderModelSpec(encoder)
    spec.register_vocabulary([str(index) for index in range(len(weights["words"]))])
    spec.config.unk_token = "100"
    spec.validate()
    spec.save(str(target))


def shape_rows(shipped: bytes, windows: Sequence[Ids]) -> Iterator[Row]:
    """The shipped form in batches and with threads. Padding has no mask here: its price is measured, not its vectors."""
    runner = session(shipped)
    for size in (4, 8, 16):
        yield f"shipped, {size} of like length, cut", lambda size=size: in_batches(runner, windows, size)  # type: ignore[misc]
        yield f"shipped, {size} as they come, padded", lambda size=size: padded(runner, windows, size)  # type: ignore[misc]
    pair = [session(shipped), session(shipped)]

    def two_sessions() -> Outputs:
        with ThreadPoolExecutor(2) as pool:
            halves = list(pool.map(one_by_one, pair, (windows[::2], windows[1::2])))
        return [halves[index % 2][index // 2] for index in range(len(windows))]

    yield "shipped, 2 sessions of 1 thread", two_sessions
    for spinning in ("1", "0"):
        two = session(shipped, threads=2, spinning=spinning)
        yield f"shipped, 1 session of 2 threads, spinning {spinning}", lambda two=two: one_by_one(two, windows)  # type: ignore[misc]


def padded(runner: Any, windows: Sequence[Ids], size: int) -> Outputs:
    batches = [windows[start : start + size] for start in range(0, len(windows), size)]
    longest = [max(window.shape[1] for window in batch) for batch in batches]
    filled = [
        np.vstack([np.pad(window, ((0, 0), (0, length - window.shape[1]))) for window in batch])
        for batch, length in zip(batches, longest, strict=True)
    ]
    return one_by_one(runner, filled)


def report(rows: Sequence[Row], repeats: int) -> None:
    """Runs the rows in turn and prints them against the first, which is float32."""
    vectors = [run() for _, run in rows]
    cpu = np.zeros((repeats, len(rows)))
    wall = np.zeros((repeats, len(rows)))
    for turn in range(repeats):
        for index, (_, run) in enumerate(rows):
            clock, started = time.perf_counter(), time.process_time()
            run()
            cpu[turn, index], wall[turn, index] = time.process_time() - started, time.perf_counter() - clock
    reference = normalise(np.array(vectors[0]))
    for index, (label, _) in enumerate(rows):
        rate = len(reference) / median(cpu[:, index])
        ratio, pace = median(cpu[:, 0] / cpu[:, index]), median(wall[:, 0] / wall[:, index])
        line = f"{label:52s} {rate:6.1f} a CPU-second  x{ratio:.2f}  (wall x{pace:.2f})"
        if len(vectors[index]) == len(reference):
            cosines = (normalise(np.array(vectors[index])) * reference).sum(axis=1)
            line += f"  cosine {cosines.mean():.4f}, least {cosines.min():.4f}"
        print(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("float32", type=Path)
    parser.add_argument("--part", choices=("runtimes", "shapes"), default="runtimes")
    parser.add_argument("--abstracts", type=int, help="only the first so many; default all")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    lines = (Path(__file__).parent.parent / "ingest" / "corpus" / "huggingface-papers.txt").read_text("utf-8")
    windows = [
        np.array([ids], dtype=np.int64) for ids in token_ids([line for line in lines.splitlines()[2:][1::2] if line])
    ]
    calibration, windows = windows[-CALIBRATION:], windows[: options.abstracts]
    shipped = (files("assistant.models") / MODEL_FILE).read_bytes()
    model = onnx.load(options.float32)
    float32, int8 = session(options.float32.read_bytes()), session(shipped)
    rows: list[Row] = [
        ("float32", lambda: one_by_one(float32, windows)),
        ("shipped int8", lambda: one_by_one(int8, windows)),
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        onnx.save(plain(model), folder / "plain.onnx")
        (folder / "shipped.onnx").write_bytes(shipped)
        if options.part == "shapes":
            rows += shape_rows(shipped, windows)
        else:
            rows += onnxruntime_rows(folder, windows, calibration)
            rows += openvino_rows(folder, windows)
            rows += ctranslate2_rows(folder, windows, model)
        report(rows, options.repeats)


if __name__ == "__main__":
    main()
