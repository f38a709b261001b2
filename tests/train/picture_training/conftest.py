from collections.abc import Iterator

import pytest
import torch

from pixie_runtime.body import BodyModel
from pixie_train.picture_training.body import TrainingBody
from tests.train.picture_training.small import CONFIG


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
