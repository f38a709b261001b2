import mmap
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pixie_export.shared_weights import WEIGHTS_NAME, WeightFile
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.errors import BundleError
from pixie_runtime.types import Float32

N = 32


def weights(seed: int) -> Float32:
    return np.random.default_rng(seed).normal(size=(N, N)).astype(np.float32)


def product_with(*arrays: Float32, raw: bool = True) -> onnx.ModelProto:
    """Return x @ each array, one after the other, plus a small bias."""
    nodes, initializers, name = [], [], "x"
    for index, array in enumerate(arrays):
        tensor = numpy_helper.from_array(array, f"w{index}")
        if not raw:
            tensor = helper.make_tensor(
                f"w{index}", TensorProto.FLOAT, array.shape, array.ravel().tolist()
            )
        initializers.append(tensor)
        nodes.append(helper.make_node("MatMul", [name, f"w{index}"], [f"y{index}"]))
        name = f"y{index}"
    initializers.append(numpy_helper.from_array(np.ones(N, np.float32), "bias"))
    nodes.append(helper.make_node("Add", [name, "bias"], ["y"]))
    graph = helper.make_graph(
        nodes,
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", N])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", N])],
        initializers,
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10
    )


def write(folder: Path, **models: onnx.ModelProto) -> Path:
    folder.mkdir(exist_ok=True)
    with WeightFile(folder / WEIGHTS_NAME) as file:
        for name, model in models.items():
            file.take_from(model)
            (folder / f"{name}.onnx").write_bytes(model.SerializeToString())
    return folder


def test_models_compute_the_same_with_their_weights_outside(tmp_path: Path) -> None:
    a, b = weights(0), weights(1)
    folder = write(tmp_path, one=product_with(a, b), two=product_with(b, a, raw=False))
    x = np.random.default_rng(2).normal(size=(3, N)).astype(np.float32)
    for name, arrays in (("one", (a, b)), ("two", (b, a))):
        onnx.checker.check_model(str(folder / f"{name}.onnx"))
        with OnnxRuntimeEngine(folder / f"{name}.onnx") as engine:
            expected = x @ arrays[0] @ arrays[1] + 1
            np.testing.assert_allclose(engine.infer({"x": x})["y"], expected, rtol=1e-4)
        assert (folder / f"{name}.onnx").stat().st_size < 2000


def test_equal_contents_are_written_once_whatever_they_are_called(
    tmp_path: Path,
) -> None:
    a, b = weights(0), weights(1)
    write(
        tmp_path, one=product_with(a, b), two=product_with(b, a), three=product_with(a)
    )
    size = (tmp_path / WEIGHTS_NAME).stat().st_size
    assert 2 * a.nbytes <= size < 2 * a.nbytes + 4096


def test_every_tensor_starts_a_page(tmp_path: Path) -> None:
    model = product_with(weights(0), weights(1), weights(2))
    write(tmp_path, one=model)
    placed = [
        {entry.key: entry.value for entry in tensor.external_data}
        for tensor in model.graph.initializer
        if tensor.data_location == TensorProto.EXTERNAL
    ]
    assert len(placed) == 3
    assert all(int(place["offset"]) % mmap.PAGESIZE == 0 for place in placed)
    assert {place["location"] for place in placed} == {WEIGHTS_NAME}


def test_small_tensors_stay_in_their_models(tmp_path: Path) -> None:
    model = product_with(weights(0))
    write(tmp_path, one=model)
    outside = {
        tensor.name
        for tensor in model.graph.initializer
        if tensor.data_location == TensorProto.EXTERNAL
    }
    assert outside == {"w0"}


def test_the_same_models_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write(tmp_path / name, one=product_with(weights(0), weights(1)))
    for file in (WEIGHTS_NAME, "one.onnx"):
        first, second = (tmp_path / name / file for name in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


def test_weights_that_are_missing_are_said_to_be(tmp_path: Path) -> None:
    write(tmp_path, one=product_with(weights(0)))
    (tmp_path / WEIGHTS_NAME).unlink()
    with pytest.raises(BundleError, match=r"one\.onnx is not a model"):
        OnnxRuntimeEngine(tmp_path / "one.onnx")
