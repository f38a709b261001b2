"""Pictures of bytes as TensorRT takes them: made numbers before anything else.

TensorRT accepts UINT8 only at a network's edge, where a Cast must follow at once; the
landmark models turn the axes round first, which moves a quarter of the bytes. The two
change places here: the same numbers come out.
"""

import onnx
from onnx import ModelProto, NodeProto, TensorProto


def cast_first(model: ModelProto) -> ModelProto:
    """Return `model` with every `Cast(Transpose(byte input))` turned round.

    The model that was given stays as it is.
    """
    changed = ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    nodes = list(graph.node)
    for tensor in graph.input:
        if tensor.type.tensor_type.elem_type != TensorProto.UINT8:
            continue
        for turn in _readers(nodes, tensor.name):
            casts = _readers(nodes, turn.output[0])
            if turn.op_type == "Transpose" and _one_cast(casts):
                _exchange(nodes, turn, casts[0])
    del graph.node[:]
    graph.node.extend(nodes)
    return changed


def _one_cast(readers: list[NodeProto]) -> bool:
    return len(readers) == 1 and readers[0].op_type == "Cast"


def _readers(nodes: list[NodeProto], name: str) -> list[NodeProto]:
    return [node for node in nodes if name in node.input]


def _exchange(nodes: list[NodeProto], turn: NodeProto, cast: NodeProto) -> None:
    """Put the Cast where the Transpose is, and the other way round."""
    between = turn.output[0]
    new_cast = onnx.helper.make_node("Cast", [turn.input[0]], [between], cast.name)
    new_cast.attribute.extend(cast.attribute)
    new_turn = onnx.helper.make_node("Transpose", [between], [cast.output[0]])
    new_turn.name = turn.name
    new_turn.attribute.extend(turn.attribute)
    nodes[nodes.index(turn)] = new_cast
    nodes[nodes.index(cast)] = new_turn
