"""The shipped networks answer as MediaPipe's TFLite files do."""

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
import tflite
from onnx import TensorProto, helper

from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_train.ablation.outline import with_outline
from tools.convert_landmarks.builder import OnnxBuilder
from tools.convert_landmarks.models import MODELS, OUTLINE, OUTLINE_OF, LandmarkModel
from tools.convert_landmarks.operators import TRANSLATORS, Context
from tools.convert_landmarks.reader import Operator, TfliteGraph, read_tflite
from tools.convert_landmarks.sparsity import densify
from tools.record_networks import STEP, waves

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "runtime/pixie_runtime/assets/landmarks"
GOLDEN = ROOT / "tests/golden/landmark_networks.npz"
NONE = tflite.ActivationFunctionType.NONE

Array = npt.NDArray[Any]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_shipped_network_answers_as_the_tflite_interpreter(
    model: LandmarkModel,
) -> None:
    with (
        OnnxRuntimeEngine(SHIPPED / f"{model.name}.onnx") as engine,
        np.load(GOLDEN) as golden,
    ):
        side = engine.input_shapes["image"][1]
        assert isinstance(side, int)
        answer = engine.infer({"image": waves(side)})
        for output in model.outputs:
            expected = golden[f"{model.name}/{output.name}"]
            found = answer[output.name].ravel()[::STEP]
            scale = max(float(np.abs(expected).max()), 1e-3)
            assert np.abs(found - expected).max() / scale < 1e-4, output.name


@pytest.mark.parametrize("name", ["hand_recrop", "hand_landmark_full", "iris_landmark"])
def test_two_at_once_are_as_one_by_one(name: str) -> None:
    with OnnxRuntimeEngine(SHIPPED / f"{name}.onnx") as engine:
        side = engine.input_shapes["image"][1]
        assert isinstance(side, int)
        first = waves(side)
        second = np.ascontiguousarray(first[:, ::-1])
        both = engine.infer({"image": np.concatenate([first, second])})
        for row, image in enumerate((first, second)):
            alone = engine.infer({"image": image})
            for output, values in alone.items():
                np.testing.assert_allclose(both[output][row], values[0], atol=1e-3)


def test_manifest_names_every_file_with_its_hash_licence_and_source() -> None:
    manifest = json.loads((SHIPPED / "manifest.json").read_text("utf-8"))
    assert manifest["licence"] == "Apache-2.0"
    assert set(manifest["models"]) == {model.name for model in MODELS}
    for entry in (*manifest["models"].values(), *manifest["int8"].values()):
        content = (SHIPPED / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    for entry in manifest["models"].values():
        assert entry["source"].startswith("mediapipe/modules/")


def test_all_networks_together_stay_below_26_megabytes() -> None:
    assert sum(f.stat().st_size for f in SHIPPED.glob("*.onnx")) < 26e6


def test_with_its_branch_the_body_s_network_outlines_as_the_tflite_interpreter() -> (
    None
):
    model = onnx.load(SHIPPED / f"{OUTLINE_OF}.onnx")
    with_outline(model)
    onnx.checker.check_model(model, full_check=True)
    with (
        OnnxRuntimeEngine(model.SerializeToString()) as engine,
        np.load(GOLDEN) as golden,
    ):
        found = engine.infer({"image": waves(256)})[OUTLINE.name].ravel()[::STEP]
        expected = golden[f"{OUTLINE_OF}/{OUTLINE.name}"]
    assert np.abs(found - expected).max() / np.abs(expected).max() < 1e-4


def test_nothing_live_computes_the_outline() -> None:
    graph = onnx.load(SHIPPED / "pose_landmark_full.onnx").graph
    assert [output.name for output in graph.output] == [
        "landmarks",
        "score",
        "heatmaps",
        "world",
    ]


def test_something_else_than_tflite_is_refused() -> None:
    with pytest.raises(ValueError, match="TFL3 is missing"):
        read_tflite(b"certainly not a network")


def run_one(
    kind: str,
    picture: Array,
    constants: dict[int, Array],
    output_shape: tuple[int, ...],
    **options: int,
) -> Array:
    """Translate one operator on an NHWC picture and run it."""
    tensors = 1 + len(constants)
    shapes = [picture.shape, *(c.shape for c in constants.values()), output_shape]
    operator = Operator(kind, tuple(range(tensors)), tensors, options)
    names = tuple(map(str, range(tensors + 1)))
    graph = TfliteGraph(names, tuple(shapes), constants, (operator,), (0,), (tensors,))
    builder = OnnxBuilder()
    values = {0: builder.node("Transpose", "x", perm=[0, 3, 1, 2])}
    context = Context(graph, builder, values, {})
    context.values[tensors] = TRANSLATORS[kind](context, operator)
    builder.node("Identity", context.nhwc(tensors), output="y")
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, picture.shape)]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, output_shape)]
    model = builder.model("one", inputs, outputs)
    with OnnxRuntimeEngine(model.SerializeToString()) as engine:
        return engine.infer({"x": picture})["y"]


def picture_of_noise(*shape: int) -> Array:
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def test_prelu_keeps_what_is_positive_and_scales_the_rest() -> None:
    x = picture_of_noise(1, 4, 5, 3)
    slope = np.array([[[0.25, -0.5, 2.0]]], np.float32)
    y = run_one("PRELU", x, {1: slope}, x.shape)
    np.testing.assert_allclose(y, np.where(x > 0, x, slope * x), atol=1e-6)


def test_same_padding_puts_the_odd_row_below_and_to_the_right() -> None:
    x = picture_of_noise(1, 4, 4, 1)
    kernel = np.ones((1, 3, 3, 1), np.float32)
    bias = np.zeros(1, np.float32)
    options = {
        "Padding": tflite.Padding.SAME,
        "StrideH": 2,
        "StrideW": 2,
        "DilationHFactor": 1,
        "DilationWFactor": 1,
        "FusedActivationFunction": NONE,
    }
    y = run_one("CONV_2D", x, {1: kernel, 2: bias}, (1, 2, 2, 1), **options)
    padded = np.pad(x[0, :, :, 0], ((0, 1), (0, 1)))
    expected = [[padded[r : r + 3, c : c + 3].sum() for c in (0, 2)] for r in (0, 2)]
    np.testing.assert_allclose(y[0, :, :, 0], expected, atol=1e-5)


def test_half_precision_weights_are_stored_as_such_and_used_in_single() -> None:
    builder = OnnxBuilder()
    weight = builder.weight(np.array([1.5, -2.25], np.float16))
    builder.node("Mul", "x", weight, output="y")
    value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [2]) for n in "xy"]
    model = builder.model("half", [value[0]], [value[1]])
    assert model.graph.initializer[0].data_type == TensorProto.FLOAT16
    with OnnxRuntimeEngine(model.SerializeToString()) as engine:
        y = engine.infer({"x": np.array([2, 2], np.float32)})["y"]
    np.testing.assert_array_equal(y, [3.0, -4.5])


class Vector:
    """Stands for a flatbuffer vector of numbers behind a union."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers


def dense_level(size: int) -> SimpleNamespace:
    return SimpleNamespace(Format=lambda: 0, DenseSize=lambda: size)


def compressed_level(segments: list[int], indices: list[int]) -> SimpleNamespace:
    return SimpleNamespace(
        Format=lambda: 1,
        DenseSize=lambda: 0,
        ArraySegments=lambda: Vector(segments),
        ArraySegmentsType=lambda: 1,
        ArrayIndices=lambda: Vector(indices),
        ArrayIndicesType=lambda: 1,
    )


def test_sparse_rows_become_dense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "tools.convert_landmarks.sparsity._vector",
        lambda table, kind: np.array(table.numbers, np.int64),
    )
    levels = [dense_level(3), compressed_level([0, 2, 2, 3], [0, 3, 1])]
    sparsity = SimpleNamespace(
        TraversalOrder=lambda i: i,
        TraversalOrderLength=lambda: 2,
        BlockMapLength=lambda: 0,
        DimMetadata=lambda i: levels[i],
        DimMetadataLength=lambda: 2,
    )
    dense = densify(sparsity, (3, 4), np.array([1, 2, 3], np.float32))
    expected = [[1, 0, 0, 2], [0, 0, 0, 0], [0, 3, 0, 0]]
    np.testing.assert_array_equal(dense, expected)
