"""What a network costs by its graph: multiply-adds and weights."""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from pixie_runtime.errors import MissingExtraError

_PRODUCTS = ("Gemm", "MatMul")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run."""

    macs: float
    """Multiply-adds."""
    weights: float
    """Numbers that they read, whatever their size."""

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.macs + other.macs, self.weights + other.weights)


def graph_cost(path: Path, *, batch: int = 1) -> Cost:
    """Count the convolutions and matrix products of an ONNX file.

    Args:
        path: the file; its external data is not needed.
        batch: size of every free axis.

    Raises:
        MissingExtraError: onnx is not installed.
    """
    try:
        import onnx
    except ImportError:
        raise MissingExtraError("counting a network's operations", "export") from None
    model = onnx.load(str(path), load_external_data=False)
    for value in model.graph.input:
        for axis in value.type.tensor_type.shape.dim:
            if not axis.HasField("dim_value"):
                axis.dim_value = batch
    # Outputs keep their free axes: they would contradict what is inferred.
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    inferred = onnx.shape_inference.infer_shapes(model)
    shapes = _shapes(inferred.graph)
    total = Cost(0, 0)
    for node in inferred.graph.node:
        total += _cost_of(node, shapes)
    return total


def _shapes(graph: Any) -> dict[str, tuple[int, ...]]:
    shapes = {one.name: tuple(one.dims) for one in graph.initializer}
    for value in (*graph.value_info, *graph.input, *graph.output):
        axes = value.type.tensor_type.shape.dim
        shapes[value.name] = tuple(axis.dim_value for axis in axes)
    return shapes


def _cost_of(node: Any, shapes: dict[str, tuple[int, ...]]) -> Cost:
    """Return one node's; nothing for what is neither convolution nor product."""
    if node.op_type not in ("Conv", *_PRODUCTS):
        return Cost(0, 0)
    weight, out = shapes.get(node.input[1], ()), shapes.get(node.output[0], ())
    if len(weight) < 2 or not out:
        return Cost(0, 0)
    if node.op_type == "Conv":
        # Weights are (out, in / groups, height, width): one sum for each output.
        return Cost(prod(out) * prod(weight[1:]), prod(weight))
    inner = shapes.get(node.input[0], ())
    return Cost(prod(out) * (inner[-1] if inner else 0), prod(weight))
