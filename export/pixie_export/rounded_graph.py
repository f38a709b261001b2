"""A 16-bit ONNX model in float32, with each of its roundings spelled out.

ONNX Runtime on a CPU quietly computes most of a float16 model in float32, without its
roundings and its overflow, and has no bfloat16 convolution at all. To know what a typed
model is worth, every 16-bit result is computed in float32 here, then rounded.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pixie_runtime.engines import Engine
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine

_HALVES = {TensorProto.FLOAT16: ".float16", TensorProto.BFLOAT16: ".bfloat16"}
_SUFFIXES = tuple(_HALVES.values())
_TYPE_OF = {suffix: kind for kind, suffix in _HALVES.items()}
_OPSET = 20


def rounded(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a float32 model that computes what a model of `half_graph` does.

    Args:
        model: its weights loaded.
    """
    nodes = [new for node in model.graph.node for new in _spelled_out(node)]
    graph = helper.make_graph(
        nodes,
        model.graph.name,
        model.graph.input,
        model.graph.output,
        [_single(tensor) for tensor in model.graph.initializer],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=10
    )


def _spelled_out(node: onnx.NodeProto) -> list[onnx.NodeProto]:
    """Return the float32 nodes that compute what a node does, and round it."""
    if node.op_type == "Cast":
        if node.input[0].endswith(_SUFFIXES):
            return [helper.make_node("Identity", node.input, node.output)]
        if node.output[0].endswith(_SUFFIXES):
            return _rounding(node.input[0], node.output[0])
        return [node]
    new = onnx.NodeProto()
    new.CopyFrom(node)
    roundings = []
    for index, name in enumerate(node.output):
        if name.endswith(_SUFFIXES):
            new.output[index] = f"{name}.exact"
            roundings += _rounding(f"{name}.exact", name)
    return [new, *roundings]


def _rounding(exact: str, name: str) -> list[onnx.NodeProto]:
    to = next(_TYPE_OF[suffix] for suffix in _SUFFIXES if name.endswith(suffix))
    return [
        helper.make_node("Cast", [exact], [f"{name}.cut"], to=to),
        helper.make_node("Cast", [f"{name}.cut"], [name], to=TensorProto.FLOAT),
    ]


def _single(tensor: onnx.TensorProto) -> onnx.TensorProto:
    if tensor.data_type not in _HALVES:
        return tensor
    array = numpy_helper.to_array(tensor).astype(np.float32)
    return numpy_helper.from_array(array, tensor.name)


@dataclass(frozen=True, slots=True)
class RoundedMaker:
    """Opens 16-bit networks as `rounded` ones, in ONNX Runtime; an `EngineMaker`."""

    threads: int = 2
    concurrent = True
    int8 = False

    @property
    def description(self) -> str:
        """What will run the networks."""
        return "ONNX Runtime in float32, every 16-bit result rounded"

    def open(self, model: Path | bytes, *, threads: int | None = None) -> Engine:
        """Load a network."""
        typed = (
            onnx.load_from_string(model)
            if isinstance(model, bytes)
            else onnx.load(model)
        )
        content = rounded(typed).SerializeToString()
        return OnnxRuntimeEngine(content, threads=threads or self.threads)
