from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

from pixie_runtime.engines import AnyArray
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.landmarks.eyes import EyeReader
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.types import EyeLandmarks, FaceLandmarks, Float32, Frame, UInt8
from tests.runtime.landmarks.engines import FixedEngine

ROOT = Path(__file__).parents[3]
NETWORK = ROOT / "runtime/pixie_runtime/assets/landmarks/iris_landmark.onnx"
PORTRAITS = ("skimage_astronaut.png", "face_recognition_biden.jpg")


def picture(name: str) -> UInt8:
    image = cv2.imread(str(ROOT / "tests/footage" / name))
    assert image is not None
    return np.ascontiguousarray(image[..., ::-1], np.uint8)


@pytest.fixture(scope="module")
def faces() -> dict[str, FaceLandmarks]:
    landmarker = PixieLandmarker()
    found = {}
    for name in PORTRAITS:
        landmarker.reset()
        face = landmarker.detect(Frame(0, 0.0, 0, picture(name))).face
        assert face is not None
        found[name] = face
    landmarker.close()
    return found


@pytest.fixture(scope="module")
def reader() -> Iterator[EyeReader]:
    with OnnxRuntimeEngine(NETWORK) as engine:
        yield EyeReader(engine)


def opening(eye: EyeLandmarks) -> float:
    return float(np.linalg.norm(eye.lids[4] - eye.lids[12]))


@pytest.mark.parametrize("name", PORTRAITS)
def test_eyes_of_a_portrait_are_where_the_face_has_them(
    name: str, faces: dict[str, FaceLandmarks]
) -> None:
    face = faces[name]
    eyes = ((face.left_eye, 263, 362), (face.right_eye, 33, 133))
    for eye, outer, inner in eyes:
        assert eye is not None
        corners = face.image[[outer, inner], :2]
        width = float(np.linalg.norm(corners[0] - corners[1]))
        assert np.linalg.norm(eye.lids[[0, 8]] - corners, axis=1).max() < 0.2 * width
        assert 0.15 * width < opening(eye) < 0.5 * width
        assert np.linalg.norm(eye.iris[0] - corners.mean(axis=0)) < 0.3 * width
        rim = np.linalg.norm(eye.iris[1:] - eye.iris[0], axis=1) / width
        assert 0.15 < rim.min() <= rim.max() < 0.3  # an iris is 12 mm across, an eye 30


def test_the_pupil_is_dark(faces: dict[str, FaceLandmarks]) -> None:
    grey = picture("skimage_astronaut.png").mean(axis=2)
    face = faces["skimage_astronaut.png"]
    for eye in (face.left_eye, face.right_eye):
        assert eye is not None
        x, y = eye.iris[0].round().astype(int)
        assert grey[y - 1 : y + 2, x - 1 : x + 2].mean() < 90


def test_a_mirrored_face_has_mirrored_eyes(
    reader: EyeReader, faces: dict[str, FaceLandmarks]
) -> None:
    image, mesh = picture(PORTRAITS[0]), faces[PORTRAITS[0]].image
    last = image.shape[1] - 1  # crops sample pixels at whole numbers

    def mirrored(points: Float32) -> Float32:
        flipped = points.copy()
        flipped[..., 0] = last - points[..., 0]
        return flipped

    in_mirror = mirrored(mesh)
    in_mirror[[33, 133, 263, 362]] = in_mirror[[263, 362, 33, 133]]
    reader.reset()
    left, right = reader.look(image, mesh)
    reader.reset()
    their_left, their_right = reader.look(image[:, ::-1].copy(), in_mirror)
    for eye, twin in ((left, their_right), (right, their_left)):
        assert eye is not None
        assert twin is not None
        np.testing.assert_allclose(mirrored(twin.lids), eye.lids, atol=0.6)
        np.testing.assert_allclose(mirrored(twin.iris), eye.iris, atol=0.6)


class Network(FixedEngine):
    """Sees a shut eye wherever it looks, and remembers how many it looked at."""

    def __init__(self) -> None:
        self.contour = np.zeros((1, 71, 3))
        self.contour[0, 0, 0] = 28  # the width of an eye
        super().__init__({"contour": self.contour, "iris": np.zeros((1, 5, 3))})
        self.asked: list[int] = []

    def open_lids(self) -> None:
        self.contour[0, 12, 1] = -10

    def infer(self, inputs: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        count = len(inputs["image"])
        self.asked.append(count)
        answer = super().infer(inputs)
        return {name: np.repeat(value, count, axis=0) for name, value in answer.items()}


def mesh_with(left_px: float, right_px: float) -> Float32:
    mesh = np.zeros((468, 3), np.float32)
    mesh[[33, 133], 0] = 100 - right_px, 100
    mesh[[362, 263], 0] = 150, 150 + left_px
    return mesh


@pytest.mark.parametrize(
    ("left_px", "right_px", "seen"),
    [
        (11, 11, (False, False)),
        (20, 11, (True, False)),
        (50, 50, (True, True)),
        (20, 50, (False, True)),  # turned away
    ],
)
def test_only_eyes_large_enough_and_turned_to_the_camera_are_looked_at(
    left_px: float, right_px: float, seen: tuple[bool, bool]
) -> None:
    network = Network()
    image = np.zeros((60, 300, 3), np.uint8)
    left, right = EyeReader(network).look(image, mesh_with(left_px, right_px))
    assert (left is not None, right is not None) == seen


def test_eyes_are_looked_at_in_turns_and_at_once_when_they_appear() -> None:
    network, image = Network(), np.zeros((60, 300, 3), np.uint8)
    reader = EyeReader(network)
    both, one = mesh_with(50, 50), mesh_with(50, 11)
    for mesh in (both, both, both, one, one, both, both):
        reader.look(image, mesh)
    # Both; left; right; left, alone; left again; right, which is back; left.
    assert network.asked == [2, 1, 1, 1, 1, 1, 1]
    reader.reset()
    reader.look(image, both)
    assert network.asked[-1] == 2


def test_when_lids_move_both_eyes_are_looked_at() -> None:
    network, image, mesh = (
        Network(),
        np.zeros((60, 300, 3), np.uint8),
        mesh_with(50, 50),
    )
    reader = EyeReader(network)
    reader.look(image, mesh)
    network.open_lids()
    reader.look(image, mesh)
    reader.look(image, mesh)
    assert network.asked == [2, 1, 1, 1]  # both; one that opens, and the other; one


def test_the_eye_whose_turn_it_is_not_moves_along_with_the_face() -> None:
    image = np.zeros((60, 300, 3), np.uint8)
    reader, mesh = EyeReader(Network()), mesh_with(50, 50)
    first = reader.look(image, mesh)
    mesh[:, 0] += 5
    second = reader.look(image, mesh)
    for before, after in zip(first, second, strict=True):
        assert before is not None
        assert after is not None
        np.testing.assert_allclose(after.iris - before.iris, [(5, 0)] * 5, atol=1e-4)


def test_eyes_move_along_with_a_face_that_is_not_looked_at(
    faces: dict[str, FaceLandmarks],
) -> None:
    face, by = faces[PORTRAITS[0]], np.array([3, -7], np.float32)
    moved = face.moved(by)
    assert face.left_eye is not None
    assert moved.left_eye is not None
    np.testing.assert_allclose(moved.left_eye.iris, face.left_eye.iris + by)
    np.testing.assert_allclose(moved.left_eye.lids, face.left_eye.lids + by)
    np.testing.assert_allclose(moved.image[:, :2], face.image[:, :2] + by)
    np.testing.assert_array_equal(moved.image[:, 2], face.image[:, 2])
