import pytest

from pixie_runtime.body import BodyModel
from pixie_train.picture_training.body import TrainingBody
from tests.train.picture_training.small import CONFIG


@pytest.fixture(scope="session")
def body(model: BodyModel) -> TrainingBody:
    return TrainingBody.of(model, CONFIG.core)
