"""From trained weights to what ships: an int8 ONNX graph and a calibration."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from assistant.selector import Calibration
from assistant.training.bert import CrossEncoder

_OPSET = 17  # the newest that the legacy exporter writes


def export(model: CrossEncoder, target: Path) -> None:
    """Write `model` to `target` as ONNX, weights and embeddings quantised to int8, activations at run time.

    The legacy exporter, because the newer one's graphs are not quantised whole.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    model.eval()
    ids = torch.randint(1000, 2000, (2, 24))
    inputs = (ids, torch.zeros_like(ids), torch.ones_like(ids))
    shape = {0: "pairs", 1: "tokens"}
    with tempfile.TemporaryDirectory() as folder:
        plain, prepared = Path(folder) / "plain.onnx", Path(folder) / "prepared.onnx"
        torch.onnx.export(
            model,
            inputs,
            str(plain),
            dynamo=False,
            opset_version=_OPSET,
            input_names=["ids", "types", "mask"],
            output_names=["logits"],
            dynamic_axes={"ids": shape, "types": shape, "mask": shape, "logits": {0: "pairs"}},
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
