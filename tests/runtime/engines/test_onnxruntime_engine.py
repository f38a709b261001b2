from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from pixie_runtime.engines import Engine
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.errors import BundleError


@pytest.fixture
def doubling() -> bytes:
    """A network that returns twice its input."""
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "doubling",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
    )
    opset = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=9)
    return bytes(model.SerializeToString())


def test_network_runs_from_bytes_and_from_a_file(
    doubling: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "doubling.onnx"
    file.write_bytes(doubling)
    x = np.array([[1, 2], [3, 4]], np.float32)
    for source in (doubling, file):
        engine: Engine
        with OnnxRuntimeEngine(source) as engine:
            np.testing.assert_array_equal(engine.infer({"x": x})["y"], 2 * x)


def test_engine_tells_shapes_names_and_what_it_runs_on(doubling: bytes) -> None:
    with OnnxRuntimeEngine(doubling) as engine:
        assert dict(engine.input_shapes) == {"x": ("n", 2)}
        assert engine.output_names == ("y",)
        assert engine.providers == ("CPUExecutionProvider",)


def test_returned_arrays_belong_to_the_caller(doubling: bytes) -> None:
    with OnnxRuntimeEngine(doubling) as engine:
        first = engine.infer({"x": np.ones((1, 2), np.float32)})["y"]
        engine.infer({"x": np.zeros((1, 2), np.float32)})
        np.testing.assert_array_equal(first, [[2, 2]])
        first[:] = 0


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no model file .*gone\.onnx"):
        OnnxRuntimeEngine(tmp_path / "gone.onnx")


@pytest.mark.parametrize("content", [b"", b"not a network"])
def test_damaged_model_is_refused_in_one_sentence(
    content: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "damaged.onnx"
    file.write_bytes(content)
    with pytest.raises(BundleError, match=r"damaged\.onnx is not a model that ONNX"):
        OnnxRuntimeEngine(file)


def test_truncated_model_is_refused(doubling: bytes) -> None:
    with pytest.raises(BundleError, match="given as bytes is not a model"):
        OnnxRuntimeEngine(doubling[: len(doubling) // 2])


def test_model_of_a_later_opset_is_refused(doubling: bytes) -> None:
    model = onnx.load_from_string(doubling)
    model.opset_import[0].version = 999
    with pytest.raises(BundleError, match="is not a model that ONNX Runtime"):
        OnnxRuntimeEngine(model.SerializeToString())


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"x": np.ones((1, 2), np.float32), "z": np.ones(1, np.float32)},
        {"x": np.ones((1, 3), np.float32)},
        {"x": np.ones((1, 2), np.float64)},
    ],
    ids=["missing", "unknown", "wrong shape", "wrong type"],
)
def test_inputs_that_do_not_fit_are_refused(
    doubling: bytes, inputs: dict[str, np.ndarray]
) -> None:
    with OnnxRuntimeEngine(doubling) as engine, pytest.raises(ValueError, match="x"):
        engine.infer(inputs)


def test_closed_engine_says_so(doubling: bytes) -> None:
    engine = OnnxRuntimeEngine(doubling)
    engine.close()
    with pytest.raises(RuntimeError, match="closed"):
        engine.infer({"x": np.ones((1, 2), np.float32)})
