from collections.abc import Sequence

import numpy as np
import pytest

from pixie_runtime.body import BodyModel
from pixie_train.config import CoreConfig
from pixie_train.data.motion import MotionBank
from pixie_train.data.pictures import Photographer, PictureConfig, Sample
from pixie_train.distillation.lesson import Lesson
from pixie_train.picture_training.body import TrainingBody
from tests.train.distillation.lessons import SIZES, lesson_of


@pytest.fixture(scope="package")
def samples(model: BodyModel, bank: MotionBank) -> Sequence[Sample]:
    photographer = Photographer(PictureConfig(size=128), model, bank, count=8)
    return [photographer[number] for number in range(8)]


@pytest.fixture(scope="package")
def lessons(samples: Sequence[Sample]) -> Sequence[Lesson]:
    random = np.random.default_rng(0)
    return [lesson_of(sample, random) for sample in samples]


@pytest.fixture(scope="package")
def body(model: BodyModel) -> TrainingBody:
    core = CoreConfig(n_betas=SIZES.n_betas, n_expression=SIZES.n_expression)
    return TrainingBody.of(model, core)
