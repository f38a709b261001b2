import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixie_runtime.face import ARKIT_INDEX, ARKIT_NAMES, pascal_case
from pixie_runtime.face.vrm import VRM0_NAMES, vrm0, vrm1
from pixie_runtime.types import Float32

VOWELS = ("aa", "ih", "ou", "ee", "oh")
EMOTIONS = ("happy", "angry", "sad", "relaxed", "surprised")


def weights_of(**scores: float) -> Float32:
    weights = np.zeros(len(ARKIT_NAMES), np.float32)
    for name, score in scores.items():
        names = [name] if name in ARKIT_INDEX else [f"{name}Left", f"{name}Right"]
        for each in names:
            weights[ARKIT_INDEX[each]] = score
    return weights


@given(st.lists(st.floats(0, 1, width=32), min_size=52, max_size=52))
def test_every_face_gives_weights_that_add_up_to_one_face(values: list[float]) -> None:
    expressions = vrm1(np.array(values, np.float32))
    assert all(0 <= value <= 1 for value in expressions.values())
    assert sum(expressions[name] for name in VOWELS) <= 1 + 1e-6
    assert sum(expressions[name] for name in EMOTIONS) <= 1 + 1e-6
    for side in ("Left", "Right"):
        closed = expressions["blink"] + expressions[f"blink{side}"]
        assert closed == pytest.approx(values[ARKIT_INDEX[f"eyeBlink{side}"]], abs=1e-6)


def test_a_face_at_rest_is_no_expression() -> None:
    rest = weights_of()
    assert set(vrm1(rest).values()) == {0.0}
    assert set(vrm0(rest).values()) == {0.0}


@pytest.mark.parametrize(
    ("scores", "expression"),
    [
        ({"jawOpen": 0.7}, "aa"),
        ({"jawOpen": 0.5, "mouthStretch": 0.9}, "ee"),
        ({"mouthStretch": 0.8, "mouthLowerDown": 0.6, "mouthUpperUp": 0.4}, "ih"),
        ({"mouthPucker": 0.9}, "ou"),
        ({"jawOpen": 0.6, "mouthFunnel": 0.9}, "oh"),
        ({"mouthSmile": 0.8}, "happy"),
        ({"mouthSmile": 0.8, "eyeSquint": 0.8}, "relaxed"),
        ({"browDown": 0.8}, "angry"),
        ({"mouthFrown": 0.9, "browInnerUp": 0.6}, "sad"),
        ({"browInnerUp": 0.8, "browOuterUp": 0.8, "eyeWide": 0.8}, "surprised"),
        ({"eyeBlink": 1.0}, "blink"),
        ({"eyeBlinkLeft": 1.0}, "blinkLeft"),
        ({"eyeBlinkRight": 1.0}, "blinkRight"),
        ({"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}, "lookLeft"),
        ({"eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0}, "lookRight"),
        ({"eyeLookUp": 1.0}, "lookUp"),
        ({"eyeLookDown": 1.0}, "lookDown"),
    ],
)
def test_a_typical_face_is_its_expression(
    scores: dict[str, float], expression: str
) -> None:
    expressions = vrm1(weights_of(**scores))
    group = next((g for g in (VOWELS, EMOTIONS) if expression in g), tuple(expressions))
    assert max(group, key=expressions.__getitem__) == expression
    assert expressions[expression] > 0.5


def test_a_closed_smile_opens_no_mouth() -> None:
    expressions = vrm1(weights_of(mouthSmile=1.0))
    assert [expressions[name] for name in VOWELS] == [0.0] * 5


def test_lips_held_together_by_mouth_close_say_nothing() -> None:
    expressions = vrm1(weights_of(jawOpen=0.6, mouthClose=0.6))
    assert [expressions[name] for name in VOWELS] == [0.0] * 5


def test_vrm0_has_the_same_values_under_its_own_names() -> None:
    face = weights_of(jawOpen=0.4, mouthSmile=0.7, eyeBlinkLeft=0.3, mouthFunnel=0.2)
    old, new = vrm0(face), vrm1(face)
    assert {VRM0_NAMES[name]: value for name, value in old.items()} == {
        name: value for name, value in new.items() if name != "surprised"
    }
    assert {"Joy", "Fun", "A", "O", "Blink", "Blink_L", "Blink_R"} <= set(old)


def test_perfect_sync_receivers_get_either_spelling() -> None:
    assert pascal_case("eyeBlinkLeft") == "EyeBlinkLeft"
    assert len({pascal_case(name) for name in ARKIT_NAMES}) == 52
    assert all(pascal_case(name)[0].isupper() for name in ARKIT_NAMES)
