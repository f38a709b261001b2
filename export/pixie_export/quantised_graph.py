"""A float32 ONNX model with its convolutions in 8 bits: quantise-dequantise pairs.

The pairs say which tensors exist in 8 bits; the engine moves them into the operators
between them (integer convolution with its activation, integer addition, ...). Where
they have to stand for that differs, hence two dialects:

- `cpu` (ONNX Runtime, OpenVINO): activations unsigned with a zero point, so that a ReLU
  is the lower end of the range and disappears, and a ReLU6 both its ends; biases as
  32-bit integers; both terms of a residual sum and every convolution's result
  quantised; weights that processors without VNNI can add up (`weight_steps`).
- `tensorrt` (TensorRT, TensorRT-RTX): activations signed and symmetric; biases float32,
  since its parser refuses them as integers; of a residual sum only the term that is not
  computed by a convolution just before, so that convolution, sum and ReLU are one
  kernel.

Weights are signed, one scale for each output channel, in both. What their rounding
shifts a channel by in the mean is taken off its bias, if the means of what it sees are
known ("bias correction", Nagel et al. 2019, equation 16).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import onnx
from onnx import helper, numpy_helper

from pixie_export.half_graph import float_tensors
from pixie_export.weight_steps import weight_steps
from pixie_runtime.types import Float32, Float64

Dialect = Literal["cpu", "tensorrt"]

_KEEPS_RANGE = {"MaxPool", "Resize"}
"""Operators whose result has the range of what they take."""
_QUANTISED = {"Conv", "Add", "Concat", *_KEEPS_RANGE}
_ACTIVATIONS = {"Relu", "Clip"}
"""Operators that 8 bits do by themselves: the range seen behind them ends where they
cut."""


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """What an activation's 8 bits have to hold."""

    low: float
    high: float
    means: Float32 | None = None
    """Of each channel, (C,), if known: convolutions' biases then make up for what
    rounding weights does to their results in the mean."""


def quantisable(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return the names of the nodes that can compute in 8 bits, in their order.

    Convolutions with fixed weights, and what joins them: sums of two activations,
    pooling, resizing.
    """
    floats = float_tensors(model)
    weights = {tensor.name for tensor in model.graph.initializer}
    reached: set[str] = set()
    found = []
    for node in model.graph.node:
        if node.op_type == "Conv" and node.input[1] in weights:
            reached.update(node.output)
            found.append(node.name)
        elif node.op_type in _ACTIVATIONS and node.input[0] in reached:
            reached.update(node.output)
        elif node.op_type in _QUANTISED - {"Conv"}:
            inputs = [name for name in node.input if name in floats - weights]
            if inputs and reached.issuperset(inputs):
                reached.update(node.output)
                found.append(node.name)
    return tuple(found)


def observed(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return the names of the activations whose ranges `quantised` has to be told."""
    plan = _Plan(model, frozenset(quantisable(model)), "cpu")
    return tuple(plan.tensors)


def quantised(
    model: onnx.ModelProto,
    ranges: Mapping[str, Range],
    nodes: Collection[str],
    dialect: Dialect,
) -> onnx.ModelProto:
    """Return `model` with the named nodes in 8 bits.

    Args:
        model: float32, its weights loaded.
        ranges: of every activation that is `observed`.
        nodes: some or all of those that are `quantisable`.
        dialect: for which engines.
    """
    plan = _Plan(model, frozenset(nodes), dialect)
    writer = _Writer(model, plan, ranges, dialect)
    return writer.written()


class _Plan:
    """Which activations get a pair, and which ReLUs disappear into one."""

    def __init__(
        self, model: onnx.ModelProto, nodes: frozenset[str], dialect: Dialect
    ) -> None:
        self.nodes = nodes
        self._makers = {name: node for node in model.graph.node for name in node.output}
        self._takers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        for node in model.graph.node:
            for name in node.input:
                self._takers[name].append(node)
        outputs = {value.name for value in model.graph.output}
        self.source: dict[str, str] = {}
        """By activation: the one whose scale it has."""
        self.tensors: list[str] = []
        """Those that get a pair, in the graph's order."""
        wanted: dict[str, None] = {}
        for node in model.graph.node:
            if node.name in nodes:
                for name in self._taken(node, dialect):
                    wanted[name] = None
                if dialect == "cpu":
                    wanted[self._after_relu(node.output[0])] = None
        self.tensors = [name for name in wanted if name not in outputs]
        self.removed = {
            maker.output[0]: maker.input[0]
            for name in self.tensors
            if dialect == "cpu"
            and (maker := self._makers.get(name)) is not None
            and maker.op_type in _ACTIVATIONS
            and len(self._takers[maker.input[0]]) == 1
        }
        for name in self.tensors:
            self.source[name] = self._scale_of(name)

    def _taken(self, node: onnx.NodeProto, dialect: Dialect) -> list[str]:
        match node.op_type:
            case "Conv" | "MaxPool" | "Resize":
                return [node.input[0]]
            case "Add" if dialect == "tensorrt":
                return self._beside_convolution(node)
        return [name for name in node.input if name]

    def _beside_convolution(self, node: onnx.NodeProto) -> list[str]:
        """Return what a sum takes except one convolution's own result."""
        fused = next(
            (
                name
                for name in node.input
                if name in self._makers
                and self._makers[name].op_type == "Conv"
                and self._makers[name].name in self.nodes
                and len(self._takers[name]) == 1
            ),
            None,
        )
        return [name for name in node.input if name != fused]

    def _after_relu(self, name: str) -> str:
        """Return what a node's result is used as: the ReLU's, if nothing else is."""
        takers = self._takers[name]
        if len(takers) == 1 and takers[0].op_type in _ACTIVATIONS:
            return str(takers[0].output[0])
        return name

    def _scale_of(self, name: str) -> str:
        maker = self._makers.get(name)
        if maker is not None and maker.op_type in _KEEPS_RANGE:
            return self._scale_of(maker.input[0])
        return name


class _Writer:
    """A graph being written anew with its pairs."""

    def __init__(
        self,
        model: onnx.ModelProto,
        plan: _Plan,
        ranges: Mapping[str, Range],
        dialect: Dialect,
    ) -> None:
        self._model = model
        self._plan = plan
        self._ranges = ranges
        self._signed = dialect == "tensorrt"
        self._whole_biases = dialect == "cpu"
        self._weights = {tensor.name: tensor for tensor in model.graph.initializer}
        self._paired = set(plan.tensors)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def written(self) -> onnx.ModelProto:
        """Return the model."""
        graph = self._model.graph
        for value in graph.input:
            self._pair(value.name)
        for node in graph.node:
            if node.output[0] in self._plan.removed:
                self._pair(node.output[0], of=self._plan.removed[node.output[0]])
                continue
            new = onnx.NodeProto()
            new.CopyFrom(node)
            new.input[:] = [self._read(name) for name in node.input]
            if node.op_type == "Conv" and node.name in self._plan.nodes:
                self._quantise_weights(new, node)
            self._nodes.append(new)
            for name in node.output:
                self._pair(name)
        used = {name for node in self._nodes for name in node.input}
        weights = [t for name, t in self._weights.items() if name in used]
        made = helper.make_graph(
            self._nodes,
            graph.name,
            graph.input,
            graph.output,
            [*weights, *self._constants.values()],
        )
        return helper.make_model(
            made,
            opset_imports=self._model.opset_import,
            ir_version=self._model.ir_version,
        )

    def _read(self, name: str) -> str:
        return f"{name}.dequantised" if name in self._paired else name

    def _pair(self, name: str, *, of: str | None = None) -> None:
        if name not in self._paired:
            return
        parameters = self._scale(name)
        self._nodes += [
            helper.make_node(
                "QuantizeLinear",
                [name if of is None else of, *parameters],
                [f"{name}.quantised"],
                f"quantise {name}",
            ),
            helper.make_node(
                "DequantizeLinear",
                [f"{name}.quantised", *parameters],
                [f"{name}.dequantised"],
                f"dequantise {name}",
            ),
        ]

    def _scale(self, name: str) -> tuple[str, str]:
        """Return the names of an activation's scale and zero point."""
        source = self._plan.source[name]
        scale, zero = f"{source}.scale", f"{source}.zero"
        if scale not in self._constants:
            found = self._ranges[source]
            low, high = min(found.low, 0.0), max(found.high, 0.0, 1e-8)
            if self._signed:
                step, offset = max(-low, high) / 127, np.array(0, np.int8)
            else:
                step = (high - low) / 255
                offset = np.array(round(-low / step), np.uint8)
            self._add(scale, np.array(step, np.float32))
            self._constants[zero] = numpy_helper.from_array(offset, zero)
        return scale, zero

    def _quantise_weights(self, new: onnx.NodeProto, node: onnx.NodeProto) -> None:
        weight = node.input[1]
        scales = self._quantised_weight(weight)
        new.input[1] = f"{weight}.dequantised"
        if len(node.input) > 2:
            new.input[2] = self._written_bias(node, scales)

    def _quantised_weight(self, name: str) -> Float32:
        array = numpy_helper.to_array(self._weights[name])
        if self._signed:
            largest = np.abs(array).max(axis=tuple(range(1, array.ndim)))
            scales = np.asarray(np.maximum(largest, 1e-8) / 127, np.float32)
        else:
            scales = weight_steps(array)
        if f"{name}.quantised" not in self._constants:
            shape = (-1, *[1] * (array.ndim - 1))
            small = np.clip(np.rint(array / scales.reshape(shape)), -127, 127)
            self._dequantise(name, small.astype(np.int8), scales)
        return scales

    def _written_bias(self, node: onnx.NodeProto, scales: Float32) -> str:
        """Write a convolution's bias, corrected; return its name."""
        name = f"{node.input[2]}@{node.name}"
        bias = numpy_helper.to_array(self._weights[node.input[2]])
        bias = bias + self._lost_by_rounding(node, scales)
        if not self._whole_biases:
            self._add(name, np.asarray(bias, np.float32))
            return name
        taken = numpy_helper.to_array(self._constants[self._scale(node.input[0])[0]])
        # The unit of the convolution's sums.
        unit = scales * taken
        limit = float(2**31 - 128)
        small = np.clip(np.rint(bias / unit.astype(np.float64)), -limit, limit)
        self._dequantise(name, small.astype(np.int32), unit)
        return f"{name}.dequantised"

    def _lost_by_rounding(self, node: onnx.NodeProto, scales: Float32) -> Float64:
        """Return what rounding its weights takes off a convolution's channels, (O,)."""
        means = self._ranges[node.input[0]].means
        exact = numpy_helper.to_array(self._weights[node.input[1]]).astype(np.float64)
        if means is None:
            return np.zeros(len(exact))
        small = numpy_helper.to_array(self._constants[f"{node.input[1]}.quantised"])
        shape = (-1, *[1] * (exact.ndim - 1))
        lost = exact - small * scales.reshape(shape)
        # Each group of output channels sees its own group of input channels.
        groups = len(means) // exact.shape[1]
        by_group = lost.reshape(groups, len(exact) // groups, exact.shape[1], -1)
        seen = means.reshape(groups, 1, -1)
        return np.asarray((by_group.sum(-1) * seen).sum(-1).reshape(-1), np.float64)

    def _dequantise(
        self,
        name: str,
        small: np.ndarray[tuple[int, ...], np.dtype[np.signedinteger]],
        scales: Float32,
    ) -> None:
        self._constants[f"{name}.quantised"] = numpy_helper.from_array(
            small, f"{name}.quantised"
        )
        zeros = np.zeros(scales.shape, small.dtype)
        zero = numpy_helper.from_array(zeros, f"{name}.zero")
        self._constants[f"{name}.zero"] = zero
        self._add(f"{name}.scale", scales)
        names = [f"{name}.{part}" for part in ("quantised", "scale", "zero")]
        self._nodes.append(
            helper.make_node(
                "DequantizeLinear",
                names,
                [f"{name}.dequantised"],
                f"dequantise {name}",
                axis=0,
            )
        )

    def _add(self, name: str, array: Float32) -> None:
        self._constants[name] = numpy_helper.from_array(array, name)
