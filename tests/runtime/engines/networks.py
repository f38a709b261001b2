"""Small ONNX networks whose answers are known, for tests of engines."""

from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from pixie_runtime.types import Float32

_OPSET = 17
_IR_VERSION = 9


def model_of(
    nodes: list[NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    weights: dict[str, np.ndarray] | None = None,
    *,
    domain: str = "",
) -> ModelProto:
    """Return a model out of its nodes."""
    kept = [numpy_helper.from_array(a, name) for name, a in (weights or {}).items()]
    graph = helper.make_graph(nodes, "tested", inputs, outputs, kept)
    opsets = [helper.make_opsetid("", _OPSET)]
    if domain:
        opsets.append(helper.make_opsetid(domain, 1))
    return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)


def floats(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    """Return the declaration of a float32 tensor."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def doubling() -> bytes:
    """Return a network of `y` (n, 2), twice its input `x` (n, 2)."""
    nodes = [helper.make_node("Add", ["x", "x"], ["y"])]
    model = model_of(nodes, [floats("x", "n", 2)], [floats("y", "n", 2)])
    return bytes(model.SerializeToString())


def arithmetic() -> bytes:
    """Return a network of `difference`, `a`, `sum` of `b` (n, 3) and `a` (n, 3).

    Neither inputs nor outputs are in the alphabet's order, and one output is an input.
    """
    nodes = [
        helper.make_node("Add", ["b", "a"], ["sum"]),
        helper.make_node("Sub", ["b", "a"], ["difference"]),
        helper.make_node("Identity", ["a"], ["same"]),
    ]
    model = model_of(
        nodes,
        [floats("b", "n", 3), floats("a", "n", 3)],
        [floats("difference", "n", 3), floats("same", "n", 3), floats("sum", "n", 3)],
    )
    return bytes(model.SerializeToString())


def sum_with_three_rows() -> bytes:
    """Return a network of `y` (n, 2), `x` (n, 2) and three rows: it fails for two."""
    nodes = [helper.make_node("Add", ["x", "rows"], ["y"])]
    rows = {"rows": np.ones((3, 2), np.float32)}
    model = model_of(nodes, [floats("x", "n", 2)], [floats("y", "m", 2)], rows)
    return bytes(model.SerializeToString())


def repeated() -> bytes:
    """Return a network of `y`, `x` (n, 2) repeated to a given `shape` (2,)."""
    nodes = [helper.make_node("Expand", ["x", "shape"], ["y"])]
    shape = helper.make_tensor_value_info("shape", TensorProto.INT64, [2])
    model = model_of(nodes, [floats("x", "n", 2), shape], [floats("y", "m", "k")])
    return bytes(model.SerializeToString())


def picture_mean() -> bytes:
    """Return a network of `mean` (1, 3), of a uint8 `image` (1, 8, 8, 3)."""
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, [1, 8, 8, 3])
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels"], ["mean"], axes=[1, 2], keepdims=0),
    ]
    model = model_of(nodes, [image], [floats("mean", 1, 3)])
    return bytes(model.SerializeToString())


def write_layer_with_external_weights(folder: Path) -> tuple[Path, Float32]:
    """Write a linear layer `y = x W` whose weights are in a file beside it."""
    weights = np.linspace(-1, 1, 64 * 32, dtype=np.float32).reshape(64, 32)
    nodes = [helper.make_node("MatMul", ["x", "W"], ["y"])]
    model = model_of(
        nodes, [floats("x", "n", 64)], [floats("y", "n", 32)], {"W": weights}
    )
    file = folder / "layer.onnx"
    onnx.save(
        model,
        str(file),
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    return file, weights


def mystery() -> bytes:
    """Return a network with an operator that nobody has."""
    nodes = [helper.make_node("Mystery", ["x"], ["y"], domain="somebody")]
    model = model_of(
        nodes, [floats("x", "n", 2)], [floats("y", "n", 2)], domain="somebody"
    )
    return bytes(model.SerializeToString())
