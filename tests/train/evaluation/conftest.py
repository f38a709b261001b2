from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from pixie_runtime import rotations as rot
from pixie_runtime.body import BodyModel
from pixie_runtime.types import Camera, SmplxParams, UInt8
from pixie_train.evaluation.anatomy import Anatomy
from pixie_train.evaluation.cases import Case, Estimate

CAMERA = Camera(1000.0, (320.0, 240.0), (640, 480))


@pytest.fixture(scope="session")
def anatomy(model: BodyModel) -> Anatomy:
    return Anatomy.of(model)


def posed(model: BodyModel, seed: int = 0, z: float = 3.0) -> Estimate:
    """Return somebody upright before the camera, with hands and a face."""
    random = np.random.default_rng(seed)
    turns = random.normal(0, 0.15, (55, 3))
    turns[0] = [np.pi, 0, 0]
    params = SmplxParams(
        betas=random.normal(size=10).astype(np.float32),
        expression=random.normal(size=10).astype(np.float32),
        rotations=rot.from_rotvec(turns).astype(np.float32),
        transl=np.array([0, 0, z], np.float32),
    )
    shaped = model.shaped(params.betas, params.expression)
    body = shaped.posed(params.rotations, params.transl)
    R = body.transforms[:, :3, :3]
    return Estimate(params, body.vertices(), body.joints, R, CAMERA)


@dataclass
class Oracle:
    """Says what it was told to say of a case."""

    model: BodyModel
    says: Callable[[Case], Estimate | None]
    name: str = "oracle"
    asked: list[str] = field(default_factory=list)

    def estimate(self, case: Case, picture: UInt8) -> Estimate | None:
        self.asked.append(case.name)
        assert picture.ndim == 3
        return self.says(case)

    def close(self) -> None:
        pass
