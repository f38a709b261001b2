from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from pixie_export import parity, precision
from pixie_export.landmark import export_landmark
from pixie_runtime.body import embedded_body_model
from pixie_runtime.bundle import Bundle
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.errors import BundleError
from pixie_train import checkpoint
from pixie_train.config import LandmarkConfig, TrainConfig
from pixie_train.networks.landmark_pixie import LandmarkPixie
from tests.train.tiny import TINY_CORE

TINY = LandmarkConfig(
    body_width=32,
    part_width=16,
    body_blocks=1,
    part_blocks=1,
    core=TINY_CORE,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = LandmarkPixie(TINY)
    path = tmp_path_factory.mktemp("run") / "last.pt"
    state = checkpoint.Checkpoint(
        config=TrainConfig(network=TINY),
        body_model_sha256=embedded_body_model().sha256,
        step=7,
        network=network.state_dict(),
        average=network.state_dict(),
        optimiser={},
        history=[{"step": 7.0, "mpjpe_mm": 99.0}],
    )
    checkpoint.save(state, path)
    return path


@pytest.fixture(scope="module")
def folder(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundle")
    report = export_landmark(run, embedded_body_model(), out)
    assert max(row.largest for row in report.differences) <= 1e-4
    return out


def test_an_exported_bundle_opens_and_runs_any_batch(folder: Path) -> None:
    bundle = Bundle.open(folder)
    spec = bundle.manifest.networks["whole"]
    assert bundle.manifest.provenance["validation_mpjpe_mm"] == "99.00"
    with OnnxRuntimeEngine(bundle.path_of("whole")) as engine:
        assert set(engine.input_shapes) == {tensor.name for tensor in spec.inputs}
        for batch in (1, 3):
            outputs = engine.infer(
                {
                    tensor.name: np.zeros(
                        (batch, *(int(n) for n in tensor.shape[1:])), np.float32
                    )
                    for tensor in spec.inputs
                }
            )
            for tensor in spec.outputs:
                assert outputs[tensor.name].shape == (batch, *tensor.shape[1:])
                assert np.isfinite(outputs[tensor.name]).all()


def test_weights_take_half_the_space(folder: Path) -> None:
    model = onnx.load(Bundle.open(folder).path_of("whole"))
    kinds = {
        tensor.data_type
        for tensor in model.graph.initializer
        if np.prod(tensor.dims) >= 1024
    }
    assert kinds == {onnx.TensorProto.FLOAT16}


def test_the_body_model_of_the_run_is_required(run: Path, tmp_path: Path) -> None:
    stranger = replace(embedded_body_model(), sha256="0" * 64)
    with pytest.raises(BundleError, match="another body model"):
        export_landmark(run, stranger, tmp_path)


def test_a_graph_that_computes_something_else_is_not_written() -> None:
    rows = [parity.Difference("rotations", largest=1e-3, rms=1e-5)]
    with pytest.raises(BundleError, match=r"rotations differs from torch by 0\.001"):
        parity.require(rows, at_most=1e-4)
    with pytest.raises(BundleError, match="differs"):
        parity.require([parity.Difference("x", float("nan"), 0.0)], at_most=1e-4)


def test_rounded_weights_are_exactly_those_of_half_precision() -> None:
    layer = torch.nn.Linear(64, 64)
    before = layer.weight.detach().clone()
    precision.round_weights_to_half(layer)
    torch.testing.assert_close(
        layer.weight.half().float(), layer.weight, atol=0, rtol=0
    )
    torch.testing.assert_close(layer.weight, before, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("part", range(4))
def test_one_part_alone_gives_finite_numbers(folder: Path, part: int) -> None:
    """Absent parts are zeros, and zero vectors must not be normalised to nothing."""
    bundle = Bundle.open(folder)
    random = np.random.default_rng(part)
    inputs = {
        tensor.name: np.zeros((1, *(int(n) for n in tensor.shape[1:])), np.float32)
        for tensor in bundle.manifest.networks["whole"].inputs
    }
    for name in (
        ("pose_rays", "pose_world"),
        ("hand_rays", "hand_world"),
        ("hand_rays", "hand_world"),
        ("face_rays",),
    )[part]:
        inputs[name] = random.normal(0, 0.2, inputs[name].shape).astype(np.float32)
    inputs["present"][0, part] = 1
    with OnnxRuntimeEngine(bundle.path_of("whole")) as engine:
        for name, array in engine.infer(inputs).items():
            assert np.isfinite(array).all(), name
