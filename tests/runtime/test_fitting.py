from dataclasses import replace

import numpy as np
import pytest

from pixie_runtime import fitting, rotations
from pixie_runtime.body import BodyModel, ShapedBody, embedded_body_model
from pixie_runtime.body_points import palm_points, pose_points, skull_points
from pixie_runtime.correspondences import correspondences
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.types import (
    Camera,
    FaceLandmarks,
    Float32,
    HandLandmarks,
    PersonLandmarks,
    PoseLandmarks,
)

CAMERA = Camera.with_field_of_view(1280, 720, 60)
TRANSL = np.array([0.2, 0.1, 3.0], np.float32)
BODY = slice(0, 22)


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


@pytest.fixture(scope="module")
def shaped(model: BodyModel) -> ShapedBody:
    return model.shaped(np.zeros(1, np.float32), np.zeros(1, np.float32))


def pose(seed: int, sd: float = 0.25) -> Float32:
    """Return a person who faces the camera, with joints turned at random."""
    random = np.random.default_rng(seed)
    q = rotations.identity(55)
    q[1:22] = rotations.from_rotvec(random.normal(0, sd, (21, 3)).astype(np.float32))
    q[0] = [0, 1, 0, 0]
    return q


def disturbed(q: Float32, seed: int, sd: float = 0.12) -> Float32:
    random = np.random.default_rng(seed)
    names = ("left_shoulder", "right_elbow", "left_hip", "right_knee", "pelvis")
    out = q.copy()
    for name in names:
        w = random.normal(0, sd, 3).astype(np.float32)
        joint = JOINT_INDEX[name]
        out[joint] = rotations.multiply(out[joint], rotations.from_rotvec(w))
    return out


def landmarks_of(shaped: ShapedBody, q: Float32, t: Float32) -> PersonLandmarks:
    """Return what a perfect detector would see of a body."""
    transforms = shaped.posed(q, t).transforms
    image = np.zeros((33, 3), np.float32)
    image[:, :2] = CAMERA.project(pose_points().place(transforms))
    ones = np.ones(33, np.float32)
    zeros = np.zeros((33, 3), np.float32)
    return PersonLandmarks(pose=PoseLandmarks(image, zeros, ones, ones, 1.0))


def fit(
    shaped: ShapedBody, start: Float32, seen: PersonLandmarks
) -> tuple[Float32, Float32]:
    found = correspondences(shaped.model, seen, CAMERA)
    return fitting.fit(shaped, start, TRANSL, found)


def reprojection(
    shaped: ShapedBody, q: Float32, t: Float32, seen: PersonLandmarks
) -> float:
    """Return the mean distance of landmarks from the body's points, pixels."""
    assert seen.pose is not None
    pixels = CAMERA.project(pose_points().place(shaped.posed(q, t).transforms))
    gaps = np.linalg.norm(pixels - seen.pose.image[:, :2], axis=1)
    return float(gaps[11:].mean())


@pytest.mark.parametrize("seed", range(6))
def test_a_disturbed_body_is_brought_back_onto_its_landmarks(
    shaped: ShapedBody, seed: int
) -> None:
    true = pose(seed)
    seen = landmarks_of(shaped, true, TRANSL)
    start = disturbed(true, seed)
    q, t = fit(shaped, start, seen)
    before = reprojection(shaped, start, TRANSL, seen)
    after = reprojection(shaped, q, t, seen)
    assert after < 0.4 * before


def test_in_space_too_bodies_come_nearer_to_the_truth(shaped: ShapedBody) -> None:
    before: list[float] = []
    after: list[float] = []
    for seed in range(20):
        true = pose(seed)
        seen = landmarks_of(shaped, true, TRANSL)
        start = disturbed(true, seed)
        q, t = fit(shaped, start, seen)
        bodies = [
            shaped.posed(*body).joints[BODY] for body in ((start, TRANSL), (q, t))
        ]
        expected = shaped.posed(true, TRANSL).joints[BODY]
        for errors, joints in zip((before, after), bodies, strict=True):
            gap = (joints - joints[0]) - (expected - expected[0])
            errors.append(float(np.linalg.norm(gap, axis=1).mean()))
    assert np.mean(after) < 0.9 * np.mean(before)


def test_a_body_that_explains_its_landmarks_stays_as_it_is(shaped: ShapedBody) -> None:
    true = pose(3)
    q, t = fit(shaped, true, landmarks_of(shaped, true, TRANSL))
    np.testing.assert_allclose(t, TRANSL, atol=1e-3)
    assert rotations.angle_between(q, true).max() < 2e-3


def test_one_landmark_gone_astray_does_not_drag_the_arm_along(
    shaped: ShapedBody,
) -> None:
    true = pose(4)
    seen = landmarks_of(shaped, true, TRANSL)
    assert seen.pose is not None
    seen.pose.image[15, :2] += 200
    q, t = fit(shaped, true, seen)
    joints, expected = (shaped.posed(*b).joints for b in ((q, t), (true, TRANSL)))
    assert np.linalg.norm(joints - expected, axis=1)[BODY].max() < 0.2


def test_what_was_not_seen_stays_as_regressed(shaped: ShapedBody) -> None:
    true = pose(5)
    seen = landmarks_of(shaped, true, TRANSL)
    assert seen.pose is not None
    start = disturbed(true, 5)
    blind = replace(seen, pose=replace(seen.pose, visibility=np.zeros(33, np.float32)))
    q, t = fit(shaped, start, blind)
    np.testing.assert_allclose(q, start, atol=1e-5)
    np.testing.assert_allclose(t, TRANSL, atol=1e-5)


def test_hands_and_face_that_were_found_lead_wrists_and_head(
    model: BodyModel, shaped: ShapedBody
) -> None:
    true = pose(6)
    seen = landmarks_of(shaped, true, TRANSL)
    transforms = shaped.posed(true, TRANSL).transforms
    palm, skull = palm_points("left"), skull_points(model)
    assert skull is not None
    hand, face = np.zeros((21, 3), np.float32), np.zeros((468, 3), np.float32)
    hand[palm.landmark, :2] = CAMERA.project(palm.place(transforms))
    face[skull.landmark, :2] = CAMERA.project(skull.place(transforms))
    seen = replace(
        seen,
        left_hand=HandLandmarks(hand, np.zeros_like(hand), 1.0),
        face=FaceLandmarks(face, 1.0),
    )
    start = disturbed(true, 6)
    q, t = fit(shaped, start, seen)
    after = shaped.posed(q, t).transforms
    for points, image in ((palm, hand), (skull, face)):
        gap = CAMERA.project(points.place(after)) - image[points.landmark, :2]
        assert np.linalg.norm(gap, axis=1).mean() < 6


def test_the_points_of_both_sides_mirror_each_other() -> None:
    offsets = pose_points().offset
    for left, right in ((11, 12), (15, 16), (23, 24), (27, 28), (31, 32)):
        np.testing.assert_allclose(offsets[left], offsets[right] * [-1, 1, 1])
