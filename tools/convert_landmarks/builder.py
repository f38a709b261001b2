"""Collects the nodes and weights of an ONNX graph."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

Array = npt.NDArray[Any]

OPSET = 18
IR_VERSION = 9


class OnnxBuilder:
    """Grows a graph node by node; values are known by name."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, onnx.TensorProto] = {}
        self._by_content: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def node(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Append a node of one output and return that output's name."""
        name = output or f"{kind}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, value: npt.ArrayLike) -> str:
        """Store `value` once, as it is, and return its name."""
        array = np.asarray(value, order="C")
        key = (str(array.dtype), array.shape, array.tobytes())
        if key not in self._by_content:
            name = f"constant_{len(self._initializers)}"
            self._initializers[name] = numpy_helper.from_array(array, name)
            self._by_content[key] = name
        return self._by_content[key]

    def weight(self, array: Array) -> str:
        """Store `array` and return the name of its float32 value.

        Float16 stays float16 in the file behind a Cast, which ONNX Runtime folds when
        it loads the model: half the size, the same arithmetic.
        """
        name = self.constant(array)
        if array.dtype != np.float16:
            return name
        cast = f"{name}_float32"
        if not any(cast in node.output for node in self._nodes):
            self.node("Cast", name, output=cast, to=onnx.TensorProto.FLOAT)
        return cast

    @property
    def node_count(self) -> int:
        """How many nodes there are."""
        return len(self._nodes)

    def model(
        self,
        name: str,
        inputs: list[onnx.ValueInfoProto],
        outputs: list[onnx.ValueInfoProto],
    ) -> onnx.ModelProto:
        """Return the finished model, checked."""
        return _model(
            self._nodes, name, inputs, outputs, list(self._initializers.values())
        )

    def branch(
        self,
        name: str,
        first: int,
        shapes: Mapping[str, list[int]],
        outputs: list[onnx.ValueInfoProto],
    ) -> onnx.ModelProto:
        """Return the nodes from the `first` on as a model of their own.

        Its inputs are named as the values of earlier nodes that it takes, whose shapes
        are needed.
        """
        nodes = self._nodes[first:]
        made = {value for node in nodes for value in node.output}
        taken = sorted({v for node in nodes for v in node.input if v} - made)
        inputs = [
            helper.make_tensor_value_info(v, onnx.TensorProto.FLOAT, shapes[v])
            for v in taken
            if v not in self._initializers
        ]
        stored = [self._initializers[v] for v in taken if v in self._initializers]
        return _model(nodes, name, inputs, outputs, stored)


def _model(
    nodes: list[onnx.NodeProto],
    name: str,
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    stored: list[onnx.TensorProto],
) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, name, inputs, outputs, stored)
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="pixie-live convert_landmarks",
    )
    onnx.checker.check_model(model, full_check=True)
    return model
