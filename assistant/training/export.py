"""From trained weights to what ships: an int8 ONNX graph and a calibration."""

# mypy: allow-subclassing-any

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from assistant.selector import Calibration
from assistant.training.bert import Reader

_OPSET = 17  # the newest that the legacy exporter writes
_AXES = {
    "ids": {0: "texts", 1: "tokens"},
    "types": {0: "texts", 1: "tokens"},
    "pool": {0: "texts", 1: "sentences", 2: "tokens"},
    "sentences": {0: "texts", 1: "sentences"},
    "answered": {0: "texts"},
}


class _Unpadded(nn.Module):
    """The reader as it runs: texts of one length, hence no mask."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader

    def forward(self, ids: Tensor, types: Tensor, pool: Tensor) -> tuple[Tensor, Tensor]:
        found: tuple[Tensor, Tensor] = self.reader(ids, types, torch.ones_like(ids), pool)
        return found


def export(model: Reader, target: Path) -> None:
    """Write `model` to `target` as ONNX, weights and embeddings quantised to int8, activations at run time.

    The legacy exporter, because the newer one's graphs are not quantised whole.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    ids = torch.randint(1000, 2000, (2, 24))
    pool = torch.zeros(2, 3, 24)
    for row in range(3):
        pool[:, row, 5 + 5 * row : 10 + 5 * row] = 0.2
    with tempfile.TemporaryDirectory() as folder:
        plain, prepared = Path(folder) / "plain.onnx", Path(folder) / "prepared.onnx"
        torch.onnx.export(
            _Unpadded(model).eval(),
            (ids, torch.zeros_like(ids), pool),
            str(plain),
            dynamo=False,
            opset_version=_OPSET,
            input_names=["ids", "types", "pool"],
            output_names=["sentences", "answered"],
            dynamic_axes=_AXES,
        )
        quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
        quantize_dynamic(str(prepared), str(target), weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)


def calibrate(logits: Sequence[float], labels: Sequence[float], steps: int = 50) -> Calibration:
    """Platt's logistic fit of labels on logits, by Newton's method. Platt 1999, with his smoothed targets."""
    x = np.asarray(logits, dtype=np.float64)
    y = np.asarray(labels, dtype=np.float64)
    positives = y.sum()
    target = np.where(y > 0, (positives + 1) / (positives + 2), 1 / (len(y) - positives + 2))
    design = np.stack([x, np.ones_like(x)], axis=1)
    weights = np.array([1.0, 0.0])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-design @ weights))
        gradient = design.T @ (target - p)
        curvature = design.T @ (design * (p * (1 - p))[:, None]) + 1e-9 * np.eye(2)
        weights = weights + np.linalg.solve(curvature, gradient)
    return Calibration(slope=float(weights[0]), intercept=float(weights[1]))
