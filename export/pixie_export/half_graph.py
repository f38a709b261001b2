"""A float32 ONNX model with some of its nodes in 16 bits, strongly typed.

An engine that obeys types (TensorRT's strongly typed networks, TensorRT-RTX) runs it as
it stands; what others make of it is shown by `rounded_graph`.
"""

from collections.abc import Collection
from typing import Literal

import ml_dtypes
import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

Half = Literal["float16", "bfloat16"]

_ONNX_TYPES = {"float16": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16}
_NUMPY_TYPES = {
    "float16": np.dtype(np.float16),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
}
_OPSETS = {"float16": 20, "bfloat16": 22}
"""In opset 22 convolution, pooling and activations learnt bfloat16, and nothing else
that these graphs use changed."""
_HALF_INPUTS = {"Resize": (0,)}
"""Inputs that follow the node's type, where not all float ones do."""
_LARGE = 4096
_LARGEST_FLOAT16 = float(np.finfo(np.float16).max)


def in_half(
    model: onnx.ModelProto, nodes: Collection[str], to: Half
) -> onnx.ModelProto:
    """Return `model` with the named nodes computing in 16 bits.

    Inputs and outputs of the model stay float32. A tensor x in 16 bits is called
    `x.float16` or `x.bfloat16`.

    Args:
        model: float32, its weights loaded.
        nodes: names of the nodes to change.
        to: their type.
    """
    retyping = _Retyping(model, to)
    for node in model.graph.node:
        retyping.add(node, half=node.name in nodes)
    return retyping.finished()


def fits(array: npt.NDArray[np.float32], to: Half) -> bool:
    """Whether no value of `array` is too large for the type."""
    return to == "bfloat16" or not (np.abs(array) > _LARGEST_FLOAT16).any()


def float_tensors(model: onnx.ModelProto) -> frozenset[str]:
    """Return the names of all float32 tensors of a model."""
    old = model.graph
    # Types do not depend on large values, and those are not copied for them.
    small = [t for t in old.initializer if t.ByteSize() <= _LARGE]
    large = [
        helper.make_tensor_value_info(t.name, t.data_type, t.dims)
        for t in old.initializer
        if t.ByteSize() > _LARGE
    ]
    bare = helper.make_model(
        helper.make_graph(old.node, old.name, [*old.input, *large], old.output, small),
        opset_imports=model.opset_import,
        ir_version=model.ir_version,
    )
    inferred = shape_inference.infer_shapes(bare).graph
    values = (*inferred.input, *inferred.value_info, *inferred.output)
    found = {
        value.name
        for value in values
        if value.type.tensor_type.elem_type == TensorProto.FLOAT
    }
    return frozenset(found) | {
        tensor.name
        for tensor in model.graph.initializer
        if tensor.data_type == TensorProto.FLOAT
    }


class _Retyping:
    """A graph being written anew; every tensor has a float32 and a 16-bit name."""

    def __init__(self, model: onnx.ModelProto, to: Half) -> None:
        self._model = model
        self._to = to
        self._type = _ONNX_TYPES[to]
        self._floats = float_tensors(model)
        self._weights = {tensor.name: tensor for tensor in model.graph.initializer}
        self._nodes: list[onnx.NodeProto] = []
        self._halves: dict[str, str] = {}
        self._singles = {value.name for value in model.graph.input} | set(self._weights)
        self._new_weights: dict[str, onnx.TensorProto] = {}

    def add(self, node: onnx.NodeProto, *, half: bool) -> None:
        """Append a node, and the casts of what it takes."""
        new = onnx.NodeProto()
        new.CopyFrom(node)
        follows = _HALF_INPUTS.get(node.op_type, range(len(node.input)))
        for index, name in enumerate(node.input):
            if name in self._floats:
                wanted = half and index in follows
                new.input[index] = self._half(name) if wanted else self._single(name)
        self._nodes.append(new)
        for index, name in enumerate(node.output):
            if name not in self._floats:
                continue
            if half:
                new.output[index] = self._halves[name] = f"{name}.{self._to}"
            else:
                self._singles.add(name)

    def finished(self) -> onnx.ModelProto:
        """Return the model."""
        for value in self._model.graph.output:
            if value.name in self._floats:
                self._single(value.name)
        old = self._model.graph
        used = {name for node in self._nodes for name in node.input}
        weights = [t for name, t in self._weights.items() if name in used]
        graph = helper.make_graph(
            self._nodes,
            old.name,
            old.input,
            old.output,
            [*weights, *self._new_weights.values()],
        )
        opset = helper.make_opsetid("", _OPSETS[self._to])
        return helper.make_model(graph, opset_imports=[opset], ir_version=10)

    def _half(self, name: str) -> str:
        if name not in self._halves:
            half = self._halves[name] = f"{name}.{self._to}"
            if name in self._weights:
                self._new_weights[half] = self._half_weight(name, half)
            else:
                self._cast(name, half, self._type)
        return self._halves[name]

    def _single(self, name: str) -> str:
        if name not in self._singles:
            self._singles.add(name)
            self._cast(self._halves[name], name, TensorProto.FLOAT)
        return name

    def _half_weight(self, name: str, half: str) -> onnx.TensorProto:
        array = numpy_helper.to_array(self._weights[name])
        small = array.astype(_NUMPY_TYPES[self._to])
        tensor = TensorProto(name=half, dims=array.shape, data_type=self._type)
        tensor.raw_data = small.tobytes()
        return tensor

    def _cast(self, name: str, result: str, to: int) -> None:
        node = helper.make_node("Cast", [name], [result], f"cast {result}", to=to)
        self._nodes.append(node)
