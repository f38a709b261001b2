"""The network `whole`, put together from the networks that it consists of.

Tracing it again would take as long as all others together. Its parts are already
files, and share their weights with it.
"""

from collections.abc import Callable, Mapping, Sequence

import onnx
from onnx import helper

from pixie_runtime.bundle import TensorSpec

PARTS = ("body", "head", "hand", "fuse")
"""The networks that `whole` consists of."""

_LEFT, _RIGHT = "hand/F_left", "hand/F_right"
_WIRES = {
    "body/image": "image_body",
    "head/image": "image_head",
    "fuse/F_b": "body/F_b",
    "fuse/F_f": "head/F_f",
    "fuse/F_left": _LEFT,
    "fuse/F_right": _RIGHT,
    "fuse/present": "present",
    "fuse/rules": "rules",
}
"""What the parts' inputs are called in the whole; both hands are one batch."""


def join_whole(
    parts: Mapping[str, onnx.ModelProto],
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
) -> onnx.ModelProto:
    """Return the network that runs `parts`, named as in `PARTS`, on known crops.

    Args:
        parts: their models; large weights may be elsewhere, and stay there.
        inputs: of the whole: four crops, `present` and `rules`.
        outputs: of the whole: some or all of `fuse`'s.
    """
    wires = {**_WIRES, **{f"fuse/{spec.name}": spec.name for spec in outputs}}
    hands = ["image_left_hand", "image_right_hand"]
    nodes = [helper.make_node("Concat", hands, ["hand/image"], axis=0)]
    initializers = []
    for name in PARTS:
        part = onnx.ModelProto()
        part.CopyFrom(parts[name])
        _rename(part.graph, _Names(name, wires))
        nodes += part.graph.node
        initializers += part.graph.initializer
        if name == "hand":
            halves = [_LEFT, _RIGHT]
            nodes.append(
                helper.make_node("Split", ["hand/F_h"], halves, axis=0, num_outputs=2)
            )
    graph = helper.make_graph(
        nodes, "whole", _values(inputs), _values(outputs), initializers
    )
    fuse = parts["fuse"]
    return helper.make_model(
        graph, opset_imports=fuse.opset_import, ir_version=fuse.ir_version
    )


class _Names:
    """New names for what a part calls its tensors and nodes."""

    def __init__(self, part: str, wires: Mapping[str, str]) -> None:
        self._part = part
        self._wires = wires

    def __call__(self, name: str) -> str:
        """Return the name in the whole; nameless optional inputs stay so."""
        prefixed = f"{self._part}/{name}"
        return self._wires.get(prefixed, prefixed) if name else ""


def _rename(graph: onnx.GraphProto, rename: Callable[[str], str]) -> None:
    for node in graph.node:
        node.name = rename(node.name)
        node.input[:] = [rename(name) for name in node.input]
        node.output[:] = [rename(name) for name in node.output]
        # A graph inside a node could mean tensors of the graph around it.
        assert not any(a.HasField("g") or a.graphs for a in node.attribute)
    for tensor in graph.initializer:
        tensor.name = rename(tensor.name)


def _values(specs: Sequence[TensorSpec]) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(spec.name, onnx.TensorProto.FLOAT, spec.shape)
        for spec in specs
    ]
