"""ONNX networks of a few layers that have everything encoders have."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.types import Float32

SIDE, CHANNELS = 16, 8


def encoder(seed: int = 0) -> onnx.ModelProto:
    """Return normalisation, residual block, branch of half the size, pooling."""
    random = np.random.default_rng(seed)
    weights: list[onnx.TensorProto] = []

    def weight(name: str, *shape: int) -> str:
        spread = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.1
        array = (random.standard_normal(shape) * spread).astype(np.float32)
        weights.append(numpy_helper.from_array(array, name))
        return name

    def conv(name: str, taken: str, inputs: int, size: int, stride: int) -> None:
        names = [taken, weight(f"{name}.w", CHANNELS, inputs, size, size)]
        names.append(weight(f"{name}.b", CHANNELS))
        pads = [size // 2] * 4
        strides = [stride, stride]
        node = helper.make_node("Conv", names, [name], name, pads=pads, strides=strides)
        nodes.append(node)

    def plain(kind: str, taken: list[str], name: str, **attributes: Any) -> None:
        nodes.append(helper.make_node(kind, taken, [name], name, **attributes))

    for name, value in (("mean", 0.45), ("deviation", 0.225)):
        array = np.full((1, 3, 1, 1), value, np.float32)
        weights.append(numpy_helper.from_array(array, name))
    scales = np.array([1, 1, 2, 2], np.float32)
    weights.append(numpy_helper.from_array(scales, "twice"))
    weights.append(numpy_helper.from_array(np.array([2, 3]), "picture"))
    nodes: list[onnx.NodeProto] = []
    plain("Sub", ["image", "mean"], "centred")
    plain("Div", ["centred", "deviation"], "normal")
    conv("first", "normal", 3, 3, 1)
    plain("Relu", ["first"], "first_relu")
    conv("second", "first_relu", CHANNELS, 3, 1)
    plain("Add", ["second", "first_relu"], "residual")
    plain("Relu", ["residual"], "residual_relu")
    conv("down", "residual_relu", CHANNELS, 3, 2)
    plain("Resize", ["down", "", "twice"], "up", mode="nearest")
    plain("Add", ["up", "residual_relu"], "joined")
    plain("Relu", ["joined"], "joined_relu")
    conv("last", "joined_relu", CHANNELS, 1, 1)
    plain("Relu", ["last"], "last_relu")
    plain("ReduceMean", ["last_relu", "picture"], "pooled", keepdims=0)
    weight("head.w", 600, CHANNELS)
    weight("head.b", 600)
    plain("Gemm", ["pooled", "head.w", "head.b"], "F_b", transB=1)
    shape = ("batch", 3, SIDE, SIDE)
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)
    feature = helper.make_tensor_value_info("F_b", TensorProto.FLOAT, ["batch", 600])
    graph = helper.make_graph(nodes, "encoder", [image], [feature], weights)
    opset = [helper.make_opsetid("", 20)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    return model


def pictures(count: int = 4, seed: int = 0) -> Float32:
    """Return smooth pictures (N, 3, SIDE, SIDE) in [0, 1]."""
    random = np.random.default_rng(seed)
    coarse = random.random((count, 3, SIDE // 4, SIDE // 4), np.float32)
    return coarse.repeat(4, axis=2).repeat(4, axis=3)


def feature_of(model: onnx.ModelProto, image: Float32) -> Float32:
    """Run a model in ONNX Runtime."""
    with OnnxRuntimeEngine(model.SerializeToString(), threads=1) as engine:
        return np.asarray(engine.infer({"image": image})["F_b"], np.float32)


def apart(found: Float32, expected: Float32) -> float:
    """Return the distance of two results over the size of the second."""
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def convolution(
    side: int, constants: Mapping[str, Float32], **attributes: Any
) -> onnx.ModelProto:
    """Return one convolution of a picture, `image` to `c`, and `out`, the same as `c`.

    What is quantised on both sides is what engines compute in integers, hence `out`.

    Args:
        side: of the picture.
        constants: weights (O, I, ...), and biases (O,) if there are any, by name.
        attributes: of the convolution.
    """
    weights, *_ = constants.values()
    size = [1, weights.shape[1] * attributes.get("group", 1), side, side]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, size)
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    nodes = [
        helper.make_node("Conv", ["image", *constants], ["c"], "only", **attributes),
        helper.make_node("MaxPool", ["c"], ["out"], "after", kernel_shape=[1, 1]),
    ]
    held = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "one", [image], [out], held)
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opset, ir_version=9)


def spelt_out(model: onnx.ModelProto, inputs: Mapping[str, Float32]) -> Float32:
    """Return the result in float32, every rounding as the graph has it."""
    options = onnxruntime.SessionOptions()
    every = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.graph_optimization_level = every
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return np.asarray(session.run(None, dict(inputs))[0], np.float32)
