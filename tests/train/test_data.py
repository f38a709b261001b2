import numpy as np
import pytest
import torch

from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JOINT_INDEX
from pixie_train import rotations
from pixie_train.data.hands import HandSampler
from pixie_train.data.landmark_points import hand_points, pose_points
from pixie_train.data.motion import MotionBank
from pixie_train.data.people import PeopleFactory
from pixie_train.data.poses import PoseSampler
from pixie_train.data.sampling import Dice
from pixie_train.data.synthetic import draw_batch


def is_rotation(R: torch.Tensor) -> bool:
    eye = torch.eye(3).expand_as(R)
    orthogonal = torch.allclose(R @ R.transpose(-1, -2), eye, atol=1e-4)
    return orthogonal and bool((torch.linalg.det(R) > 0).all())


def test_motion_clips_are_poses_of_people_who_mostly_stand(bank: MotionBank) -> None:
    R = torch.from_numpy(bank.body).float()
    assert len(R) > 1000
    assert is_rotation(R)
    up = R[:, 0, 1, 1]
    assert (up > 0.7).float().mean() > 0.5


def test_walking_people_have_their_arms_down(
    bank: MotionBank, model: BodyModel
) -> None:
    R = bank.body[:, JOINT_INDEX["left_shoulder"]]
    upper_arm = R @ np.array([1.0, 0, 0])
    assert np.median(upper_arm[:, 1]) < -0.2


def test_drawn_poses_are_rotations_and_the_seed_decides_them(bank: MotionBank) -> None:
    sampler = PoseSampler(bank)
    seen = torch.ones(64, dtype=torch.bool)
    first, again, other = (
        sampler.sample(Dice(seed), 64, legs_seen=seen) for seed in (1, 1, 2)
    )
    assert is_rotation(first)
    torch.testing.assert_close(first, again, atol=0, rtol=0)
    assert not torch.allclose(first, other)


def test_legs_that_nobody_sees_mostly_stand_or_sit(bank: MotionBank) -> None:
    R = PoseSampler(bank).sample(
        Dice(0), 512, legs_seen=torch.zeros(512, dtype=torch.bool)
    )
    sideways = R[:, JOINT_INDEX["left_hip"], 0, 1].abs()
    assert sideways.median() < 0.35


def test_fingers_bend_towards_the_palm_on_both_hands(model: BodyModel) -> None:
    R = HandSampler(model).sample(Dice(0), 256)
    assert is_rotation(R)
    # Rest hands lie palm down along x: a bent finger points down.
    left = (R[:, 0] @ torch.tensor([1.0, 0, 0]))[:, 1]
    right = (R[:, 15] @ torch.tensor([-1.0, 0, 0]))[:, 1]
    assert left.mean() < -0.2
    assert right.mean() < -0.2
    torch.testing.assert_close(left.mean(), right.mean(), atol=0.15, rtol=0)


def test_pose_landmarks_lie_where_their_names_say(model: BodyModel) -> None:
    points = pose_points()
    places = torch.from_numpy(np.array(model.J_template))[points.joint] + points.offset
    nose, left_ear, left_heel, left_toe = places[[0, 7, 29, 31]]
    assert nose[2] > places[7:9, 2].max()
    assert left_ear[0] > 0.035
    assert left_toe[2] > left_heel[2] + 0.15
    mirrored = places[[8, 12, 16, 24, 28, 32]] * torch.tensor([-1.0, 1, 1])
    torch.testing.assert_close(
        mirrored, places[[7, 11, 15, 23, 27, 31]], atol=0.01, rtol=0
    )


@pytest.mark.parametrize("side", ["left", "right"])
def test_finger_tips_lie_beyond_the_last_joints(model: BodyModel, side: str) -> None:
    points = hand_points(model, side)
    tips = points.offset[[4, 8, 12, 16, 20]].norm(dim=-1)
    assert ((tips > 0.01) & (tips < 0.045)).all()


def test_a_batch_is_what_its_seed_says_and_nothing_is_broken(
    factory: PeopleFactory,
) -> None:
    with torch.no_grad():
        landmarks, truth = draw_batch(factory, Dice(5), 256)
        again, _ = draw_batch(factory, Dice(5), 256)
    assert is_rotation(truth.rotations)
    for name, tensor in vars(landmarks).items():
        assert tensor.isfinite().all(), name
        torch.testing.assert_close(tensor, vars(again)[name], atol=0, rtol=0)
    assert 0.5 < truth.pose_seen.float().mean() < 0.95
    assert landmarks.present.mean(0).min() > 0.25


def test_detected_3d_landmarks_are_near_the_true_ones(factory: PeopleFactory) -> None:
    with torch.no_grad():
        landmarks, truth = draw_batch(factory, Dice(6), 512)
    body = truth.parts_seen[:, 0]
    points = factory.pose_points
    true = truth.skeleton.attached(points.joint, points.offset)
    true = true - true[:, 23:25].mean(1, keepdim=True)
    gap = (landmarks.pose_world - true)[body].norm(dim=-1)
    assert 0.04 < gap.median() < 0.16


def test_people_turned_to_other_axes_stay_the_same_people(
    factory: PeopleFactory,
) -> None:
    with torch.no_grad():
        _, truth = draw_batch(factory, Dice(7), 8)
    turn = rotations.matrix_from_rotvec(torch.randn(8, 3))
    back = truth.turned(turn).turned(turn.transpose(-1, -2))
    torch.testing.assert_close(
        back.skeleton.joints, truth.skeleton.joints, atol=1e-5, rtol=0
    )
    torch.testing.assert_close(back.rotations, truth.rotations, atol=1e-5, rtol=0)
