from pathlib import Path

import pytest

from pixie_export.untrained import export_untrained
from pixie_runtime.body import embedded_body_file, embedded_body_model
from pixie_train.config import CoreConfig, ImageConfig
from tests.export.tiny_graphs import write_tiny_bundle

SMALL = ImageConfig(
    body_encoder="resnet18",
    head_encoder="repvgg_a0",
    hand_encoder="mobilenet_v4_small",
    core=CoreConfig(feature_dim=128, regressor_width=64, moderator_width=32),
)


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole image bundle; tests that change it copy it first."""
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny").folder


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real graphs on small encoders, untrained; tests that change it copy it first."""
    folder = tmp_path_factory.mktemp("bundles") / "small"
    export_untrained(SMALL, embedded_body_model(), embedded_body_file(), folder)
    return folder
