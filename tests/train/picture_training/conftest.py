from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from pixie_runtime.body import BodyModel
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.loop import train
from pixie_train.picture_training.state import RunState
from tests.train.picture_training.small import CONFIG, RUN, data, network


@pytest.fixture(scope="package", autouse=True)
def _one_thread() -> Iterator[None]:
    """Several threads would only wait for one another over so little work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def body(model: BodyModel) -> TrainingBody:
    return TrainingBody.of(model, CONFIG.core)


@pytest.fixture(scope="session")
def done(
    body: TrainingBody, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, RunState]:
    """Return the folder and the end of a whole run."""
    folder = tmp_path_factory.mktemp("run")
    return folder, train(RUN, network(), data(), body, folder)
