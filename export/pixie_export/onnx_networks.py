"""Reading the networks of a bundle as ONNX graphs."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pixie_runtime.bundle import Bundle
from pixie_runtime.errors import BundleError


def load_network(bundle: Bundle, network: str) -> onnx.ModelProto:
    """Return a network with its weights, all of them float32, and its nodes named.

    Raises:
        BundleError: it cannot be read, or has an operator that ONNX does not define.
    """
    path = bundle.path_of(network)
    where = f"bundle {bundle.manifest.name}: the network {network!r}"
    try:
        model = onnx.load(path)
    # Protobuf says what is wrong in exceptions of its own making.
    except Exception as error:
        raise BundleError(
            f"{where} cannot be read ({error}); export the bundle again"
        ) from error
    for node in model.graph.node:
        if node.domain not in ("", "ai.onnx") or not onnx.defs.has(node.op_type):
            raise BundleError(
                f"{where} has the operator {node.domain or 'ai.onnx'}.{node.op_type}, "
                "which cannot be converted; export the bundle again with this version "
                "of pixie-live"
            )
    prepare(model)
    return model


def prepare(model: onnx.ModelProto) -> None:
    """Make every weight float32 and give every node a name, in place."""
    _unfold_stored_weights(model)
    _name_nodes(model)


def _name_nodes(model: onnx.ModelProto) -> None:
    """Give a name to every node that has none of its own, in place."""
    names = {""}
    for node in model.graph.node:
        if node.name in names:
            node.name = f"{node.op_type} {node.output[0]}"
        names.add(node.name)


def _unfold_stored_weights(model: onnx.ModelProto) -> None:
    """Turn weights stored as float16 behind a Cast into float32 ones, in place."""
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    kept, unfolded = [], []
    for node in model.graph.node:
        tensor = stored.get(node.input[0]) if node.op_type == "Cast" else None
        if tensor is None or tensor.data_type != TensorProto.FLOAT16:
            kept.append(node)
            continue
        array = numpy_helper.to_array(tensor).astype(np.float32)
        unfolded.append(numpy_helper.from_array(array, node.output[0]))
    if not unfolded:
        return
    used = {name for node in kept for name in node.input}
    weights = [tensor for name, tensor in stored.items() if name in used]
    graph = model.graph
    whole = helper.make_graph(
        kept, graph.name, graph.input, graph.output, [*weights, *unfolded]
    )
    model.graph.CopyFrom(whole)
