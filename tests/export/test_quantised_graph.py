"""Quantise-dequantise pairs: where they stand, and what engines make of them."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from pixie_export.activation_ranges import activation_ranges
from pixie_export.quantised_graph import (
    Dialect,
    Range,
    observed,
    quantisable,
    quantised,
)
from pixie_export.small_weights import with_small_weights
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from tests.export.small_networks import (
    apart,
    convolution,
    encoder,
    feature_of,
    pictures,
    spelt_out,
)

DIALECTS: tuple[Dialect, ...] = ("cpu", "tensorrt")
EVERYTHING = ("first", "second", "residual", "down", "up", "joined", "last")


@pytest.fixture(scope="module")
def ranges() -> dict[str, Range]:
    model = encoder()
    shown = [{"image": picture[None]} for picture in pictures(8)]
    return activation_ranges(model, observed(model), shown, threads=1)


def kinds(model: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node)


def test_convolutions_and_what_joins_them_can_be_quantised() -> None:
    assert quantisable(encoder()) == EVERYTHING


@pytest.mark.parametrize("dialect", DIALECTS)
def test_eight_bits_cost_a_few_hundredths(
    ranges: dict[str, Range], dialect: Dialect
) -> None:
    model, image = encoder(), pictures(seed=1)
    found = quantised(model, ranges, EVERYTHING, dialect)
    onnx.checker.check_model(found, full_check=True)
    expected = feature_of(model, image)
    assert 1e-4 < apart(feature_of(found, image), expected) < 0.05


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("groups", [1, 2, 8])
def test_in_the_mean_rounding_weights_moves_no_channel(
    groups: int, dialect: Dialect
) -> None:
    """One weight is so large that all others of its channel are rounded to nothing."""
    weights = np.full((16, 8 // groups, 3, 3), 0.4, np.float32)
    weights[:, 0, 0, 0] = 127
    constants = {"w": weights, "b": np.linspace(-1, 1, 16, dtype=np.float32)}
    model = convolution(32, constants, group=groups)
    brightest = np.linspace(0.3, 1, 8)[:, None, None]
    picture = np.random.default_rng(0).uniform(0, brightest, (1, 8, 32, 32))
    inputs = {"image": picture.astype(np.float32)}
    known = activation_ranges(model, observed(model), [inputs], threads=1)
    known["c"] = Range(-150, 150)  # Nothing is cut off.
    unknown = {name: replace(found, means=None) for name, found in known.items()}

    def moved(ranges: dict[str, Range]) -> float:
        found = quantised(model, ranges, quantisable(model), dialect)
        off = spelt_out(found, inputs) - spelt_out(model, inputs)
        return float(np.abs(off.mean((0, 2, 3))).max())

    assert moved(known) < 0.1 * moved(unknown)


def test_onnxruntime_computes_everything_between_input_and_pooling_in_integers(
    ranges: dict[str, Range], tmp_path: Path
) -> None:
    found = quantised(encoder(), ranges, EVERYTHING, "cpu")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(found.SerializeToString(), options)
    optimised = kinds(onnx.load(tmp_path / "optimised.onnx"))
    assert optimised["QLinearConv"] == 4
    assert optimised["QLinearAdd"] == 2
    assert optimised["QuantizeLinear"] == optimised["DequantizeLinear"] == 1
    assert optimised["Conv"] == optimised["Add"] == optimised["Relu"] == 0


def test_a_relu6_is_the_ends_of_its_range() -> None:
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 2, 4, 4])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 2, 4, 4])
    weight = numpy_helper.from_array(np.eye(2, dtype=np.float32)[..., None, None], "w")
    ends = [numpy_helper.from_array(np.array(v, np.float32), str(v)) for v in (0, 6)]
    nodes = [
        helper.make_node("Conv", ["image", "w"], ["a"], "first"),
        helper.make_node("Clip", ["a", "0", "6"], ["b"], "relu6"),
        helper.make_node("Conv", ["b", "w"], ["out"], "second"),
    ]
    graph = helper.make_graph(nodes, "two", [image], [out], [weight, *ends])
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9
    )
    ranges = {"image": Range(-10.0, 10.0), "b": Range(0.0, 6.0)}
    found = quantised(model, ranges, ("first", "second"), "cpu")
    assert kinds(found)["Clip"] == 0
    picture = np.linspace(-10, 10, 32, dtype=np.float32).reshape(1, 2, 4, 4)
    with OnnxRuntimeEngine(found.SerializeToString()) as engine:
        answer = engine.infer({"image": picture})["out"]
    np.testing.assert_allclose(answer, picture.clip(0, 6), atol=0.06)


def test_openvino_runs_every_convolution_in_integers(ranges: dict[str, Range]) -> None:
    openvino = pytest.importorskip("openvino")
    found = quantised(encoder(), ranges, EVERYTHING, "cpu")
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(found.SerializeToString()), "CPU")
    computed = [
        node.get_rt_info()["runtimePrecision"].astype(str)
        for node in compiled.get_runtime_model().get_ordered_ops()
        if node.get_rt_info()["layerType"].astype(str) == "Convolution"
    ]
    assert len(computed) == 4
    assert set(computed) <= {"u8", "i8"}


def test_for_tensorrt_everything_is_symmetric_and_biases_are_not_integers(
    ranges: dict[str, Range],
) -> None:
    found = quantised(encoder(), ranges, EVERYTHING, "tensorrt")
    types = {tensor.data_type for tensor in found.graph.initializer}
    assert TensorProto.UINT8 not in types
    assert TensorProto.INT32 not in types
    for tensor in found.graph.initializer:
        if tensor.name.endswith(".zero"):
            assert not numpy_helper.to_array(tensor).any()


def test_for_tensorrt_a_convolution_flows_into_its_sum_unrounded(
    ranges: dict[str, Range],
) -> None:
    found = quantised(encoder(), ranges, EVERYTHING, "tensorrt")
    residual = next(node for node in found.graph.node if node.name == "residual")
    assert list(residual.input) == ["second", "first_relu.dequantised"]


def test_tensorrt_builds_its_dialect_and_not_the_other(
    ranges: dict[str, Range],
) -> None:
    trt = pytest.importorskip("tensorrt_rtx")
    logger = trt.Logger(trt.Logger.INTERNAL_ERROR)
    builder = trt.Builder(logger)
    for dialect in DIALECTS:
        network = builder.create_network(0)
        parser = trt.OnnxParser(network, logger)
        model = quantised(encoder(), ranges, EVERYTHING, dialect)
        assert parser.parse(model.SerializeToString()) == (dialect == "tensorrt")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_node_that_is_not_named_keeps_its_weights(
    ranges: dict[str, Range], dialect: Dialect
) -> None:
    kept = set(EVERYTHING) - {"down", "up"}
    found = quantised(encoder(), ranges, kept, dialect)
    onnx.checker.check_model(found, full_check=True)
    types = {tensor.name: tensor.data_type for tensor in found.graph.initializer}
    assert types["down.w"] == TensorProto.FLOAT
    assert "second.w" not in types
    down = next(node for node in found.graph.node if node.name == "down")
    assert "down.w" in down.input
    image = pictures(seed=1)
    assert apart(feature_of(found, image), feature_of(encoder(), image)) < 0.05


def test_no_node_named_is_the_network_itself(ranges: dict[str, Range]) -> None:
    found = quantised(encoder(), ranges, (), "cpu")
    assert kinds(found) == kinds(encoder())
    image = pictures(seed=1)
    np.testing.assert_array_equal(
        feature_of(found, image), feature_of(encoder(), image)
    )


def test_one_value_in_a_million_does_not_stretch_a_range() -> None:
    image = pictures(1200)
    image[0, 0, 0, 0] = 2.0
    shown = ({"image": picture[None]} for picture in image)
    found = activation_ranges(encoder(), ["image"], shown)["image"]
    assert found.low == 0.0
    assert 0.95 < found.high < 1.2


def test_layers_weights_become_bytes_and_their_results_hardly_change() -> None:
    model, image = encoder(), pictures()
    small = with_small_weights(model)
    onnx.checker.check_model(small, full_check=True)
    types = {tensor.name: tensor.data_type for tensor in small.graph.initializer}
    assert types["head.w.small"] == TensorProto.INT8
    assert "head.w" not in types
    assert 0 < apart(feature_of(small, image), feature_of(model, image)) < 0.01
