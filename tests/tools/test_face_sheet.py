"""Drawn faces, read by the landmark networks: what was drawn comes back."""

from dataclasses import replace

import numpy as np
import pytest

from pixie_runtime.body import embedded_body_model
from pixie_runtime.face import ARKIT_INDEX, FaceMap
from pixie_runtime.face.eyes import EyeFollower
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.types import Camera, Float32, Frame
from tools.face_sheet import FACES, Face, colours_of, person_with, portrait, sheet

MODEL = embedded_body_model()
COLOURS = colours_of(MODEL)
FACE_MAP = FaceMap.of(MODEL, MODEL.n_expression)
SIZE = 480


@pytest.fixture(scope="module")
def landmarker() -> PixieLandmarker:
    return PixieLandmarker()


def seen(face: Face, landmarker: PixieLandmarker) -> dict[str, float]:
    """Return the weights of what is seen of the eyes, on a face at rest."""
    drawn = portrait(person_with(face, MODEL), MODEL, COLOURS, size=SIZE)
    landmarker.reset()
    found = landmarker.detect(Frame(0, 0.0, 0, drawn)).face
    assert found is not None
    camera = Camera.with_field_of_view(SIZE, SIZE, 14.5)
    person = replace(person_with(Face(), MODEL), camera=camera)
    weights = FACE_MAP.weights(EyeFollower(MODEL).follow(person, found))
    return {name: float(weights[place]) for name, place in ARKIT_INDEX.items()}


@pytest.mark.parametrize(
    ("eyes", "names"),
    [
        ((0.0, 0.3), ("eyeLookOutLeft", "eyeLookInRight")),
        ((0.0, -0.3), ("eyeLookInLeft", "eyeLookOutRight")),
        ((0.3, 0.0), ("eyeLookDownLeft", "eyeLookDownRight")),
        ((-0.3, 0.0), ("eyeLookUpLeft", "eyeLookUpRight")),
    ],
)
def test_drawn_eyes_are_seen_to_look_where_they_look(
    eyes: tuple[float, float], names: tuple[str, str], landmarker: PixieLandmarker
) -> None:
    weights = seen(Face(eyes=eyes), landmarker)
    looks = {name: w for name, w in weights.items() if name.startswith("eyeLook")}
    assert set(sorted(looks, key=looks.__getitem__)[-2:]) == set(names)
    assert min(looks[name] for name in names) > 0.12


@pytest.mark.parametrize("shut", [("Left",), ("Right",), ("Left", "Right"), ()])
def test_drawn_lids_are_seen_to_be_shut(
    shut: tuple[str, ...], landmarker: PixieLandmarker
) -> None:
    face = Face({f"eyeBlink{side}": 1.0 for side in shut})
    weights = seen(face, landmarker)
    for side in ("Left", "Right"):
        expected = 1.0 if side in shut else 0.0
        assert weights[f"eyeBlink{side}"] == pytest.approx(expected, abs=0.15)


def test_the_sheet_shows_every_face_once() -> None:
    picture = sheet(columns=2)
    assert picture.shape == (len(FACES) // 2 * 300, 2 * 490, 3)
    cells: list[Float32] = [
        picture[row : row + 300, column : column + 300].astype(np.float32)
        for row in range(0, picture.shape[0], 300)
        for column in (0, 490)
    ]
    for one, cell in enumerate(cells):
        for other in cells[:one]:
            assert np.abs(cell - other).max() > 50
