"""Abstracts per CPU-second of MiniLM's forms on the bundled corpus, one window at a time, and agreement with float32.

    python benchmarks/embedding_runtimes.py FLOAT32.onnx [--repeats 3]

`FLOAT32.onnx` comes from `tools/quantise_minilm.py --float32`; with onnx installed, onnxruntime's own dynamic
quantisation of it is measured too. CPU seconds, not wall time, so that a busy machine disturbs less; the best of the
repeats counts.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from assistant.embedding import MiniLM, PassageText, normalise
from assistant.embedding.minilm import MODEL_FILE

WINDOW = 512  # whole abstracts, so that every form reads the same tokens in one run
LEVELS = onnxruntime.GraphOptimizationLevel
Ids = NDArray[np.int64]
Outputs = list[NDArray[np.float32]]


def session(model: bytes, threads: int = 1, level: Any = LEVELS.ORT_ENABLE_ALL, spinning: str = "1") -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = level
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", spinning)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def one_by_one(runner: Any, windows: Sequence[Ids]) -> Outputs:
    return [runner.run(None, {"input_ids": window})[0].mean(axis=(0, 1)) for window in windows]


def in_threads(runner: Any, windows: Sequence[Ids]) -> Outputs:
    """Two Python threads over one single-threaded session."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda window: one_by_one(runner, [window])[0], windows))


def in_batches(runner: Any, windows: Sequence[Ids], size: int) -> Outputs:
    """Neighbours by length, cut to the shortest of their batch: what padding would cost is left out."""
    ordered = sorted(windows, key=lambda window: window.shape[1])
    batches = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    return one_by_one(runner, [np.vstack([w[:, : batch[0].shape[1]] for w in batch]) for batch in batches])


def measure(label: str, run: Callable[[], Outputs], count: int, repeats: int) -> Outputs:
    run()
    cpu, wall, vectors = [], [], []
    for _ in range(repeats):
        clock, started = time.perf_counter(), time.process_time()
        vectors = run()
        cpu.append(time.process_time() - started)
        wall.append(time.perf_counter() - clock)
    print(f"{label:44s} {count / min(cpu):6.1f} a CPU-second  {count / min(wall):6.1f} a second", end="", flush=True)
    return vectors


def agreement(vectors: Outputs, reference: Outputs) -> None:
    cosines = (normalise(np.array(vectors)) * normalise(np.array(reference))).sum(axis=1)
    print(f"  cosine {cosines.mean():.4f}, least {cosines.min():.4f}")


def stock_quantised(float32: Path, per_channel: bool) -> bytes:
    """onnxruntime's own dynamic int8 of the float32 graph."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "int8.onnx"
        quantize_dynamic(
            float32,
            target,
            weight_type=QuantType.QInt8,
            per_channel=per_channel,
            op_types_to_quantize=["MatMul"],
            extra_options={"DefaultTensorType": 1},  # float: our graph names no types in between
        )
        return target.read_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("float32", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    lines = (Path(__file__).parent.parent / "ingest" / "corpus" / "huggingface-papers.txt").read_text("utf-8")
    abstracts = [line for line in lines.splitlines()[2:][1::2] if line]
    windows = [np.array([ids], dtype=np.int64) for ids in token_ids(abstracts)]
    print(f"{len(windows)} abstracts, {np.mean([window.shape[1] for window in windows]):.0f} tokens on average")
    shipped = (files("assistant.models") / MODEL_FILE).read_bytes()
    float32 = options.float32.read_bytes()

    def show(label: str, run: Callable[[], Outputs], reference: Outputs | None) -> Outputs:
        vectors = measure(label, run, len(windows), options.repeats)
        agreement(vectors, reference) if reference and len(reference) == len(vectors) else print()
        return vectors

    runner = session(float32)
    reference = show("float32", lambda: one_by_one(runner, windows), None)
    forms = {"shipped int8": shipped}
    if find_spec("onnx"):
        forms["onnxruntime's dynamic int8"] = stock_quantised(options.float32, per_channel=False)
        forms["onnxruntime's dynamic int8, per channel"] = stock_quantised(options.float32, per_channel=True)
    for name, model in forms.items():
        runner = session(model)
        show(name, lambda runner=runner: one_by_one(runner, windows), reference)  # type: ignore[misc]
    for name in ("ORT_DISABLE_ALL", "ORT_ENABLE_BASIC", "ORT_ENABLE_EXTENDED"):
        runner = session(shipped, level=getattr(LEVELS, name))
        show(f"shipped, {name}", lambda runner=runner: one_by_one(runner, windows), reference)  # type: ignore[misc]
    runner = session(shipped)
    for size in (4, 16):
        show(f"shipped, batches of {size}", lambda size=size: in_batches(runner, windows, size), None)  # type: ignore[misc]
    show("shipped, 2 threads x 1", lambda: in_threads(runner, windows), reference)
    for spinning in ("1", "0"):
        pair = session(shipped, threads=2, spinning=spinning)
        show(f"shipped, 1 x 2 intra-op, spinning {spinning}", lambda pair=pair: one_by_one(pair, windows), reference)  # type: ignore[misc]
    embedder = MiniLM(window=WINDOW)
    passages = [PassageText("", abstract) for abstract in abstracts]
    show("MiniLM.embed_passages", lambda: [r.vector for r in embedder.embed_passages(passages)], reference)


def token_ids(texts: Sequence[str]) -> list[list[int]]:
    from tokenizers import Tokenizer

    from assistant.embedding.minilm import TOKENIZER_FILE

    tokenizer = Tokenizer.from_buffer((files("assistant.models") / TOKENIZER_FILE).read_bytes())
    tokenizer.no_padding()
    tokenizer.enable_truncation(WINDOW)
    return [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]


if __name__ == "__main__":
    main()
