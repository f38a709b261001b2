"""The PyPI smplx package is the peer: same files, same parameters, same bodies."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import smplx
import torch

from pixie_runtime import rotations as rot
from pixie_runtime.body import (
    BodyModel,
    PosedBody,
    embedded_body_model,
    load_body_model,
)
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.types import Float32
from tests.runtime.body.files import in_smplx_layout, licensed_stand_in, save

TOLERANCE_M = 1e-5


@dataclass(frozen=True)
class Pair:
    """Our model and the peer's, from the same file or, for ours, its origin."""

    ours: BodyModel
    peer: smplx.SMPLX


def peer_of(path: Path, n_betas: int, n_expression: int) -> smplx.SMPLX:
    return smplx.create(
        str(path),
        model_type="smplx",
        ext="npz",
        use_pca=False,
        flat_hand_mean=True,
        num_betas=n_betas,
        num_expression_coeffs=n_expression,
        use_face_contour=True,
    )


@pytest.fixture(scope="module", params=["embedded", "licensed layout"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Pair:
    path = tmp_path_factory.mktemp("model") / "SMPLX_NEUTRAL.npz"
    if request.param == "embedded":
        ours = embedded_body_model()
        save(path, in_smplx_layout(ours))
    else:
        ours = load_body_model(save(path, licensed_stand_in()))
    return Pair(ours, peer_of(path, ours.n_betas, ours.n_expression))


@dataclass(frozen=True)
class Parameters:
    betas: Float32
    expression: Float32
    rotations: Float32
    transl: Float32


def random_parameters(model: BodyModel, seed: int, *, head: bool = True) -> Parameters:
    rng = np.random.default_rng(seed)
    rotvecs = rng.normal(0, 0.5, (JOINT_COUNT, 3))
    rotvecs[0] = rng.normal(0, 1.5, 3)
    if not head:
        rotvecs[15] = 0
    return Parameters(
        betas=rng.normal(0, 1, model.n_betas).astype(np.float32),
        expression=rng.normal(0, 1, model.n_expression).astype(np.float32),
        rotations=rot.from_rotvec(rotvecs).astype(np.float32),
        transl=rng.normal(0, 1, 3).astype(np.float32),
    )


def ours(pair: Pair, p: Parameters) -> PosedBody:
    return pair.ours.shaped(p.betas, p.expression).posed(p.rotations, p.transl)


def peers(pair: Pair, p: Parameters) -> tuple[Float32, Float32]:
    """Return the peer's vertices (V, 3) and joints (144, 3)."""
    rotvecs = torch.tensor(rot.to_rotvec(p.rotations)).reshape(1, -1)
    parts = {
        "global_orient": slice(0, 3),
        "body_pose": slice(3, 66),
        "jaw_pose": slice(66, 69),
        "leye_pose": slice(69, 72),
        "reye_pose": slice(72, 75),
        "left_hand_pose": slice(75, 120),
        "right_hand_pose": slice(120, 165),
    }
    with torch.no_grad():
        output = pair.peer(
            betas=torch.tensor(p.betas)[None],
            expression=torch.tensor(p.expression)[None],
            transl=torch.tensor(p.transl)[None],
            **{name: rotvecs[:, part] for name, part in parts.items()},
        )
    return output.vertices[0].numpy(), output.joints[0].numpy()


@pytest.mark.parametrize("seed", range(5))
def test_vertices_and_joints_are_the_peers(pair: Pair, seed: int) -> None:
    parameters = random_parameters(pair.ours, seed)

    posed = ours(pair, parameters)
    vertices, joints = peers(pair, parameters)

    np.testing.assert_allclose(posed.joints, joints[:55], atol=TOLERANCE_M, rtol=0)
    np.testing.assert_allclose(posed.vertices(), vertices, atol=TOLERANCE_M, rtol=0)


@pytest.mark.parametrize("seed", range(5))
def test_face_landmarks_are_the_peers_when_the_head_is_straight_on_the_neck(
    pair: Pair, seed: int
) -> None:
    # The peer reads the yaw from the neck, we from the head that carries the face.
    parameters = random_parameters(pair.ours, seed, head=False)

    _, joints = peers(pair, parameters)

    np.testing.assert_allclose(
        ours(pair, parameters).landmarks68(), joints[-68:], atol=TOLERANCE_M, rtol=0
    )
