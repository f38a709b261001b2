"""The hands' network in int8: what is shipped, and what it answers."""

from collections import Counter
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from pixie_runtime.engines.byte_arithmetic import multiplies_bytes
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.landmarks.hands import HandModel
from pixie_runtime.landmarks.regions import Region
from pixie_runtime.sources.opening import demo_clip
from tests.runtime.landmarks.footage import frames_of
from tools.quantise_landmarks import FILE, NETWORK

SHIPPED = Path(str(files("pixie_runtime"))) / "assets" / "landmarks"
RIGHT_HAND = Region(272, 761, 121, 3.02)
"""In the demo clip's second frame."""


def test_it_stores_no_large_weight_a_second_time() -> None:
    graph = onnx.load(SHIPPED / FILE, load_external_data=False).graph
    elsewhere = [t for t in graph.initializer if t.external_data]
    assert {t.data_type for t in elsewhere} == {TensorProto.FLOAT16}
    places = {entry.value for t in elsewhere for entry in t.external_data[:1]}
    assert places == {f"{NETWORK}.onnx"}
    assert (SHIPPED / FILE).stat().st_size < 400_000


def test_its_first_ten_and_last_two_convolutions_stay_in_float32() -> None:
    graph = onnx.load(SHIPPED / FILE, load_external_data=False).graph
    kinds = Counter(node.op_type for node in graph.node)
    assert kinds["Conv"] == 47
    rounded = [node for node in graph.node if node.name.startswith("round ")]
    whole = {node.output[0] for node in graph.node if node.name.startswith("cast ")}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    in_int8 = [node.input[1].endswith(".dequantised") for node in convolutions]
    assert in_int8 == [False] * 10 + [True] * 35 + [False] * 2
    assert len(rounded) <= 35 < len(whole)


@pytest.mark.skipif(not multiplies_bytes(), reason="no processor for int8")
def test_landmarks_move_less_than_when_the_crop_moves_by_two_pixels() -> None:
    image = frames_of(demo_clip().name, 2)[1]
    engines = [OnnxRuntimeEngine(SHIPPED / name) for name in (f"{NETWORK}.onnx", FILE)]
    exact, small = (
        HandModel(engine).landmarks(image, [RIGHT_HAND])[0] for engine in engines
    )
    offsets = exact.landmarks.image - small.landmarks.image
    moved = np.hypot(*offsets[:, :2].T) / RIGHT_HAND.size * 224
    assert 0 < moved.mean() < 2
    assert exact.landmarks.score > 0.9
    assert small.landmarks.score > 0.9
