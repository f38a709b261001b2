from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pixie_runtime import placement, rotations
from pixie_runtime.body import BodyModel, PosedBody, embedded_body_model
from pixie_runtime.body_points import pose_points
from pixie_runtime.bundle import embedded_bundle
from pixie_runtime.correspondences import correspondences
from pixie_runtime.errors import BundleError
from pixie_runtime.estimator import LandmarkEstimator, network_inputs
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.smplx import JOINT_INDEX, MIRRORED_JOINTS
from pixie_runtime.types import (
    Camera,
    Frame,
    HandLandmarks,
    Person,
    PersonLandmarks,
    PoseLandmarks,
)

FOOTAGE = Path(__file__).parents[1] / "footage"
POSE_JOINTS = {11: 16, 12: 17, 2: 23, 5: 24}
"""Shoulders and eyes: pose landmarks and their joints."""


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


@pytest.fixture(scope="module")
def estimator(model: BodyModel) -> Iterator[LandmarkEstimator]:
    estimator = LandmarkEstimator(embedded_bundle(), model)
    yield estimator
    estimator.close()


def picture(name: str) -> Frame:
    image = cv2.imread(str(FOOTAGE / name))
    assert image is not None
    return Frame(0, 0.0, 0, np.ascontiguousarray(image[..., ::-1], np.uint8))


def camera_of(frame: Frame) -> Camera:
    height, width = frame.image.shape[:2]
    return Camera.with_field_of_view(width, height, 60)


def detect(frame: Frame) -> PersonLandmarks:
    landmarker = PixieLandmarker()
    try:
        return landmarker.detect(frame)
    finally:
        landmarker.close()


def estimated(
    estimator: LandmarkEstimator, name: str
) -> tuple[Person, PersonLandmarks]:
    frame = picture(name)
    landmarks = detect(frame)
    person = estimator.estimate(landmarks, frame, camera_of(frame))
    assert person is not None
    return person, landmarks


def seen_exactly(body: PosedBody, camera: Camera) -> PersonLandmarks:
    """Return pose landmarks exactly where the body's points are."""
    image = np.zeros((33, 3), np.float32)
    image[:, :2] = camera.project(pose_points().place(body.transforms))
    ones = np.ones(33, np.float32)
    return PersonLandmarks(
        pose=PoseLandmarks(image, np.zeros((33, 3), np.float32), ones, ones, 1.0)
    )


@pytest.mark.parametrize("where", [(0.0, 0.0, 3.0), (1.0, -0.3, 4.0), (-0.2, 0.1, 0.9)])
def test_a_body_is_placed_where_its_landmarks_say(
    model: BodyModel, where: tuple[float, float, float]
) -> None:
    camera = Camera.with_field_of_view(1280, 720, 70)
    q = rotations.identity(55)
    q[0] = [0, 1, 0, 0]
    shaped = model.shaped(np.zeros(1, np.float32), np.zeros(1, np.float32))
    transl = np.array(where, np.float32)
    landmarks = seen_exactly(shaped.posed(q, transl), camera)
    seen = correspondences(model, landmarks, camera)
    body = shaped.posed(q, np.zeros(3, np.float32))
    found = placement.translation(body.transforms, seen)
    np.testing.assert_allclose(found, transl, atol=2e-3)


def test_one_landmark_gone_astray_hardly_moves_the_body(model: BodyModel) -> None:
    camera = Camera.with_field_of_view(1280, 720, 70)
    q = rotations.identity(55)
    q[0] = [0, 1, 0, 0]
    shaped = model.shaped(np.zeros(1, np.float32), np.zeros(1, np.float32))
    transl = np.array([0.1, 0.2, 3.0], np.float32)
    landmarks = seen_exactly(shaped.posed(q, transl), camera)
    assert landmarks.pose is not None
    landmarks.pose.image[16, :2] += 300
    seen = correspondences(model, landmarks, camera)
    body = shaped.posed(q, np.zeros(3, np.float32))
    found = placement.translation(body.transforms, seen)
    np.testing.assert_allclose(found, transl, atol=0.06)


def test_nobody_gives_nobody(estimator: LandmarkEstimator) -> None:
    frame = Frame(0, 0.0, 0, np.zeros((48, 64, 3), np.uint8))
    assert estimator.estimate(PersonLandmarks(), frame, camera_of(frame)) is None


def test_a_portrait_faces_the_camera_upright(estimator: LandmarkEstimator) -> None:
    person, landmarks = estimated(estimator, "face_recognition_obama2.jpg")
    assert landmarks.pose is not None
    absolute = rotations.to_matrix(person.params.rotations[0])
    forward, up = absolute[:, 2], absolute[:, 1]
    assert forward[2] < -0.6
    assert up[1] < -0.6
    left, right = (
        person.joints[JOINT_INDEX[f"{s}_shoulder"]] for s in ("left", "right")
    )
    assert left[0] > right[0]
    assert 0.5 < person.params.transl[2] < 4
    assert person.confidence.body > 0.2
    assert person.confidence.face > 0.2


def test_joints_project_near_the_landmarks_of_the_picture(
    estimator: LandmarkEstimator,
) -> None:
    person, landmarks = estimated(estimator, "face_recognition_obama2.jpg")
    assert landmarks.pose is not None
    pixels = person.camera.project(person.joints)
    face_width = np.ptp(landmarks.pose.image[:11, 0])
    for landmark in (11, 12, 2, 5):
        gap = np.linalg.norm(
            pixels[POSE_JOINTS[landmark]] - landmarks.pose.image[landmark, :2]
        )
        assert gap < 0.8 * face_width, landmark


def test_a_mirrored_picture_gives_a_mirrored_person(
    estimator: LandmarkEstimator,
) -> None:
    frame = picture("face_recognition_obama2.jpg")
    camera = camera_of(frame)
    landmarks = detect(frame)
    person = estimator.estimate(landmarks, frame, camera)
    twin = estimator.estimate(mirrored(landmarks, camera), frame, camera)
    assert person is not None
    assert twin is not None
    expected = person.joints[list(MIRRORED_JOINTS)] * [-1, 1, 1]
    body = slice(0, 22)
    ours, theirs = (j[body] - j[0] for j in (twin.joints, expected))
    gap = np.linalg.norm(ours - theirs, axis=1)
    assert np.median(gap) < 0.06


def mirrored(landmarks: PersonLandmarks, camera: Camera) -> PersonLandmarks:
    """Return the landmarks of the mirrored picture."""
    pose, width = landmarks.pose, camera.size_px[0]
    assert pose is not None
    swap = [0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9]
    swap += [i + 1 if i % 2 else i - 1 for i in range(11, 33)]
    image = pose.image[swap] * np.array([-1, 1, 1], np.float32) + np.array(
        [width, 0, 0], np.float32
    )
    return PersonLandmarks(
        pose=replace(
            pose,
            image=image,
            world=pose.world[swap] * np.array([-1, 1, 1], np.float32),
            visibility=pose.visibility[swap],
            presence=pose.presence[swap],
        )
    )


def test_parts_that_were_not_seen_have_no_confidence(
    estimator: LandmarkEstimator,
) -> None:
    person, landmarks = estimated(estimator, "skimage_astronaut.png")
    for part in ("left_hand", "right_hand"):
        if getattr(landmarks, part) is None:
            assert getattr(person.confidence, part) == 0


def test_a_hand_alone_gives_a_person_with_a_placed_hand(
    estimator: LandmarkEstimator, model: BodyModel
) -> None:
    camera = Camera.with_field_of_view(640, 480, 60)
    joints = [JOINT_INDEX["right_wrist"]] + [
        JOINT_INDEX[f"right_{finger}{min(bone, 3)}"]
        for finger in ("thumb", "index", "middle", "ring", "pinky")
        for bone in (1, 2, 3, 4)
    ]
    points = model.J_template[joints] - model.J_template[joints[0]]
    world = points @ rotations.to_matrix(np.array([0, 1, 0, 0], np.float32)).T
    image = np.zeros((21, 3), np.float32)
    image[:, :2] = camera.project(
        np.asarray(world + np.array([0.1, 0, 0.6]), np.float32)
    )
    hand = HandLandmarks(image, world.astype(np.float32), 0.9)
    frame = Frame(0, 0.0, 0, np.zeros((480, 640, 3), np.uint8))
    person = estimator.estimate(PersonLandmarks(right_hand=hand), frame, camera)
    assert person is not None
    assert np.isfinite(person.joints).all()
    assert person.confidence.body == 0
    assert person.confidence.right_hand > 0.1
    wrist = camera.project(person.joints)[JOINT_INDEX["right_wrist"]]
    assert np.linalg.norm(wrist - image[0, :2]) < 60


def test_absent_parts_are_zeros_and_pixels_become_rays() -> None:
    camera = Camera(500.0, (320.0, 240.0), (640, 480))
    image = np.tile(np.array([[820, 240, 50]], np.float32), (21, 1))
    hand = HandLandmarks(image, np.zeros((21, 3), np.float32), 1.0)
    inputs = network_inputs(PersonLandmarks(left_hand=hand), camera)
    np.testing.assert_allclose(inputs["hand_rays"][0, 0, 0], [1.0, 0.0, 0.1])
    assert inputs["hand_rays"][0, 1].max() == 0
    assert inputs["present"].tolist() == [[0, 1, 0, 0]]


def test_another_body_gets_rotations_only_and_says_so(model: BodyModel) -> None:
    stranger = replace(model, sha256="0" * 64, name="stranger")
    estimator = LandmarkEstimator(embedded_bundle(), stranger)
    assert estimator.warning is not None
    assert "stranger" in estimator.warning
    person, _ = estimated(estimator, "face_recognition_obama2.jpg")
    assert not person.params.betas.any()
    assert not person.params.expression.any()


def test_a_bundle_of_another_kind_is_refused(model: BodyModel) -> None:
    bundle = embedded_bundle()
    image = replace(bundle, manifest=replace(bundle.manifest, kind="image"))
    with pytest.raises(BundleError, match="of kind 'landmark'"):
        LandmarkEstimator(image, model)
