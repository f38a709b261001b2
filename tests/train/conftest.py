from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from pixie_runtime.body import BodyModel, embedded_body_model, load_body_model
from pixie_train.data.motion import MotionBank, load_motion_bank
from pixie_train.data.people import PeopleFactory
from pixie_train.key_points import KeyPoints
from pixie_train.shape_file import ShapeSamples, read_samples
from pixie_train.utilities import read_utilities
from tests import parity_case
from tests.train.losses.samples import N_BETAS, N_EXPRESSION


@pytest.fixture(scope="session")
def model() -> BodyModel:
    return embedded_body_model()


@pytest.fixture(scope="session")
def bank() -> MotionBank:
    return load_motion_bank()


@pytest.fixture(scope="session")
def factory(model: BodyModel, bank: MotionBank) -> PeopleFactory:
    return PeopleFactory(model, bank, n_betas=16)


@pytest.fixture(scope="session")
def key_points(model: BodyModel) -> KeyPoints:
    """Return the embedded body's key points, of as many coefficients as `samples`."""
    tables, _ = read_utilities(None, model)
    return KeyPoints(model, tables, n_betas=N_BETAS, n_expression=N_EXPRESSION)


@pytest.fixture(scope="session")
def official_assets() -> Path:
    """Return stand-ins of the files that the official body model reads."""
    return parity_case.assets_folder()


@pytest.fixture(scope="session")
def official_model(official_assets: Path) -> BodyModel:
    return load_body_model(official_assets / "SMPLX_NEUTRAL_2020.npz")


@dataclass(frozen=True)
class Recorded:
    """What the official network was seen to compute for two people."""

    arrays: dict[str, Tensor]

    def __getitem__(self, name: str) -> Tensor:
        return self.arrays[name]


@pytest.fixture(scope="session", params=parity_case.SEEDS, ids="seed{}".format)
def recorded(request: pytest.FixtureRequest) -> Recorded:
    with np.load(parity_case.reference_file(request.param)) as file:
        names = [name for name in file.files if _of_the_body(name)]
        return Recorded({name: torch.from_numpy(file[name]) for name in names})


def _of_the_body(name: str) -> bool:
    last = name.rpartition(".")[2]
    return name.split(".")[0] in {"body", "soft", "paste", "bodyonly"} and last in {
        "shape",
        "exp",
        "body_cam",
        "full_pose",
        "vertices",
        "transformed_vertices",
        "joints",
        "smplx_kpt",
        "face_kpt",
        "box_center_size",
    }


@pytest.fixture(scope="session")
def strangers() -> ShapeSamples:
    """Return 300 people of the bake's population whom the bake has not drawn.

    `python -m tools.shape_samples --seed 1 --count 300` wrote the file.
    """
    return read_samples(Path(__file__).parents[1] / "golden" / "shape_samples.npz")
