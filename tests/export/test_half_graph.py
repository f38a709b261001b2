"""16-bit types in a graph, and the same graph with its roundings spelled out."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pixie_export.half_graph import Half, fits, in_half
from pixie_export.rounded_graph import RoundedMaker, rounded
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from tests.export.small_networks import apart, encoder, feature_of, pictures

HALVES: tuple[Half, ...] = ("float16", "bfloat16")
HEAVY = {"first", "first_relu", "second", "residual", "residual_relu", "down", "up"}
HEAVY |= {"joined", "joined_relu", "last", "last_relu", "F_b"}
TYPES = {"float16": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16}


@pytest.mark.parametrize("to", HALVES)
def test_named_nodes_are_typed_and_nothing_else(to: Half) -> None:
    typed = in_half(encoder(), HEAVY, to)
    onnx.checker.check_model(typed, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(typed, strict_mode=True).graph
    types = {v.name: v.type.tensor_type.elem_type for v in inferred.value_info}
    for node in typed.graph.node:
        if node.op_type == "Cast" or node.name == "F_b":
            continue
        expected = TYPES[to] if node.name in HEAVY else TensorProto.FLOAT
        assert types[node.output[0]] == expected, node.name
    ends = (*typed.graph.input, *typed.graph.output)
    assert {v.type.tensor_type.elem_type for v in ends} == {TensorProto.FLOAT}
    weights = {t.name: t.data_type for t in typed.graph.initializer}
    assert weights[f"second.w.{to}"] == TYPES[to]
    assert weights["mean"] == weights["twice"] == TensorProto.FLOAT


@pytest.mark.parametrize(("to", "bits"), [("float16", 11), ("bfloat16", 8)])
def test_roundings_cost_what_the_type_s_bits_say(to: Half, bits: int) -> None:
    model, image = encoder(), pictures()
    expected = feature_of(model, image)
    found = feature_of(rounded(in_half(model, HEAVY, to)), image)
    assert 0.1 * 2**-bits < apart(found, expected) < 10 * 2**-bits


def test_a_graph_without_named_nodes_computes_what_it_did() -> None:
    model, image = encoder(), pictures()
    same = feature_of(rounded(in_half(model, (), "float16")), image)
    np.testing.assert_array_equal(same, feature_of(model, image))


def product_chain() -> onnx.ModelProto:
    """Return x times 300 divided by 256, node by node."""
    nodes = [
        helper.make_node("Mul", ["x", "w"], ["much"], "much"),
        helper.make_node("Mul", ["much", "v"], ["y"], "y"),
    ]
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [1]) for n in "xy")
    weights = [
        numpy_helper.from_array(np.array([value], np.float32), name)
        for name, value in (("w", 300), ("v", 1 / 256))
    ]
    graph = helper.make_graph(nodes, "chain", [x], [y], weights)
    opset = [helper.make_opsetid("", 20)]
    return helper.make_model(graph, opset_imports=opset, ir_version=10)


def test_overflow_is_seen_that_a_cpu_would_not_show() -> None:
    typed = in_half(product_chain(), ["much", "y"], "float16").SerializeToString()
    given = {"x": np.array([1000], np.float32)}
    with OnnxRuntimeEngine(typed) as engine:
        assert np.isfinite(engine.infer(given)["y"])
    with RoundedMaker().open(typed) as engine:
        assert np.isinf(engine.infer(given)["y"])


def test_weights_beyond_float16_are_told_apart() -> None:
    array = np.array([7e4], np.float32)
    assert not fits(array, "float16")
    assert fits(array, "bfloat16")


@pytest.mark.parametrize("to", HALVES)
def test_typed_graphs_build_as_strongly_typed_engines(to: Half) -> None:
    trt = pytest.importorskip("tensorrt_rtx")
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    strongly = 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    network = builder.create_network(strongly)
    parser = trt.OnnxParser(network, logger)
    typed = in_half(encoder(), HEAVY, to).SerializeToString()
    assert parser.parse(typed), parser.get_error(0).desc()
