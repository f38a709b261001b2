"""Weights of int8 networks, and processors that add products up in 16 bits."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from pixie_export.quantised_graph import Range, quantisable, quantised
from pixie_export.weight_steps import weight_steps
from pixie_runtime.engines import EngineMaker
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeMaker
from pixie_runtime.types import Float32
from tests.export.small_networks import convolution, spelt_out

CONVOLUTIONS: Mapping[str, tuple[tuple[int, ...], Mapping[str, Any]]] = {
    "of a picture": ((16, 3, 3, 3), {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
    "1 x 1": ((32, 48, 1, 1), {}),
    "3 x 3": ((32, 16, 3, 3), {"pads": [1, 1, 1, 1]}),
    "7 x 7": ((16, 8, 7, 7), {"pads": [3, 3, 3, 3]}),
    "of an odd number of channels": ((16, 21, 3, 3), {}),
    "in groups": ((16, 4, 3, 3), {"group": 4}),
    "depthwise": ((16, 1, 3, 3), {"group": 16}),
}


def rounded(weights: Float32) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    shape = (-1, *[1] * (weights.ndim - 1))
    return np.rint(weights / weight_steps(weights).astype(np.float64).reshape(shape))


def together(weights: Float32) -> Float32:
    """Return what neighbours of one sign add up to, at most, by output channel."""
    small = rounded(weights)
    sides = [small.clip(0), -small.clip(None, 0)]
    most = [(s[:, 0::2] + s[:, 1::2]).max(axis=(1, 2, 3)) for s in sides]
    return np.asarray(np.maximum(*most), np.float32)


def extreme(shape: tuple[int, ...]) -> Float32:
    """Return weights that are nearly as large as the largest, most of them positive."""
    random = np.random.default_rng(sum(shape))
    sign = random.choice([1, 1, 1, -1], shape)
    return np.asarray(sign * random.uniform(0.7, 1, shape), np.float32)


def test_two_neighbours_never_add_up_to_more_than_16_bits_hold_of_255_times_them() -> (
    None
):
    random = np.random.default_rng(0)
    for weights in (random.normal(size=(64, 32, 3, 3)), extreme((16, 8, 3, 3))):
        assert (together(weights.astype(np.float32)) <= 128).all()
    assert np.iinfo(np.int16).max >= 255 * 128


def test_steps_are_hardly_larger_than_that_asks_for() -> None:
    weights = np.random.default_rng(0).normal(size=(64, 32, 3, 3)).astype(np.float32)
    assert (together(weights) >= 120).all()


def test_a_large_weight_with_a_small_neighbour_is_rounded_as_if_it_were_alone() -> None:
    weights = np.full((1, 4, 1, 1), 0.005, np.float32)
    weights[0, 2] = -2.0
    assert weight_steps(weights) == pytest.approx(2 / 127)
    weights[0, 3] = 1.0
    assert weight_steps(weights) == pytest.approx(2 / 127)
    weights[0, 3] = -1.0
    assert weight_steps(weights) == pytest.approx(3 / 128, rel=0.01)


def test_channels_that_see_one_channel_each_have_no_neighbours() -> None:
    weights = extreme((8, 1, 3, 3))
    largest = np.abs(weights).max(axis=(1, 2, 3))
    np.testing.assert_allclose(weight_steps(weights), largest / 127, rtol=1e-6)


def test_weights_of_nothing_have_a_step() -> None:
    assert (weight_steps(np.zeros((4, 2, 1, 1), np.float32)) > 0).all()


@pytest.mark.parametrize("library", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_engines_add_up_the_largest_products_there_are(kind: str, library: str) -> None:
    """Where the processor adds in 16 bits, steps that forget it fail here."""
    shape, attributes = CONVOLUTIONS[kind]
    weights = extreme(shape)
    whole = convolution(12, {"w": weights}, **attributes)
    most = float(np.abs(weights).sum(axis=(1, 2, 3)).max())
    ranges = {"image": Range(0, 1), "c": Range(-most, most)}
    model = quantised(whole, ranges, quantisable(whole), "cpu")
    channels = shape[1] * attributes.get("group", 1)
    image = np.random.default_rng(1).uniform(0.8, 1, (1, channels, 12, 12))
    inputs = {"image": image.astype(np.float32)}
    with maker(library).open(model.SerializeToString(), threads=1) as engine:
        found = engine.infer(inputs)["out"]
    expected = spelt_out(model, inputs)
    np.testing.assert_allclose(found, expected, atol=0.01 * np.abs(expected).max())


def maker(library: str) -> EngineMaker:
    if library == "onnxruntime":
        return OnnxRuntimeMaker()
    pytest.importorskip("openvino")
    from pixie_runtime.engines.openvino_engine import OpenVinoMaker

    return OpenVinoMaker()
