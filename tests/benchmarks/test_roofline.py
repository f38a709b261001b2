from math import prod
from pathlib import Path

import cv2
import onnx
import pytest
from onnx import TensorProto, helper

from pixie_bench import engines_suite
from pixie_bench.graph_cost import Cost, graph_cost
from pixie_bench.peak import Peak
from pixie_bench.roofline import Placed, Roofs, draw
from pixie_bench.settings import Settings
from pixie_runtime.errors import SinkError

PEAK = Peak({"float32": 100.0, "int8": 400.0}, {"float32": "A", "int8": "B"}, 20.0)


def convolution(path: Path) -> Path:
    """Write 8 channels to 16 by 3x3 on 10x10 in 2 groups, then 16 to 5 numbers."""

    def value(name: str, *shape: int | str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    def weight(name: str, *shape: int) -> onnx.TensorProto:
        return helper.make_tensor(name, TensorProto.FLOAT, shape, [0.0] * prod(shape))

    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["c"], group=2, pads=[1] * 4),
            helper.make_node("GlobalAveragePool", ["c"], ["p"]),
            helper.make_node("Flatten", ["p"], ["f"]),
            helper.make_node("Gemm", ["f", "v"], ["y"], transB=1),
        ],
        "tiny",
        [value("x", "batch", 8, 10, 10)],
        [value("y", "batch", 5)],
        [weight("w", 16, 4, 3, 3), weight("v", 5, 16)],
    )
    onnx.save(helper.make_model(graph), str(path))
    return path


@pytest.mark.parametrize("batch", [1, 3])
def test_a_graph_costs_its_convolutions_and_products(
    tmp_path: Path, batch: int
) -> None:
    cost = graph_cost(convolution(tmp_path / "tiny.onnx"), batch=batch)
    conv, gemm = 16 * 10 * 10 * 4 * 3 * 3, 5 * 16
    assert cost == Cost(batch * (conv + gemm), 16 * 4 * 3 * 3 + gemm)


def test_the_floor_is_arithmetic_or_the_stream_of_weights() -> None:
    busy = Placed("busy", "float32", Cost(50e9, 1e6), 2000.0)
    assert busy.floor_ms(PEAK) == pytest.approx(1000)
    assert busy.share(PEAK) == pytest.approx(0.5)
    heavy = Placed("heavy", "int8", Cost(1e6, 200e6), 20.0)
    assert heavy.floor_ms(PEAK) == pytest.approx(10)
    assert heavy.intensity == pytest.approx(0.01)


@pytest.mark.filterwarnings("ignore:Exception ignored in:")  # matplotlib's own imports
def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    placed = [Placed("network-int8", "int8", Cost(30e9, 190e6), 300.0)]
    machines = [Roofs("a processor", PEAK, placed), Roofs("a card", PEAK, [])]
    draw(tmp_path / "one.png", machines[:1])
    draw(tmp_path / "two.png", machines)
    one, two = (cv2.imread(str(tmp_path / f"{n}.png")) for n in ("one", "two"))
    assert one is not None
    assert two is not None
    assert two.shape[1] == 2 * one.shape[1]
    with pytest.raises(SinkError, match="cannot write"):
        draw(tmp_path / "nowhere" / "roofline.png", machines)


@pytest.mark.filterwarnings("ignore:Exception ignored in:")  # likewise
def test_a_picture_that_cannot_be_drawn_costs_no_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        engines_suite, "_PEAKS", dict.fromkeys(engines_suite._PEAKS, lambda _: PEAK)
    )
    machines = Settings(only="machine-peak")
    found = engines_suite.run_engines(machines, plot=tmp_path / "roofline.xyz")
    placed = [Placed("network-int8", "int8", Cost(30e9, 190e6), 300.0)]
    found += engines_suite._floors("machine-peak", PEAK, placed)
    assert {one.metric for one in found.results} >= {"int8", "copy", "floor", "share"}
    (sentence,) = found.left_out
    assert sentence.startswith("roofline: cannot write")


def test_networks_are_under_the_roof_of_what_they_ran_on() -> None:
    placed = [Placed("network-int8-tensorrt", "int8", Cost(30e9, 190e6), 300.0)]
    found = engines_suite._floors("machine-peak-gpu", PEAK, placed)
    assert [(one.case, one.metric, one.value) for one in found.results] == [
        ("machine-peak-gpu", "float32", 100.0),
        ("machine-peak-gpu", "int8", 400.0),
        ("machine-peak-gpu", "copy", 20.0),
        ("network-int8-tensorrt", "floor", 150.0),
        ("network-int8-tensorrt", "share", 0.5),
    ]
    assert found.notes == {"machine-peak-gpu": "float32 by A, int8 by B"}
