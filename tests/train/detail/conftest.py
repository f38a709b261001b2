from pathlib import Path

import pytest
import torch

from pixie_runtime.body import BodyModel
from pixie_train.data.motion import MotionBank
from pixie_train.detail.body import DetailBody
from pixie_train.detail.coarse import TrueFaces
from pixie_train.detail.config import DetailConfig
from pixie_train.detail.run_config import DetailRun, HeadPictures
from pixie_train.detail.surface import DetailSurface
from pixie_train.detail.training import train

TINY = DetailRun(
    steps=4,
    batch=2,
    learning_rate=1e-3,
    checkpoint_every=2,
    pictures=HeadPictures(count=3, held_out=2, size=128, crop_size=64),
    network=DetailConfig(
        encoder="mobilenet_v4_small",
        hidden=8,
        latent=4,
        n_expression=5,
        channels=(8, 4, 4, 4),
    ),
)
"""A run of seconds, at 64 pixels."""


def same_pictures(run: Path, folder: Path) -> None:
    """Spare another run the drawing."""
    for name in ("heads", "held_out"):
        (folder / name).symlink_to(run / name)


@pytest.fixture(scope="session")
def surface(model: BodyModel) -> DetailSurface:
    return DetailSurface(model, size=TINY.network.map_size)


@pytest.fixture(scope="session")
def body(model: BodyModel) -> DetailBody:
    torch.set_num_threads(1)
    return DetailBody.of(TINY, model, TrueFaces(model))


@pytest.fixture(scope="session")
def trained(
    body: DetailBody, bank: MotionBank, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("detail")
    return train(TINY, body, bank, folder).parent
