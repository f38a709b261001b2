from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.onnx._internal.exporter._registration import ONNXRegistry

from pixie_export import landmark_judge
from pixie_export.run import export_run
from pixie_export.untrained import untrained_network
from pixie_runtime.body import embedded_body_model
from pixie_runtime.types import Float32
from pixie_train.config import CoreConfig, ImageConfig
from pixie_train.picture_training.config import StageRun
from pixie_train.picture_training.state import RunState, save
from tests.export.tiny_graphs import write_tiny_bundle

SMALL = ImageConfig(
    body_encoder="resnet18",
    head_encoder="repvgg_a0",
    hand_encoder="mobilenet_v4_small",
    core=CoreConfig(feature_dim=128, regressor_width=64, moderator_width=32),
)


@pytest.fixture(scope="session", autouse=True)
def _translations_read_once() -> Iterator[None]:
    """Keep what torch reads anew for each export: half the time of a small one's."""
    read = cache(ONNXRegistry.from_torchlib)

    def kept(cls: type[ONNXRegistry], /, **options: Any) -> ONNXRegistry:
        return read(**options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ONNXRegistry, "from_torchlib", classmethod(kept))
        yield


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole image bundle; tests that change it copy it first."""
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny").folder


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has learned nothing, on small encoders; who changes it copies it."""
    folder = tmp_path_factory.mktemp("bundles")
    model = embedded_body_model()
    network = untrained_network(SMALL, model)
    average = network.state_dict()
    state = RunState(
        run=StageRun(stage="whole"),
        network=network.config,
        body_model_sha256=model.sha256,
        step=7,
        weights={name: torch.zeros_like(value) for name, value in average.items()},
        average=average,
        optimiser={},
        scaler={},
        history=[{"step": 7, "loss": 2.5}],
    )
    save(state, folder / "last.pt")
    export_run(folder, folder / "small")
    return folder / "small"


@pytest.fixture(scope="session")
def demo_inputs() -> dict[str, Float32]:
    """What a landmark network is given of the demo clip."""
    return landmark_judge._demo_inputs()


@pytest.fixture
def looked_at_demo(
    monkeypatch: pytest.MonkeyPatch, demo_inputs: dict[str, Float32]
) -> None:
    """Keep judges from looking at the clip again: that takes longer than judging."""
    monkeypatch.setattr(landmark_judge, "_demo_inputs", lambda: demo_inputs)
