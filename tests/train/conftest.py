import pytest

from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_train.data.motion import MotionBank, load_motion_bank
from pixie_train.data.people import PeopleFactory


@pytest.fixture(scope="session")
def model() -> BodyModel:
    return embedded_body_model()


@pytest.fixture(scope="session")
def bank() -> MotionBank:
    return load_motion_bank()


@pytest.fixture(scope="session")
def factory(model: BodyModel, bank: MotionBank) -> PeopleFactory:
    return PeopleFactory(model, bank, n_betas=16)
