import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.face import ARKIT_INDEX, ARKIT_NAMES, FaceMap
from pixie_runtime.types import Float32, Float64
from tests.runtime.face.people import with_face

MODEL = embedded_body_model()
FACE_MAP = FaceMap.of(MODEL, MODEL.n_expression)
assert MODEL.arkit_names is not None
assert MODEL.arkit_to_expression is not None
assert MODEL.jaw_open_angle is not None
UNITS = list(MODEL.arkit_names)
TO_EXPRESSION = MODEL.arkit_to_expression


def expression_of(**scores: float) -> Float32:
    values = np.zeros(len(UNITS), np.float32)
    for name, score in scores.items():
        values[UNITS.index(name)] = score
    return values @ TO_EXPRESSION


def expected(**scores: float) -> Float32:
    weights = np.zeros(len(ARKIT_NAMES), np.float32)
    for name, score in scores.items():
        weights[ARKIT_INDEX[name]] = score
    return weights


NEUTRAL = expression_of()


def test_there_are_the_52_names_of_arkit_in_the_order_of_live_link_face() -> None:
    assert len(ARKIT_NAMES) == len(set(ARKIT_NAMES)) == 52
    places = {name: ARKIT_NAMES.index(name) for name in ARKIT_NAMES}
    first_of_each_part = {
        "eyeBlinkLeft": 0,
        "eyeBlinkRight": 7,
        "jawForward": 14,
        "mouthClose": 18,
        "browDownLeft": 41,
        "cheekPuff": 46,
        "noseSneerLeft": 49,
        "tongueOut": 51,
    }
    assert first_of_each_part.items() <= places.items()
    looks = {f"eyeLook{way}" for way in ("Down", "In", "Out", "Up")}
    elsewhere = {
        "jawOpen",
        *(f"{look}{s}" for look in looks for s in ("Left", "Right")),
    }
    assert set(ARKIT_NAMES) == set(UNITS) | elsewhere


@pytest.mark.parametrize("name", UNITS)
def test_each_unit_comes_back_as_itself(name: str) -> None:
    weights = FACE_MAP.weights(with_face(expression_of(**{name: 1.0})))
    np.testing.assert_allclose(weights, expected(**{name: 1.0}), atol=2e-3)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_mixes_of_units_come_back(seed: int) -> None:
    random = np.random.default_rng(seed)
    scores = random.uniform(size=len(UNITS)) * (random.uniform(size=len(UNITS)) < 0.4)
    mixed = dict(zip(UNITS, scores.tolist(), strict=True))
    weights = FACE_MAP.weights(with_face(expression_of(**mixed)))
    np.testing.assert_allclose(weights, expected(**mixed), atol=5e-3)


def displacement(model: BodyModel, expression: Float32) -> Float64:
    nothing = np.zeros(0, np.float32)
    moved = model.shaped(nothing, expression).vertices() - model.v_template
    return moved.astype(np.float64)


@pytest.mark.parametrize("name", ["mouthSmileLeft", "eyeBlinkLeft", "jawLeft"])
def test_left_is_the_persons_left(name: str) -> None:
    moved = displacement(MODEL, expression_of(**{name: 1.0}))
    if name == "jawLeft":
        assert moved[:, 0].max() > 0.005 > -moved[:, 0].min()
    else:
        assert MODEL.v_template[np.linalg.norm(moved, axis=1).argmax(), 0] > 0.01


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_other_weights_come_nearer_to_an_impossible_face(seed: int) -> None:
    random = np.random.default_rng(seed)
    target = random.normal(size=MODEL.n_expression).astype(np.float32)
    weights = FACE_MAP.weights(with_face(target))
    best = weights[[ARKIT_INDEX[name] for name in UNITS]]

    def error(scores: Float32) -> float:
        return float(
            np.square(displacement(MODEL, scores @ TO_EXPRESSION - target)).sum()
        )

    clamped = np.clip(target @ np.linalg.inv(TO_EXPRESSION), 0, 1)
    assert error(best) <= error(clamped) * (1 + 1e-4)
    for _ in range(5):
        nearby = np.clip(best + random.normal(0, 0.05, len(UNITS)), 0, 1)
        assert error(best) <= error(nearby.astype(np.float32)) * (1 + 1e-4)


def test_an_open_jaw_is_jaw_open_and_nothing_else() -> None:
    for share in (0.25, 1.0):
        angle = share * FACE_MAP.jaw_open_angle
        weights = FACE_MAP.weights(with_face(NEUTRAL, jaw=(angle, 0, 0)))
        np.testing.assert_allclose(weights, expected(jawOpen=share), atol=1e-6)


def test_jaws_beyond_their_range_stay_within_bounds() -> None:
    wide = FACE_MAP.weights(with_face(NEUTRAL, jaw=(2.0, 0, 0)))
    shut = FACE_MAP.weights(with_face(NEUTRAL, jaw=(-0.3, 0, 0)))
    np.testing.assert_array_equal(wide, expected(jawOpen=1))
    np.testing.assert_array_equal(shut, expected())


@pytest.mark.parametrize(("yaw", "name"), [(0.15, "jawLeft"), (-0.15, "jawRight")])
def test_a_jaw_turned_sideways_is_jaw_left_or_right(yaw: float, name: str) -> None:
    weights = FACE_MAP.weights(with_face(NEUTRAL, jaw=(0, yaw, 0)))
    assert ARKIT_NAMES[int(weights.argmax())] == name
    assert weights.max() > 0.5


@pytest.mark.parametrize(
    ("eye", "rotvec", "name"),
    [
        ("left_eye_smplhf", (0.1, 0, 0), "eyeLookDownLeft"),
        ("right_eye_smplhf", (-0.1, 0, 0), "eyeLookUpRight"),
        ("left_eye_smplhf", (0, 0.1, 0), "eyeLookOutLeft"),
        ("right_eye_smplhf", (0, 0.1, 0), "eyeLookInRight"),
        ("left_eye_smplhf", (0, -0.1, 0), "eyeLookInLeft"),
        ("right_eye_smplhf", (0, -0.1, 0), "eyeLookOutRight"),
    ],
)
def test_eyes_look_where_their_joints_turn(
    eye: str, rotvec: tuple[float, float, float], name: str
) -> None:
    weights = FACE_MAP.weights(with_face(NEUTRAL, **{eye: rotvec}))
    share = 0.1 / np.radians(35 if rotvec[0] else 40)
    np.testing.assert_allclose(weights, expected(**{name: share}), atol=1e-5)


def test_the_note_says_what_is_not_estimated() -> None:
    assert FACE_MAP.note is not None
    assert "brows and tongue are hardly estimated" in FACE_MAP.note
    assert "\n" not in FACE_MAP.note


def test_missing_coefficients_are_a_plainer_face_not_an_error() -> None:
    few = FaceMap.of(MODEL, 10)
    smile = expression_of(mouthSmileLeft=1.0, mouthSmileRight=1.0)
    weights = few.weights(with_face(smile[:10]))
    assert weights[ARKIT_INDEX["mouthSmileLeft"]] > 0.5
    assert weights.min() >= 0
    assert weights.max() <= 1
