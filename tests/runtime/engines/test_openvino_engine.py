"""What is OpenVINO's own: plans by batch, compiled networks on disk, no telemetry."""

import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

import pixie_runtime
from pixie_runtime.engines import EngineMaker
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeMaker
from pixie_runtime.engines.openvino_engine import OpenVinoEngine, OpenVinoMaker
from pixie_runtime.engines.openvino_library import capabilities
from pixie_runtime.errors import EngineError
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.sources.opening import demo_clip
from pixie_runtime.sources.video import VideoFile
from pixie_runtime.types import Float32, Frame
from tests.runtime.engines.networks import (
    doubling,
    floats,
    model_of,
    sum_with_three_rows,
)

pytest.importorskip("openvino")

_USE = """
import sys
from pathlib import Path
from pixie_runtime.engines.openvino_engine import OpenVinoMaker
from pixie_runtime.engines.openvino_probe import require_survival
require_survival("1.0", Path.home() / "cache")
with OpenVinoMaker().open(Path(sys.argv[1])) as engine:
    print(engine.output_names)
assert sys.modules["openvino_telemetry"] is None
assert not [name for name in sys.modules if name.startswith("openvino_telemetry.")]
"""


def convolution(*, quantised: bool = False) -> bytes:
    """Return a convolution of `x` (n, 8, 12, 12), of quantised values if asked."""
    rng = np.random.default_rng(0)
    kernel = rng.standard_normal((16, 8, 3, 3)).astype(np.float32)
    weights = {"kernel": kernel}
    nodes = []
    names = ["x", "kernel"]
    if quantised:
        scale = float(np.abs(kernel).max() / 127)
        weights = {
            "kernel": np.round(kernel / scale).astype(np.int8),
            "kernel_scale": np.array(scale, np.float32),
            "kernel_zero": np.array(0, np.int8),
            "x_scale": np.array(8 / 255, np.float32),
            "x_zero": np.array(128, np.uint8),
        }
        x, w = ["x_scale", "x_zero"], ["kernel_scale", "kernel_zero"]
        nodes = [
            helper.make_node("QuantizeLinear", ["x", *x], ["x_int8"]),
            helper.make_node("DequantizeLinear", ["x_int8", *x], ["x_back"]),
            helper.make_node("DequantizeLinear", ["kernel", *w], ["kernel_back"]),
        ]
        names = ["x_back", "kernel_back"]
    nodes.append(helper.make_node("Conv", names, ["y"], pads=[1, 1, 1, 1]))
    model = model_of(
        nodes, [floats("x", "n", 8, 12, 12)], [floats("y", "n", 16, 12, 12)], weights
    )
    return bytes(model.SerializeToString())


def square_sum() -> bytes:
    """Return a network of pictures of any size: `y` (1,), the sum of `x` (h, w)."""
    nodes = [helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0)]
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [])
    return bytes(model_of(nodes, [floats("x", "h", "w")], [y]).SerializeToString())


def test_free_axes_other_than_the_batch_stay_free() -> None:
    with OpenVinoEngine(square_sum()) as engine:
        for shape in ((2, 3), (3, 2), (1, 7)):
            found = engine.infer({"x": np.ones(shape, np.float32)})["y"]
            assert found == shape[0] * shape[1]


def test_a_size_that_cannot_be_compiled_is_the_engines_fault() -> None:
    with OpenVinoEngine(sum_with_three_rows()) as engine:
        with pytest.raises(EngineError, match=r"cannot compile .*; use --engine"):
            engine.infer({"x": np.ones((2, 2), np.float32)})
        assert engine.infer({"x": np.ones((3, 2), np.float32)})["y"].shape == (3, 2)


@pytest.mark.parametrize("threads", [1, 2])
def test_any_number_of_threads_gives_the_same(threads: int) -> None:
    x = np.random.default_rng(1).standard_normal((3, 8, 12, 12)).astype(np.float32)
    with OpenVinoMaker().open(convolution(), threads=threads) as engine:
        found = engine.infer({"x": x})["y"]
    with OnnxRuntimeMaker().open(convolution()) as engine:
        np.testing.assert_allclose(found, engine.infer({"x": x})["y"], atol=1e-4)


def test_quantised_convolutions_agree_with_onnx_runtime() -> None:
    x = np.random.default_rng(1).standard_normal((2, 8, 12, 12)).astype(np.float32)
    with OpenVinoMaker().open(convolution(quantised=True)) as engine:
        found = engine.infer({"x": x})["y"]
    with OnnxRuntimeMaker().open(convolution(quantised=True)) as engine:
        expected = engine.infer({"x": x})["y"]
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())


@pytest.mark.skipif("BF16" not in capabilities(), reason="no bfloat16 here")
def test_bfloat16_is_near_float32_and_is_used() -> None:
    x = np.random.default_rng(1).standard_normal((1, 8, 12, 12)).astype(np.float32)
    with OpenVinoMaker().open(convolution()) as engine:
        exact = engine.infer({"x": x})["y"]
    with OpenVinoMaker("bfloat16").open(convolution()) as engine:
        assert engine.description.endswith("bfloat16")
        found = engine.infer({"x": x})["y"]
    difference = float(np.abs(found - exact).max())
    assert 1e-4 < difference < 0.02 * float(np.abs(exact).max())


@pytest.mark.skipif("BF16" not in capabilities(), reason="no bfloat16 here")
def test_bodies_in_bfloat16_move_as_much_as_those_of_a_picture_a_pixel_aside() -> None:
    frames = list(islice(VideoFile(demo_clip(), realtime=False), 0, 60, 12))
    aside = [replace(f, image=np.roll(f.image, 1, axis=1)) for f in frames]
    exact = bodies(OpenVinoMaker(), frames)
    rounded = distance(bodies(OpenVinoMaker("bfloat16"), frames), exact)
    assert 0.1 < rounded < 1.5 * distance(bodies(OpenVinoMaker(), aside), exact)


def bodies(maker: EngineMaker, frames: list[Frame]) -> Float32:
    """Return the body's landmarks in space (n, 33, 3), each frame seen by itself."""
    landmarker = PixieLandmarker(maker=maker, body_suffices=True)
    found = []
    for frame in frames:
        landmarker.reset()
        pose = landmarker.detect(frame).pose
        assert pose is not None
        found.append(pose.world)
    landmarker.close()
    return np.array(found)


def distance(a: Float32, b: Float32) -> float:
    """Return the mean distance of points, millimetres."""
    return 1000 * float(np.linalg.norm(a - b, axis=-1).mean())


def test_compiled_networks_are_kept_and_damaged_ones_made_anew(tmp_path: Path) -> None:
    maker = OpenVinoMaker(cache=tmp_path)
    x = np.ones((1, 8, 12, 12), np.float32)
    with maker.open(convolution()) as engine:
        expected = engine.infer({"x": x})["y"]
    (blob,) = tmp_path.glob("*.blob")
    kept = blob.read_bytes()
    for content in (kept[: len(kept) // 2], b"", b"not a network" * 1000):
        blob.chmod(0o600)
        blob.write_bytes(content)
        with maker.open(convolution()) as engine:
            np.testing.assert_array_equal(engine.infer({"x": x})["y"], expected)


def test_nothing_is_reported_to_anybody(tmp_path: Path) -> None:
    file = tmp_path / "doubling.onnx"
    file.write_bytes(doubling())
    home = tmp_path / "home"
    home.mkdir()
    folders = [str(Path(path).parent) for path in pixie_runtime.__path__]
    done = subprocess.run(
        [sys.executable, "-c", _USE, str(file)],
        env={"PYTHONPATH": ":".join(folders), "HOME": str(home), "USER": "nobody"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in home.iterdir()] == ["cache"]
