from dataclasses import replace

import numpy as np
import pytest

from pixie_runtime.body import embedded_body_model
from pixie_runtime.eye_estimator import EyeEstimator
from pixie_runtime.face import ARKIT_INDEX, FaceMap
from pixie_runtime.face.eyes import EyeFollower
from pixie_runtime.types import Float32, Frame, Person, PersonLandmarks
from tests.runtime.face.people import facing_the_camera
from tests.runtime.face.seen_eyes import CAMERA, Eyes, seen_face
from tests.runtime.stages import NOBODY, Guesser

MODEL = embedded_body_model()
FACE_MAP = FaceMap.of(MODEL, MODEL.n_expression)
OPEN = Eyes()


def person(frame_index: int = 0) -> Person:
    return replace(facing_the_camera(frame_index=frame_index), camera=CAMERA)


def weights_of(follower: EyeFollower, *seen: Eyes) -> dict[str, float]:
    """Return the weights after the follower saw these eyes, 30 a second."""
    for frame, eyes in enumerate(seen):
        followed = follower.follow(person(frame), seen_face(eyes))
    weights = FACE_MAP.weights(followed)
    return {name: float(weights[place]) for name, place in ARKIT_INDEX.items()}


def test_open_eyes_that_look_into_the_camera_are_at_rest() -> None:
    weights = weights_of(EyeFollower(MODEL), OPEN)
    looks = {name: w for name, w in weights.items() if name.startswith("eyeLook")}
    assert max(looks.values()) < 0.15
    assert max(w for name, w in weights.items() if name not in looks) < 1e-3


@pytest.mark.parametrize(
    ("eyes", "names"),
    [
        (Eyes(yaw=0.2), ("eyeLookOutLeft", "eyeLookInRight")),
        (Eyes(yaw=-0.2), ("eyeLookInLeft", "eyeLookOutRight")),
        (Eyes(pitch=0.2), ("eyeLookDownLeft", "eyeLookDownRight")),
        (Eyes(pitch=-0.2), ("eyeLookUpLeft", "eyeLookUpRight")),
    ],
)
def test_both_eyes_look_where_they_were_seen_to_look(
    eyes: Eyes, names: tuple[str, str]
) -> None:
    weights = weights_of(EyeFollower(MODEL), eyes)
    expected = 0.2 / np.radians(35 if eyes.pitch else 40)
    for name in names:
        assert weights[name] == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(
    ("eyes", "left", "right"),
    [
        (Eyes(left=0.03, right=0.03), 1.0, 1.0),
        (Eyes(left=0.03), 1.0, 0.0),
        (Eyes(right=0.03), 0.0, 1.0),
        (Eyes(left=0.18, right=0.18), 0.5, 0.5),
    ],
)
def test_lids_close_as_far_as_they_were_seen_to(
    eyes: Eyes, left: float, right: float
) -> None:
    weights = weights_of(EyeFollower(MODEL), OPEN, eyes)
    assert weights["eyeBlinkLeft"] == pytest.approx(left, abs=0.06)
    assert weights["eyeBlinkRight"] == pytest.approx(right, abs=0.06)


def test_shut_eyes_keep_their_gaze() -> None:
    looking = Eyes(yaw=0.2)
    shut = Eyes(yaw=-0.6, left=0.02, right=0.02)
    weights = weights_of(EyeFollower(MODEL), looking, shut)
    assert weights["eyeLookOutLeft"] == pytest.approx(0.28, abs=0.1)


def test_narrow_eyes_are_open_once_they_are_known_and_blinks_teach_nothing() -> None:
    follower = EyeFollower(MODEL)
    narrow, blink = Eyes(left=0.22, right=0.22), Eyes(left=0.02, right=0.02)
    first = weights_of(follower, narrow)
    assert first["eyeBlinkLeft"] > 0.15
    eight_seconds = [blink if frame % 60 < 6 else narrow for frame in range(240)]
    later = weights_of(follower, *eight_seconds[:-1], narrow)
    assert later["eyeBlinkLeft"] == pytest.approx(0, abs=0.03)
    assert later["eyeWideLeft"] == pytest.approx(0, abs=0.05)


def test_eyes_wider_than_usual_are_wide() -> None:
    weights = weights_of(EyeFollower(MODEL), OPEN, Eyes(left=0.47, right=0.47))
    assert weights["eyeWideLeft"] > 0.5
    assert weights["eyeBlinkLeft"] == pytest.approx(0, abs=1e-3)


def test_another_person_starts_anew() -> None:
    follower = EyeFollower(MODEL)
    weights_of(follower, *[Eyes(yaw=0.3, left=0.22, right=0.22)] * 60)
    follower.reset()
    shut = weights_of(follower, Eyes(left=0.02, right=0.02))
    assert shut["eyeLookOutLeft"] == pytest.approx(0, abs=1e-6)


def test_who_comes_after_a_long_absence_starts_anew() -> None:
    follower, narrow = EyeFollower(MODEL), Eyes(left=0.22, right=0.22)
    known = weights_of(follower, *[narrow] * 240)
    follower.follow(person(240 + 9 * 30), seen_face(narrow))
    assert known["eyeBlinkLeft"] == pytest.approx(0, abs=0.03)
    back = follower.follow(person(240 + 20 * 30), seen_face(narrow))
    assert FACE_MAP.weights(back)[ARKIT_INDEX["eyeBlinkLeft"]] > 0.15


def test_the_rest_of_the_face_stays_as_it_was() -> None:
    assert MODEL.arkit_names is not None
    assert MODEL.arkit_to_expression is not None
    scores = np.zeros(len(MODEL.arkit_names), np.float32)
    scores[MODEL.arkit_names.index("mouthSmileLeft")] = 0.8
    smiling = person()
    params = replace(smiling.params, expression=scores @ MODEL.arkit_to_expression)
    shut = seen_face(Eyes(left=0.02, right=0.02))
    followed = EyeFollower(MODEL).follow(replace(smiling, params=params), shut)
    weights = FACE_MAP.weights(followed)
    expected = {"mouthSmileLeft": 0.8, "eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
    for name, place in ARKIT_INDEX.items():
        if not name.startswith("eyeLook"):
            wanted = expected.get(name, 0.0)
            assert weights[place] == pytest.approx(wanted, abs=0.01), name


def test_eyes_that_are_not_seen_are_left_alone() -> None:
    somebody = person()
    unseen = replace(seen_face(OPEN), left_eye=None, right_eye=None)
    assert EyeFollower(MODEL).follow(somebody, None) is somebody
    assert EyeFollower(MODEL).follow(somebody, unseen) is somebody


def test_one_eye_is_enough() -> None:
    half = replace(seen_face(Eyes(yaw=0.2)), right_eye=None)
    followed = EyeFollower(MODEL).follow(person(), half)
    weights = FACE_MAP.weights(followed)
    for name in ("eyeLookOutLeft", "eyeLookInRight"):
        assert weights[ARKIT_INDEX[name]] == pytest.approx(0.28, abs=0.1)


@pytest.mark.parametrize("n_expression", [0, 10, 50])
def test_other_bodies_look_but_keep_their_lids(n_expression: int) -> None:
    other = replace(MODEL, arkit_names=None, arkit_to_expression=None)
    expression = np.ones(n_expression, np.float32)
    somebody = person()
    somebody = replace(somebody, params=replace(somebody.params, expression=expression))
    for model in (other, MODEL):
        shut = seen_face(Eyes(yaw=0.2, right=0.02))
        params = EyeFollower(model).follow(somebody, shut).params
        np.testing.assert_array_equal(params.expression, expression)
        assert params.rotations[23, 2] > 0.05


def test_an_estimator_with_eyes_is_the_estimator_in_all_else() -> None:
    inner = Guesser()
    estimator = EyeEstimator(inner, MODEL)
    frame = Frame(0, 0.0, 0, np.zeros((720, 1280, 3), np.uint8))
    seen = PersonLandmarks(face=seen_face(Eyes(yaw=0.2)))
    found = estimator.estimate(seen, frame, CAMERA)
    alone = inner.estimate(seen, frame, CAMERA)
    assert found is not None
    assert alone is not None

    def others(one: Person) -> Float32:
        return np.delete(one.params.rotations, [23, 24], axis=0)

    np.testing.assert_array_equal(others(found), others(alone))
    assert estimator.estimate(NOBODY, frame, CAMERA) is None
    inner.warning = "careful"
    assert estimator.warning == "careful"
    estimator.reset()
    estimator.close()
    assert (inner.resets, inner.closed) == (1, True)
