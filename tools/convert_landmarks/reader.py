"""Reads a TFLite file into plain values: operators in order, constants as arrays.

Weights stored as float16 (DEQUANTIZE) or sparse (DENSIFY) are resolved here, so that
what remains are the operators that compute something. Schema: TensorFlow Lite's
`schema.fbs`, version 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

from tools.convert_landmarks.sparsity import densify

Array = npt.NDArray[Any]

_DTYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
    tflite.TensorType.INT64: np.int64,
}
_OPERATOR_NAMES = {
    code: name
    for name, code in vars(tflite.BuiltinOperator).items()
    if isinstance(code, int)
}
_CONVOLUTION = (
    "Padding",
    "StrideH",
    "StrideW",
    "DilationHFactor",
    "DilationWFactor",
    "FusedActivationFunction",
)
_OPTIONS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "ADD": (tflite.AddOptions, ("FusedActivationFunction",)),
    "CONCATENATION": (tflite.ConcatenationOptions, ("Axis",)),
    "CONV_2D": (tflite.Conv2DOptions, _CONVOLUTION),
    "DEPTHWISE_CONV_2D": (tflite.DepthwiseConv2DOptions, _CONVOLUTION),
    "DEPTH_TO_SPACE": (tflite.DepthToSpaceOptions, ("BlockSize",)),
    "FULLY_CONNECTED": (tflite.FullyConnectedOptions, ("FusedActivationFunction",)),
    "MAX_POOL_2D": (
        tflite.Pool2DOptions,
        ("Padding", "StrideH", "StrideW", "FilterHeight", "FilterWidth"),
    ),
    "RESIZE_BILINEAR": (
        tflite.ResizeBilinearOptions,
        ("AlignCorners", "HalfPixelCenters"),
    ),
}


@dataclass(frozen=True, slots=True)
class Operator:
    """One operation of the graph, on tensors known by number."""

    kind: str
    """TFLite's name, such as CONV_2D."""
    inputs: tuple[int, ...]
    output: int
    options: Mapping[str, int]
    """The fields of its options table that the converter needs."""


@dataclass(frozen=True, slots=True)
class TfliteGraph:
    """A model of one subgraph."""

    names: tuple[str, ...]
    """Each tensor's name."""
    shapes: tuple[tuple[int, ...], ...]
    """Each tensor's shape, NHWC where it is a picture."""
    constants: Mapping[int, Array]
    """Weights and other fixed tensors, dense, as stored (float16 stays float16)."""
    operators: tuple[Operator, ...]
    """In an order in which they can be computed."""
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def needed_for(self, outputs: set[int]) -> tuple[Operator, ...]:
        """Return the operators on which the tensors `outputs` depend, in order."""
        wanted = set(outputs)
        kept = []
        for operator in reversed(self.operators):
            if operator.output in wanted:
                wanted.update(operator.inputs)
                kept.append(operator)
        return tuple(reversed(kept))


def read_tflite(data: bytes) -> TfliteGraph:
    """Parse a TFLite file; raises ValueError if it is not one."""
    if data[4:8] != b"TFL3":
        raise ValueError("not a TFLite file: the identifier TFL3 is missing")
    model = tflite.Model.GetRootAs(data, 0)
    subgraph = model.Subgraphs(0)
    tensors = [subgraph.Tensors(i) for i in range(subgraph.TensorsLength())]
    constants = {
        i: array
        for i, tensor in enumerate(tensors)
        if (array := _stored(model, tensor)) is not None
    }
    operators = []
    for i in range(subgraph.OperatorsLength()):
        operator = _operator(model, subgraph.Operators(i))
        if operator.kind in ("DEQUANTIZE", "DENSIFY"):
            constants[operator.output] = constants[operator.inputs[0]]
        else:
            operators.append(operator)
    return TfliteGraph(
        names=tuple(t.Name().decode() for t in tensors),
        shapes=tuple(_shape(t) for t in tensors),
        constants=constants,
        operators=tuple(operators),
        inputs=tuple(subgraph.Inputs(i) for i in range(subgraph.InputsLength())),
        outputs=tuple(subgraph.Outputs(i) for i in range(subgraph.OutputsLength())),
    )


def _shape(tensor: Any) -> tuple[int, ...]:
    return tuple(tensor.Shape(i) for i in range(tensor.ShapeLength()))


def _stored(model: Any, tensor: Any) -> Array | None:
    buffer = model.Buffers(tensor.Buffer())
    if buffer.DataLength() == 0:
        return None
    values = np.frombuffer(buffer.DataAsNumpy().tobytes(), _DTYPES[tensor.Type()])
    if tensor.Sparsity() is not None:
        return densify(tensor.Sparsity(), _shape(tensor), values)
    return values.reshape(_shape(tensor))


def _operator(model: Any, operator: Any) -> Operator:
    code = model.OperatorCodes(operator.OpcodeIndex())
    # Old files keep the code in a byte, new ones in an int32; the other is 0.
    kind = _OPERATOR_NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
    options: dict[str, int] = {}
    if kind in _OPTIONS:
        table_type, fields = _OPTIONS[kind]
        table = table_type()
        stored = operator.BuiltinOptions()
        table.Init(stored.Bytes, stored.Pos)
        options = {field: getattr(table, field)() for field in fields}
    inputs = (operator.Inputs(i) for i in range(operator.InputsLength()))
    return Operator(
        kind=kind,
        inputs=tuple(i for i in inputs if i >= 0),
        output=operator.Outputs(0),
        options=options,
    )
