from dataclasses import replace

import pytest
import torch

from pixie_train import rotations
from pixie_train.data.people import PeopleFactory
from pixie_train.data.sampling import Dice
from pixie_train.data.synthetic import draw_batch
from pixie_train.networks.landmark_inputs import LandmarkBatch, normalise

SIDES = torch.tensor([-1.0, 1.0, 1.0])
# Pose landmarks with left and right exchanged.
POSE_MIRROR = [0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9] + [
    i + 1 if i % 2 else i - 1 for i in range(11, 33)
]


@pytest.fixture(scope="module")
def landmarks(factory: PeopleFactory) -> LandmarkBatch:
    with torch.no_grad():
        batch, _ = draw_batch(factory, Dice(0), 64)
    return replace(batch, present=torch.ones(64, 4))


def test_inputs_are_finite_even_with_nobody_there() -> None:
    empty = LandmarkBatch(
        pose_rays=torch.zeros(1, 33, 3),
        pose_world=torch.zeros(1, 33, 3),
        pose_visibility=torch.zeros(1, 33),
        hand_rays=torch.zeros(1, 2, 21, 3),
        hand_world=torch.zeros(1, 2, 21, 3),
        face_rays=torch.zeros(1, 152, 3),
        present=torch.zeros(1, 4),
    )
    inputs = normalise(empty)
    for vector in (inputs.body, inputs.hands, inputs.head):
        assert vector.isfinite().all()
        assert vector.abs().max() == 0


def test_a_body_seen_from_elsewhere_is_the_same_body_in_its_torso_axes(
    landmarks: LandmarkBatch,
) -> None:
    turn = rotations.matrix_from_rotvec(torch.tensor([[0.4, 1.1, -0.3]]))
    turned = replace(landmarks, pose_world=landmarks.pose_world @ turn)
    world = slice(198, 198 + 99)
    torch.testing.assert_close(
        normalise(turned).body[:, world],
        normalise(landmarks).body[:, world],
        atol=1e-4,
        rtol=0,
    )


def test_left_hands_look_like_right_hands_in_a_mirror(landmarks: LandmarkBatch) -> None:
    mirrored = LandmarkBatch(
        pose_rays=landmarks.pose_rays[:, POSE_MIRROR] * SIDES,
        pose_world=landmarks.pose_world[:, POSE_MIRROR] * SIDES,
        pose_visibility=landmarks.pose_visibility[:, POSE_MIRROR],
        hand_rays=landmarks.hand_rays.flip(1) * SIDES,
        hand_world=landmarks.hand_world.flip(1) * SIDES,
        face_rays=landmarks.face_rays * SIDES,
        present=landmarks.present,
    )
    torch.testing.assert_close(
        normalise(mirrored).hands[:, 1],
        normalise(landmarks).hands[:, 0],
        atol=5e-3,
        rtol=1e-3,
    )


def test_an_absent_part_leaves_zeros(landmarks: LandmarkBatch) -> None:
    without = landmarks.present.clone()
    without[:, 1] = 0
    inputs = normalise(replace(landmarks, present=without))
    assert inputs.hands[:, 0].abs().max() == 0
    assert inputs.hands[:, 1].abs().max() > 0
