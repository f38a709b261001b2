from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pixie_runtime.attention import FACE_68
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.bundle import Bundle, CropSpec, embedded_bundle
from pixie_runtime.crops import Square, square_crop
from pixie_runtime.errors import BundleError
from pixie_runtime.part_estimator import EXPERTS, Expert, PartEstimator
from pixie_runtime.smoothing import PersonSmoother
from pixie_runtime.smplx import (
    JAW,
    JOINT_INDEX,
    LEFT_HAND_JOINTS,
    MIRRORED_JOINTS,
    RIGHT_HAND_JOINTS,
)
from pixie_runtime.types import Camera, Frame, PersonLandmarks
from tests.runtime.image_bundle import (
    N_BETAS,
    PART_SCALE,
    watched_engines,
    write_image_bundle,
)
from tests.runtime.test_attention import body, hand_at, mesh_of, pose_of
from tests.runtime.test_image_estimator import VIEW, frame

NOTHING = PersonLandmarks()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return write_image_bundle(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


def resting(q: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> list[int]:
    return [int(j) for j in np.flatnonzero(np.abs(q[:, 0]) > 1 - 1e-7)]


def test_a_head_s_square_is_that_of_its_68_landmarks(
    bundle: Bundle, model: BodyModel
) -> None:
    engines = watched_engines(bundle)
    estimator = PartEstimator(bundle, model, "head", engines=engines)
    face = mesh_of(body(7))
    person = estimator.estimate(PersonLandmarks(face=face), frame(), VIEW)
    estimator.close()
    assert person is not None
    points = face.image[list(FACE_68), :2].astype(float)
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    side = int(2.0 * 1.1 * (right - left + bottom - top) / 2)
    square = Square((left + right) / 2, (top + bottom) / 2, side)
    (given,) = engines["head"].given
    expected = square_crop(frame().image, square, 224).image
    np.testing.assert_allclose(given["image"][0], expected, atol=1e-6)
    head = VIEW.project(person.joints)[JOINT_INDEX["head"]]
    assert np.linalg.norm(head - [square.x, square.y]) < 0.03 * side


def test_of_a_head_the_body_rests_and_turns_with_it(
    bundle: Bundle, model: BodyModel
) -> None:
    estimator = PartEstimator(bundle, model, "head")
    landmarks = PersonLandmarks(face=mesh_of(body(7)), right_hand=hand_at(0, 0, 9))
    person = estimator.estimate(landmarks, frame(), VIEW)
    estimator.close()
    assert person is not None
    q = person.params.rotations
    assert set(range(55)) - set(resting(q)) == {0, JAW}
    assert person.params.betas.any()
    assert person.params.expression.any()
    assert person.confidence.face == pytest.approx(0.9)
    confidence = person.confidence
    assert confidence.body == confidence.left_hand == confidence.right_hand == 0


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_hand_poses_its_own_wrist_and_fingers_only(
    bundle: Bundle, model: BodyModel, side: str
) -> None:
    estimator = PartEstimator(bundle, model, "hand")
    hand, pose = hand_at(800, 400, 120), pose_of(body(7))
    landmarks = PersonLandmarks(pose=pose, right_hand=hand)
    if side == "left":
        landmarks = PersonLandmarks(pose=pose, left_hand=hand)
    person = estimator.estimate(landmarks, frame(), VIEW)
    estimator.close()
    assert person is not None
    fingers = LEFT_HAND_JOINTS if side == "left" else RIGHT_HAND_JOINTS
    moved = set(range(55)) - set(resting(person.params.rotations))
    assert moved == {0, JOINT_INDEX[f"{side}_wrist"], *fingers}
    assert person.params.betas.shape == (N_BETAS,)
    assert not person.params.betas.any()
    wrist = VIEW.project(person.joints)[JOINT_INDEX[f"{side}_wrist"]]
    assert np.linalg.norm(wrist - [800, 400]) < 20
    assert getattr(person.confidence, f"{side}_hand") == pytest.approx(0.9)
    assert person.confidence.face == person.confidence.body == 0


def test_a_left_hand_is_the_mirror_image_of_the_right_one(
    bundle: Bundle, model: BodyModel
) -> None:
    estimator = PartEstimator(bundle, model, "hand")
    hand, picture = hand_at(700, 300, 120), frame()
    twin = replace(hand, image=hand.image.copy())
    twin.image[:, 0] = 1280 - twin.image[:, 0]
    mirrored = replace(picture, image=np.ascontiguousarray(picture.image[:, ::-1]))
    right = estimator.estimate(PersonLandmarks(right_hand=hand), picture, VIEW)
    left = estimator.estimate(PersonLandmarks(left_hand=twin), mirrored, VIEW)
    estimator.close()
    assert left is not None
    assert right is not None
    expected = right.joints[list(MIRRORED_JOINTS)] * np.array([-1, 1, 1])
    # The mean body is not quite its own mirror image.
    np.testing.assert_allclose(left.joints, expected, atol=2e-3)


def test_of_two_hands_the_surer_one_is_looked_at(
    bundle: Bundle, model: BodyModel
) -> None:
    estimator = PartEstimator(bundle, model, "hand")
    sure = replace(hand_at(300, 300, 80), score=0.99)
    both = PersonLandmarks(left_hand=sure, right_hand=hand_at(900, 300, 80))
    person = estimator.estimate(both, frame(), VIEW)
    estimator.close()
    assert person is not None
    assert person.confidence.left_hand == pytest.approx(0.99)
    assert person.confidence.right_hand == 0


@pytest.mark.parametrize("part", EXPERTS)
def test_a_part_that_turns_and_moves_is_followed(
    bundle: Bundle, model: BodyModel, part: Expert
) -> None:
    """The body, of which nothing is seen, is only what the part is moved by."""
    estimator, smoother = PartEstimator(bundle, model, part), PersonSmoother()
    seen, people = frame(), []
    for index in range(15):
        face, hand = mesh_of(body(7)), hand_at(500 + 20 * index, 300, 120)
        moved = face.moved(np.array([20 * index, 0], np.float32))
        landmarks = PersonLandmarks(face=moved, right_hand=hand)
        now = replace(seen, timestamp_s=index / 30)
        found = estimator.estimate(landmarks, now, VIEW)
        assert found is not None
        people.append((found, smoother.smooth(found, model)))
    estimator.close()
    (first, _), (last, smoothed) = people[0], people[-1]
    moved_m = np.linalg.norm(last.joints - first.joints, axis=1)
    late_m = np.linalg.norm(last.joints - smoothed.joints, axis=1)
    assert moved_m.min() > 0.1
    assert late_m.max() < 0.3 * moved_m.min()


@pytest.mark.parametrize("part", EXPERTS)
@pytest.mark.parametrize(("width", "height"), [(60, 40), (30, 90), (1, 1)])
def test_a_picture_known_to_show_a_part_is_that_part(
    bundle: Bundle, model: BodyModel, part: Expert, width: int, height: int
) -> None:
    engines = watched_engines(bundle)
    estimator = PartEstimator(bundle, model, part, whole_picture=True, engines=engines)
    image = np.full((height, width, 3), 255, np.uint8)
    camera = Camera.with_field_of_view(width, height, 60)
    person = estimator.estimate(NOTHING, Frame(0, 0.0, 0, image), camera)
    estimator.close()
    assert person is not None
    assert np.isfinite(person.joints).all()
    assert person.confidence.face == (part == "head")
    assert person.confidence.right_hand == (part == "hand")
    (given,) = engines[part].given
    covered = float(given["image"].mean())
    if min(width, height) > 1:
        assert covered == pytest.approx(
            min(width, height) / max(width, height), abs=0.04
        )


@pytest.mark.parametrize("part", EXPERTS)
def test_where_the_part_was_not_found_there_is_nobody(
    bundle: Bundle, model: BodyModel, part: Expert
) -> None:
    engines = watched_engines(bundle)
    estimator = PartEstimator(bundle, model, part, engines=engines)
    assert estimator.estimate(NOTHING, frame(), VIEW) is None
    estimator.close()
    assert engines[part].given == []


def test_a_square_picture_of_a_part_is_shown_to_its_corners(
    bundle: Bundle, model: BodyModel
) -> None:
    engines = watched_engines(bundle)
    estimator = PartEstimator(
        bundle, model, "head", whole_picture=True, engines=engines
    )
    image = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    camera = Camera.with_field_of_view(224, 224, 60)
    estimator.estimate(NOTHING, Frame(0, 0.0, 0, image), camera)
    estimator.close()
    (given,) = engines["head"].given
    expected = image.transpose(2, 0, 1) / 255
    np.testing.assert_allclose(given["image"][0], expected, atol=1e-6)


def test_a_head_is_as_large_as_the_network_s_camera_says(
    bundle: Bundle, model: BodyModel
) -> None:
    estimator = PartEstimator(bundle, model, "head", whole_picture=True)
    person = estimator.estimate(NOTHING, frame(), VIEW)
    estimator.close()
    assert person is not None
    span = 1279 * CropSpec().size / (CropSpec().size - 1)
    depth = 2 * VIEW.focal_px / (PART_SCALE * span)
    nearest = person.joints[[JOINT_INDEX["head"], 22, 23, 24], 2].mean()
    assert nearest == pytest.approx(depth, abs=0.02)


@pytest.mark.parametrize("part", EXPERTS)
def test_other_bundles_are_refused_and_another_body_is_told(
    tmp_path: Path, model: BodyModel, part: Expert
) -> None:
    with pytest.raises(BundleError, match="of kind 'image'"):
        PartEstimator(embedded_bundle(), model, part)
    whole_only = write_image_bundle(tmp_path, networks=("body", "head", "hand"))
    with pytest.raises(BundleError, match=f"no network '{part}_alone'"):
        PartEstimator(whole_only, model, part)


def test_another_body_gets_rotations_only_and_says_so(
    bundle: Bundle, model: BodyModel
) -> None:
    stranger = replace(model, sha256="0" * 64, name="stranger")
    estimator = PartEstimator(bundle, stranger, "head", whole_picture=True)
    assert estimator.warning is not None
    person = estimator.estimate(NOTHING, frame(), VIEW)
    estimator.reset()
    estimator.close()
    assert person is not None
    assert person.params.betas.shape == (0,)


def test_all_engines_are_closed_with_the_estimator(
    bundle: Bundle, model: BodyModel
) -> None:
    engines = watched_engines(bundle)
    PartEstimator(bundle, model, "hand", engines=engines).close()
    assert all(engine.closed for engine in engines.values())
