from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from pixie_export import to_onnx
from pixie_export.graph import Graph
from pixie_runtime.bundle import TensorSpec
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine


def spec(name: str, *shape: int) -> TensorSpec:
    return TensorSpec(name, ("batch", *shape), "float32", name)


class Convolved(nn.Module):
    """A convolution with batch norm, and its map as a traced result."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, bias=False)
        self.norm = nn.BatchNorm2d(4)
        with torch.no_grad():
            self.norm.running_mean = torch.rand(4)

    def forward(self, x: Tensor, gain: Tensor) -> tuple[Tensor, ...]:
        y = self.norm(self.conv(x))
        return y.relu().mean((2, 3)) * gain, y


@pytest.fixture(scope="module")
def convolved() -> Graph:
    torch.manual_seed(0)
    inputs = (spec("x", 3, 8, 8), spec("gain", 4))
    return Graph("c", Convolved(), inputs, (spec("f", 4),), (spec("map", 4, 6, 6),))


def test_traced_results_are_outputs_only_if_asked_for(
    convolved: Graph, tmp_path: Path
) -> None:
    for traced, expected in ((False, ("f",)), (True, ("f", "map"))):
        model = to_onnx.export_graph(convolved, traced=traced)
        onnx.checker.check_model(model)
        with OnnxRuntimeEngine(model.SerializeToString()) as engine:
            assert engine.output_names == expected
            assert dict(engine.input_shapes) == {
                "x": ("batch", 3, 8, 8),
                "gain": ("batch", 4),
            }
            for batch in (1, 2, 5):
                x, gain = torch.rand(batch, 3, 8, 8), torch.rand(batch, 4)
                with torch.no_grad():
                    wanted = convolved.module.eval()(x, gain)
                found = engine.infer({"x": x.numpy(), "gain": gain.numpy()})
                for name, tensor in zip(expected, wanted, strict=False):
                    np.testing.assert_allclose(found[name], tensor, atol=1e-6)


def test_batch_norms_are_folded_into_their_convolutions(convolved: Graph) -> None:
    model = to_onnx.export_graph(convolved)
    kinds = [node.op_type for node in model.graph.node]
    assert "Conv" in kinds
    assert "BatchNormalization" not in kinds


def test_no_paths_of_this_machine_are_in_a_model(convolved: Graph) -> None:
    text = to_onnx.export_graph(convolved).SerializeToString()
    assert str(Path(__file__).parent).encode() not in text
    assert b".py" not in text


class Fixed(nn.Module):
    """Counts its batch in Python."""

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (torch.cat([x[:1]] * len(x)),)


def test_a_network_that_fixes_its_batch_is_not_exported_silently() -> None:
    fixed = Graph("fixed", Fixed(), (spec("x", 3),), (spec("y", 3),))
    with pytest.raises(Exception, match="batch"):
        to_onnx.export_graph(fixed)
