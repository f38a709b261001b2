"""Calibration: in what range a model's activations lie on real pictures, and where.

The largest value ever seen is seldom worth its share of 256 steps: a range may be cut
where that makes the mean squared error of a sample's values smaller.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper

from pixie_export.quantised_graph import Range
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.types import Float32

_SAMPLED = 4096
"""Values of an activation kept of each picture."""
_PICTURES = 4
"""Axes of an activation that has channels: (N, C, H, W)."""
_SHARES = np.linspace(0.5, 1.0, 26)
"""Of the whole range: where it may be cut."""


def activation_ranges(
    model: onnx.ModelProto,
    tensors: Sequence[str],
    inputs: Iterable[Mapping[str, Float32]],
    *,
    threads: int = 2,
) -> dict[str, Range]:
    """Run `model` and return the range of each of its `tensors`, with channels' means.

    Args:
        model: float32, its weights loaded.
        tensors: names of activations or inputs.
        inputs: of single pictures; one after the other.
        threads: cores to use.
    """
    given = {value.name for value in model.graph.input}
    inner = [name for name in tensors if name not in given]
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    outputs = {value.name for value in model.graph.output}
    watched.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        for name in inner
        if name not in outputs
    )
    collected = {name: _Values() for name in tensors}
    with OnnxRuntimeEngine(watched.SerializeToString(), threads=threads) as engine:
        for feed in inputs:
            found = {**engine.infer(feed), **feed}
            for name, values in collected.items():
                values.add(found[name])
    return {name: values.range() for name, values in collected.items()}


class _Values:
    """A sample of what an activation was, and its extremes."""

    def __init__(self) -> None:
        self._low, self._high = 0.0, 0.0
        self._samples: list[Float32] = []
        self._means: list[Float32] = []

    def add(self, array: Float32) -> None:
        self._low = min(self._low, float(array.min()))
        self._high = max(self._high, float(array.max()))
        if array.ndim == _PICTURES:
            self._means.append(array.mean((0, 2, 3)))
        flat = array.reshape(-1)
        # A stride that no picture's width divides, not every nth column of it.
        self._samples.append(flat[:: max(1, flat.size // _SAMPLED) | 1].copy())

    def range(self) -> Range:
        sample = np.concatenate(self._samples)
        best, least = 1.0, np.inf
        for share in _SHARES:
            error = _error(sample, self._low * share, self._high * share)
            if error <= least:
                best, least = float(share), error
        if not self._means:
            return Range(self._low * best, self._high * best)
        means = np.asarray(np.mean(self._means, axis=0), np.float32)
        return Range(self._low * best, self._high * best, means)


def _error(sample: Float32, low: float, high: float) -> float:
    """Return the mean squared error of a sample in 256 steps from low to high."""
    step = max(high - low, 1e-8) / 255
    zero = np.rint(-low / step)
    steps = np.clip(np.rint(sample / step) + zero, 0, 255) - zero
    return float(np.square(steps * step - sample, dtype=np.float64).mean())
