"""A TFLite model to ONNX, with the picture's bytes as input."""

import numpy as np
import onnx
from onnx import TensorProto, helper

from tools.convert_landmarks.builder import OnnxBuilder
from tools.convert_landmarks.models import LandmarkModel, Output
from tools.convert_landmarks.operators import TRANSLATORS, Context
from tools.convert_landmarks.reader import TfliteGraph, read_tflite


def convert(model: LandmarkModel, data: bytes) -> onnx.ModelProto:
    """Return `model` as ONNX.

    Input `image`: (n, S, S, 3) uint8 RGB as a crop comes out of the picture; scaling
    to `model.pixel_range` and the change to NCHW happen inside. Outputs: as named in
    `model.outputs`. Branches that feed none of them are left out.

    Raises:
        ValueError: `data` is not a TFLite file or lacks an output of `model`.
        NotImplementedError: it has an operator that is not translated here.
    """
    context = _translated(model, data)
    batch: str | int = "n" if model.batched else 1
    (source,) = context.graph.inputs
    image = helper.make_tensor_value_info(
        "image", TensorProto.UINT8, [batch, *context.graph.shapes[source][1:]]
    )
    outputs = [_info(output, batch) for output in model.outputs]
    return context.builder.model(model.name, [image], outputs)


def convert_branch(
    model: LandmarkModel, data: bytes, output: Output
) -> onnx.ModelProto:
    """Return what it takes to have one more output of `convert(model, data)`.

    Its inputs are named as values of that graph, and no name of its own is one of
    that graph's: its nodes and weights can be added to it.

    Raises:
        ValueError, NotImplementedError: as `convert`.
    """
    context = _translated(model, data)
    first = context.builder.node_count
    shapes = {
        name: [shape[axis] for axis in (0, 3, 1, 2)]
        for tensor, name in context.values.items()
        if len(shape := context.graph.shapes[tensor]) == 4
    }
    tensor = _tensor_named(context.graph, output.source)
    _translate(context, {tensor}, model.name)
    _declare(context, tensor, output)
    return context.builder.branch(output.name, first, shapes, [_info(output, 1)])


def _translated(model: LandmarkModel, data: bytes) -> Context:
    """Return the graph with all that the model's outputs need."""
    graph = read_tflite(data)
    wanted = [_tensor_named(graph, output.source) for output in model.outputs]
    builder = OnnxBuilder()
    (source,) = graph.inputs
    values = {source: _network_input(builder, model.pixel_range)}
    context = Context(graph, builder, values, {})
    _translate(context, set(wanted), model.name)
    for tensor, output in zip(wanted, model.outputs, strict=True):
        _declare(context, tensor, output)
    return context


def _translate(context: Context, wanted: set[int], name: str) -> None:
    """Translate the operators that tensors need and that are not there yet."""
    for operator in context.graph.needed_for(wanted):
        if operator.output in context.values:
            continue
        if operator.kind not in TRANSLATORS:
            raise NotImplementedError(f"operator {operator.kind} in {name}")
        context.values[operator.output] = TRANSLATORS[operator.kind](context, operator)


def _info(output: Output, batch: str | int) -> onnx.ValueInfoProto:
    shape = [batch, *output.shape]
    return helper.make_tensor_value_info(output.name, TensorProto.FLOAT, shape)


def _tensor_named(graph: TfliteGraph, name: str) -> int:
    for tensor in graph.outputs:
        if graph.names[tensor] == name:
            return tensor
    names = ", ".join(graph.names[i] for i in graph.outputs)
    raise ValueError(f"no output {name!r} in the TFLite file; it has {names}")


def _network_input(builder: OnnxBuilder, pixel_range: tuple[float, float]) -> str:
    low, high = pixel_range
    value = builder.node("Transpose", "image", perm=[0, 3, 1, 2])
    value = builder.node("Cast", value, to=TensorProto.FLOAT)
    scale = builder.constant(np.float32((high - low) / 255))
    value = builder.node("Mul", value, scale)
    return (
        builder.node("Add", value, builder.constant(np.float32(low))) if low else value
    )


def _declare(context: Context, tensor: int, output: Output) -> None:
    value = context.value(tensor) if output.channels_first else context.nhwc(tensor)
    shape = np.array([0, *output.shape], np.int64)
    context.builder.node(
        "Reshape", value, context.builder.constant(shape), output=output.name
    )
