"""Layers' weights in 8 bits, their arithmetic in float32.

A regressor multiplies one vector with millions of weights: reading them is all of its
time. Stored as integers they are a quarter to read. They are turned into float32 by
Cast and Mul: OpenVINO recognises the pair and keeps the integers in memory; ONNX
Runtime computes it while loading, and is as fast as before, while DequantizeLinear
would make it compute every weight anew in every run.
"""

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_SMALLEST = 4096


def with_small_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a float32 model whose layers' large weights are 8-bit integers.

    One scale for each output of a layer; a weight that two layers share stays one.
    """
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    layers = dict(_layers(model, weights))
    nodes, small = [], {}
    for node in model.graph.node:
        name = layers.get(node.name)
        new = onnx.NodeProto()
        new.CopyFrom(node)
        if name is not None:
            if name not in small:
                small[name] = _stored(weights[name], axis=_reduced(node))
                nodes += _restoring(name)
            new.input[1] = f"{name}.restored"
        nodes.append(new)
    used = {name for node in nodes for name in node.input}
    kept = [tensor for name, tensor in weights.items() if name in used]
    made = helper.make_graph(
        nodes,
        model.graph.name,
        model.graph.input,
        model.graph.output,
        [*kept, *(tensor for pair in small.values() for tensor in pair)],
    )
    return helper.make_model(
        made, opset_imports=model.opset_import, ir_version=model.ir_version
    )


def _layers(
    model: onnx.ModelProto, weights: dict[str, onnx.TensorProto]
) -> Iterator[tuple[str, str]]:
    """Yield the layers' names with those of their weights."""
    for node in model.graph.node:
        if node.op_type not in ("Gemm", "MatMul") or node.input[1] not in weights:
            continue
        tensor = weights[node.input[1]]
        large = np.prod(tensor.dims) >= _SMALLEST
        if tensor.data_type == TensorProto.FLOAT and large and len(tensor.dims) == 2:
            yield node.name, node.input[1]


def _reduced(node: onnx.NodeProto) -> int:
    """Return the axis of the weights that the layer sums over."""
    transposed = any(a.name == "transB" and a.i for a in node.attribute)
    return 1 if transposed else 0


def _stored(
    tensor: onnx.TensorProto, *, axis: int
) -> tuple[onnx.TensorProto, onnx.TensorProto]:
    array = numpy_helper.to_array(tensor)
    largest = np.abs(array).max(axis=axis, keepdims=True)
    scale = np.asarray(np.maximum(largest, 1e-12) / 127, np.float32)
    small = np.clip(np.rint(array / scale), -127, 127).astype(np.int8)
    return (
        numpy_helper.from_array(small, f"{tensor.name}.small"),
        numpy_helper.from_array(scale, f"{tensor.name}.unit"),
    )


def _restoring(name: str) -> list[onnx.NodeProto]:
    cast, restored = f"{name}.whole", f"{name}.restored"
    return [
        helper.make_node(
            "Cast", [f"{name}.small"], [cast], f"cast {name}", to=TensorProto.FLOAT
        ),
        helper.make_node("Mul", [cast, f"{name}.unit"], [restored], f"scale {name}"),
    ]
