"""What holds for every engine that is installed here."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from pixie_runtime.engines import Engine, EngineMaker
from pixie_runtime.engines.choosing import choose
from pixie_runtime.engines.cuda_driver import gpu_fault
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeMaker
from pixie_runtime.engines.tensorrt_library import LibraryKind
from pixie_runtime.errors import BundleError, EngineError, PixieError
from pixie_runtime.landmarks.models import NAMES
from tests.runtime.engines import networks
from tests.runtime.engines.tensorrt_building_maker import on_a_fake_gpu, on_this_gpu

SHIPPED = sorted(f"{name}.onnx" for name in NAMES)

FAKE_GPU = "tensorrt on a fake GPU"
GPU_ENGINES: tuple[LibraryKind, ...] = ("tensorrt", "tensorrt-rtx")
HERE = ["onnxruntime", FAKE_GPU]
if find_spec("openvino"):
    HERE.append("openvino")
if gpu_fault() is None:
    HERE += [k for k in GPU_ENGINES if find_spec(k.replace("-", "_"))]


@pytest.fixture(scope="module", params=HERE)
def maker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> EngineMaker:
    """Every engine that can run here, one after the other."""
    cache = tmp_path_factory.mktemp("cache")
    if request.param == FAKE_GPU:
        return on_a_fake_gpu(cache)
    if request.param in GPU_ENGINES:
        return on_this_gpu(request.param, cache)
    return choose(request.param, cache=cache)


@pytest.fixture
def doubling(maker: EngineMaker) -> Iterator[Engine]:
    with maker.open(networks.doubling()) as engine:
        yield engine


def test_network_runs_from_bytes_and_from_a_file(
    maker: EngineMaker, tmp_path: Path
) -> None:
    file = tmp_path / "doubling.onnx"
    file.write_bytes(networks.doubling())
    x = np.array([[1, 2], [3, 4]], np.float32)
    for source in (networks.doubling(), file):
        with maker.open(source) as engine:
            np.testing.assert_array_equal(engine.infer({"x": x})["y"], 2 * x)


def test_weights_beside_the_file_are_found(maker: EngineMaker, tmp_path: Path) -> None:
    file, weights = networks.write_layer_with_external_weights(tmp_path)
    x = np.linspace(-1, 1, 128, dtype=np.float32).reshape(2, 64)
    with maker.open(file) as engine:
        y = engine.infer({"x": x})["y"]
    np.testing.assert_allclose(y, x @ weights, rtol=1e-5, atol=1e-5)


def test_weights_that_are_gone_are_one_sentence(
    maker: EngineMaker, tmp_path: Path
) -> None:
    file, _ = networks.write_layer_with_external_weights(tmp_path)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(PixieError, match=r"layer\.onnx") as caught:
        maker.open(file)
    assert "\n" not in str(caught.value)


def test_engine_tells_shapes_names_and_what_it_runs_on(maker: EngineMaker) -> None:
    with maker.open(networks.arithmetic()) as engine:
        shapes = engine.input_shapes
        assert set(shapes) == {"a", "b"}
        for free, fixed in shapes.values():
            assert isinstance(free, str)
            assert fixed == 3
        assert engine.output_names == ("difference", "same", "sum")
        assert engine.description == maker.description


def test_outputs_come_by_name_in_the_networks_order(maker: EngineMaker) -> None:
    a, b = np.ones((1, 3), np.float32), np.full((1, 3), 3, np.float32)
    with maker.open(networks.arithmetic()) as engine:
        found = engine.infer({"a": a, "b": b})
    assert tuple(found) == ("difference", "same", "sum")
    np.testing.assert_array_equal(found["difference"], b - a)
    np.testing.assert_array_equal(found["same"], a)
    np.testing.assert_array_equal(found["sum"], a + b)


def test_batches_of_every_size_may_follow_one_another(doubling: Engine) -> None:
    for n in (1, 2, 1, 5, 3, 4, 8, 7, 6, 2, 1):
        x = np.arange(2 * n, dtype=np.float32).reshape(n, 2)
        np.testing.assert_array_equal(doubling.infer({"x": x})["y"], 2 * x)


def test_pictures_may_be_bytes(maker: EngineMaker) -> None:
    image = np.arange(192, dtype=np.uint8).reshape(1, 8, 8, 3)
    with maker.open(networks.picture_mean()) as engine:
        assert engine.input_shapes["image"] == (1, 8, 8, 3)
        found = engine.infer({"image": image})["mean"]
    np.testing.assert_allclose(found, image.mean((1, 2)), rtol=1e-5)


def test_returned_arrays_belong_to_the_caller(maker: EngineMaker) -> None:
    given = np.ones((1, 3), np.float32)
    with maker.open(networks.arithmetic()) as engine:
        first = engine.infer({"a": given, "b": given})
        engine.infer({"a": given * 0, "b": given * 5})
        np.testing.assert_array_equal(first["sum"], [[2, 2, 2]])
        for array in first.values():
            array[:] = -1
        np.testing.assert_array_equal(given, [[1, 1, 1]])
        given[:] = 7
        np.testing.assert_array_equal(first["same"], [[-1, -1, -1]])
    np.testing.assert_array_equal(first["sum"], [[-1, -1, -1]])


def test_inputs_may_be_read_only_or_strided(doubling: Engine) -> None:
    wide = np.arange(12, dtype=np.float32).reshape(2, 6)
    for x in (wide[:, ::3], wide[:, 1:3], wide[:, :2].copy(order="F")):
        x.flags.writeable = False
        before = x.copy()
        np.testing.assert_array_equal(doubling.infer({"x": x})["y"], 2 * before)
        np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"x": np.ones((1, 2), np.float32), "z": np.ones(1, np.float32)},
        {"x": np.ones((1, 3), np.float32)},
        {"x": np.ones(2, np.float32)},
        {"x": np.ones((1, 2), np.float64)},
    ],
    ids=["missing", "unknown", "wrong size", "wrong rank", "wrong type"],
)
def test_inputs_that_do_not_fit_are_refused_and_the_next_may_fit(
    doubling: Engine, inputs: dict[str, np.ndarray]
) -> None:
    with pytest.raises(ValueError, match="x"):
        doubling.infer(inputs)
    x = np.ones((1, 2), np.float32)
    np.testing.assert_array_equal(doubling.infer({"x": x})["y"], 2 * x)


def test_batches_that_do_not_go_together_are_refused(maker: EngineMaker) -> None:
    two, three = np.ones((2, 3), np.float32), np.ones((3, 3), np.float32)
    with maker.open(networks.arithmetic()) as engine:
        with pytest.raises(ValueError, match="2"):
            engine.infer({"a": two, "b": three})
        assert engine.infer({"a": two, "b": two})["sum"].shape == (2, 3)


def test_engine_may_be_called_from_several_threads(doubling: Engine) -> None:
    def doubled(k: int) -> bool:
        x = np.full((1 + k % 3, 2), k, np.float32)
        return bool((doubling.infer({"x": x})["y"] == 2 * x).all())

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(doubled, range(200)))


def test_closed_engine_says_so_and_may_be_closed_again(doubling: Engine) -> None:
    doubling.close()
    doubling.close()
    with pytest.raises(RuntimeError, match="closed"):
        doubling.infer({"x": np.ones((1, 2), np.float32)})


def test_missing_file_is_named(maker: EngineMaker, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no model file .*gone\.onnx"):
        maker.open(tmp_path / "gone.onnx")


@pytest.mark.parametrize(
    "content",
    [b"", b"not a network", networks.doubling()[:-20], b"\x00" * 4096],
    ids=["empty", "text", "truncated", "zeros"],
)
def test_damaged_model_is_refused_in_one_sentence(
    maker: EngineMaker, content: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "damaged.onnx"
    file.write_bytes(content)
    for source in (file, content):
        with pytest.raises(BundleError) as caught:
            maker.open(source)
        assert "\n" not in str(caught.value)


def test_operator_that_the_engine_lacks_is_named(maker: EngineMaker) -> None:
    with pytest.raises(EngineError, match=r"lacks.*Mystery.*--engine") as caught:
        maker.open(networks.mystery())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_landmark_networks_agree_with_the_reference_engine(
    maker: EngineMaker, name: str
) -> None:
    content = (files("pixie_runtime") / "assets" / "landmarks" / name).read_bytes()
    rng = np.random.default_rng(0)
    with maker.open(content) as engine, OnnxRuntimeMaker().open(content) as reference:
        _, height, width, _ = reference.input_shapes["image"]
        assert isinstance(height, int)
        assert isinstance(width, int)
        coarse = rng.integers(0, 256, (1, height // 8, width // 8, 3), np.uint8)
        image = coarse.repeat(8, axis=1).repeat(8, axis=2)
        expected, found = (
            reference.infer({"image": image}),
            engine.infer({"image": image}),
        )
        assert tuple(found) == tuple(expected)
        for output, array in expected.items():
            scale = max(float(np.abs(array).max()), 1e-3)
            difference = float(np.abs(found[output] - array).max())
            assert difference <= 1e-4 * scale, f"{output}: {difference} of {scale}"
