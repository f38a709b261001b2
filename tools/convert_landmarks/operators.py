"""How each TFLite operator is said in ONNX.

Pictures are NHWC in TFLite and NCHW here, which is what ONNX Runtime's blocked
convolutions (NCHWc) start from; transposes appear only where a picture becomes a list
of boxes. Semantics: TensorFlow Lite's reference kernels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tflite

from tools.convert_landmarks.builder import Array, OnnxBuilder
from tools.convert_landmarks.reader import Operator, TfliteGraph

_NCHW_AXIS = {0: 0, 1: 2, 2: 3, 3: 1}


@dataclass(frozen=True, slots=True)
class Context:
    """What the translators share while one graph is converted."""

    graph: TfliteGraph
    builder: OnnxBuilder
    values: dict[int, str]
    """ONNX name of each tensor computed so far."""
    pads: dict[int, tuple[int, int, int, int]]
    """Zero borders (top, left, bottom, right) that the next convolution takes over."""

    def value(self, tensor: int) -> str:
        """Return the ONNX name of a tensor, storing it if it is a constant."""
        if tensor not in self.values:
            array = self.graph.constants[tensor]
            if array.ndim == 4:
                array = array.transpose(0, 3, 1, 2)
            elif array.ndim == 3:
                array = array.transpose(2, 0, 1)
            self.values[tensor] = self.builder.weight(array)
        return self.values[tensor]

    def nhwc(self, tensor: int) -> str:
        """Return a tensor's value in TFLite's own order of axes."""
        value = self.value(tensor)
        if len(self.graph.shapes[tensor]) == 4:
            return self.builder.node("Transpose", value, perm=[0, 2, 3, 1])
        return value

    def activated(self, value: str, operator: Operator) -> str:
        """Apply the activation that TFLite fuses into an operator."""
        kind = operator.options["FusedActivationFunction"]
        if kind == tflite.ActivationFunctionType.NONE:
            return value
        if kind == tflite.ActivationFunctionType.RELU:
            return self.builder.node("Relu", value)
        if kind == tflite.ActivationFunctionType.RELU6:
            zero, six = (self.builder.constant(np.float32(v)) for v in (0, 6))
            return self.builder.node("Clip", value, zero, six)
        raise NotImplementedError(f"fused activation {kind} of {operator.kind}")


def _same_pads(
    size: tuple[int, ...], kernel: tuple[int, int], stride: tuple[int, int]
) -> tuple[int, int, int, int]:
    totals = [
        max((-(-n // s) - 1) * s + k - n, 0)
        for n, k, s in zip(size, kernel, stride, strict=True)
    ]
    top, left = totals[0] // 2, totals[1] // 2
    return top, left, totals[0] - top, totals[1] - left


def _window(
    context: Context, operator: Operator, kernel: tuple[int, int]
) -> dict[str, Any]:
    """Return the attributes that a convolution or pooling has in ONNX."""
    source = operator.inputs[0]
    options = operator.options
    if any(options.get(f"Dilation{axis}Factor", 1) != 1 for axis in "HW"):
        raise NotImplementedError(f"dilated {operator.kind}")
    stride = (options["StrideH"], options["StrideW"])
    pads = context.pads.get(source, (0, 0, 0, 0))
    if options["Padding"] == tflite.Padding.SAME:
        size = context.graph.shapes[source][1:3]
        same = _same_pads(size, kernel, stride)
        top, left, bottom, right = (a + b for a, b in zip(pads, same, strict=True))
        pads = (top, left, bottom, right)
    return {
        "kernel_shape": list(kernel),
        "strides": list(stride),
        "pads": list(pads),
    }


def _convolution(context: Context, operator: Operator) -> str:
    weights = context.graph.constants[operator.inputs[1]]
    depthwise = operator.kind == "DEPTHWISE_CONV_2D"
    weights = weights.transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2))
    bias = [context.builder.weight(context.graph.constants[operator.inputs[2]])]
    source = operator.inputs[0]
    value = context.builder.node(
        "Conv",
        context.value(source),
        context.builder.weight(weights),
        *bias,
        group=context.graph.shapes[source][3] if depthwise else 1,
        **_window(context, operator, weights.shape[2:]),
    )
    return context.activated(value, operator)


def _max_pool(context: Context, operator: Operator) -> str:
    kernel = (operator.options["FilterHeight"], operator.options["FilterWidth"])
    return context.builder.node(
        "MaxPool",
        context.value(operator.inputs[0]),
        **_window(context, operator, kernel),
    )


def _add(context: Context, operator: Operator) -> str:
    value = context.builder.node("Add", *map(context.value, operator.inputs))
    return context.activated(value, operator)


def _prelu(context: Context, operator: Operator) -> str:
    """Say PRelu so that blocked convolutions need not stop for it.

    ONNX Runtime has no PRelu on its blocked layout and would reorder every picture
    twice. Relu(x) + slope * -Relu(-x) with the products as 1x1 depthwise convolutions
    stays blocked, and the sum is fused into the last one.
    """
    builder = context.builder
    value = context.value(operator.inputs[0])
    slope = context.graph.constants[operator.inputs[1]].reshape(-1, 1, 1, 1)
    channels = len(slope)
    minus_one = builder.weight(np.full_like(slope, -1))
    negated = builder.node("Conv", value, minus_one, group=channels)
    below = builder.node("Relu", negated)
    scaled = builder.node("Conv", below, builder.weight(-slope), group=channels)
    return builder.node("Add", scaled, builder.node("Relu", value))


def _pad(context: Context, operator: Operator) -> str:
    source, amounts = operator.inputs
    before_after: Array = context.graph.constants[amounts].astype(np.int64)
    before, after = before_after[[0, 3, 1, 2]].T
    readers = [o for o in context.graph.operators if operator.output in o.inputs]
    if not (before[:2].any() or after[:2].any()) and all(
        o.kind in ("CONV_2D", "DEPTHWISE_CONV_2D") for o in readers
    ):
        context.pads[operator.output] = (*before[2:].tolist(), *after[2:].tolist())
        return context.value(source)
    pads = context.builder.constant(np.concatenate([before, after]))
    return context.builder.node("Pad", context.value(source), pads)


def _reshape(context: Context, operator: Operator) -> str:
    shape = context.graph.shapes[operator.output]
    if len(shape) == 4:
        raise NotImplementedError("RESHAPE into a picture")
    target = context.builder.constant(np.array([0, -1, *shape[2:]], np.int64))
    return context.builder.node("Reshape", context.nhwc(operator.inputs[0]), target)


def _concatenation(context: Context, operator: Operator) -> str:
    rank = len(context.graph.shapes[operator.output])
    axis = operator.options["Axis"] % rank
    return context.builder.node(
        "Concat",
        *map(context.value, operator.inputs),
        axis=_NCHW_AXIS[axis] if rank == 4 else axis,
    )


def _resize(context: Context, operator: Operator) -> str:
    before = context.graph.shapes[operator.inputs[0]][1:3]
    after = context.graph.shapes[operator.output][1:3]
    scales = np.array([1, 1, *(b / a for a, b in zip(before, after, strict=True))])
    if operator.options["AlignCorners"]:
        mode = "align_corners"
    elif operator.options["HalfPixelCenters"]:
        mode = "half_pixel"
    else:
        mode = "asymmetric"
    return context.builder.node(
        "Resize",
        context.value(operator.inputs[0]),
        "",
        context.builder.constant(scales.astype(np.float32)),
        mode="linear",
        coordinate_transformation_mode=mode,
    )


def _depth_to_space(context: Context, operator: Operator) -> str:
    return context.builder.node(
        "DepthToSpace",
        context.value(operator.inputs[0]),
        blocksize=operator.options["BlockSize"],
        mode="DCR",
    )


def _fully_connected(context: Context, operator: Operator) -> str:
    source, weights, bias = operator.inputs
    value = context.builder.node(
        "Gemm",
        context.builder.node("Flatten", context.nhwc(source)),
        context.builder.weight(context.graph.constants[weights]),
        context.builder.weight(context.graph.constants[bias]),
        transB=1,
    )
    return context.activated(value, operator)


def _mean(context: Context, operator: Operator) -> str:
    axes = sorted(int(a) for a in context.graph.constants[operator.inputs[1]].ravel())
    if axes != [1, 2]:
        raise NotImplementedError(f"MEAN over axes {axes}")
    return context.builder.node("GlobalAveragePool", context.value(operator.inputs[0]))


def _strided_slice(context: Context, operator: Operator) -> str:
    """Only the whole picture at a stride: a selection of every n-th row and column."""
    source, begin, end, strides = operator.inputs
    starts = context.graph.constants[begin].astype(np.int64)
    steps = context.graph.constants[strides].astype(np.int64)
    ends = context.graph.constants[end].astype(np.int64)
    shape = np.array(context.graph.shapes[source])
    order = [0, 3, 1, 2]
    ends = np.where(ends == 0, shape, ends)[order]
    ends[0] = np.iinfo(np.int64).max
    return context.builder.node(
        "Slice",
        context.value(source),
        context.builder.constant(starts[order]),
        context.builder.constant(ends),
        context.builder.constant(np.arange(4)),
        context.builder.constant(steps[order]),
    )


def _unary(kind: str) -> Callable[[Context, Operator], str]:
    def translate(context: Context, operator: Operator) -> str:
        return context.builder.node(kind, context.value(operator.inputs[0]))

    return translate


TRANSLATORS: dict[str, Callable[[Context, Operator], str]] = {
    "ADD": _add,
    "CONCATENATION": _concatenation,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "DEPTH_TO_SPACE": _depth_to_space,
    "FULLY_CONNECTED": _fully_connected,
    "LOGISTIC": _unary("Sigmoid"),
    "MAX_POOL_2D": _max_pool,
    "MEAN": _mean,
    "PAD": _pad,
    "PRELU": _prelu,
    "RELU": _unary("Relu"),
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": _resize,
    "STRIDED_SLICE": _strided_slice,
}
