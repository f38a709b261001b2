import cv2
import numpy as np
import pytest

from pixie_runtime.sinks import Tick
from pixie_runtime.types import Frame, HandLandmarks, PersonLandmarks, UInt8
from pixie_runtime.viewer.pictures import Pictures
from pixie_runtime.viewer.squares import squares_of

HEADER_BYTES = 16
"""Of a picture with nobody in it."""


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def tick(width: int = 1080, height: int = 1920) -> Tick:
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = 220  # red
    return Tick(Frame(0, 0.0, 0, image), ())


def pixels_of(message: bytes) -> UInt8:
    """Return the picture in a message, (H, W, 3), BGR."""
    picture = cv2.imdecode(np.frombuffer(message[HEADER_BYTES:], np.uint8), 1)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def hand(around: tuple[float, float]) -> HandLandmarks:
    """A hand that points up, a few dozen pixels large."""
    points = np.zeros((21, 3), np.float32)
    points[:, 0] = around[0] + np.linspace(-15, 15, 21)
    points[:, 1] = around[1] - np.linspace(0, 60, 21)
    return HandLandmarks(points, np.zeros((21, 3), np.float32), 1.0)


def test_a_picture_is_small_upright_and_in_its_colours() -> None:
    message = Pictures().message(tick())
    assert message is not None
    assert len(message) < 60_000
    picture = pixels_of(message)
    assert picture.shape == (480, 270, 3)
    assert picture[100, 100].tolist() == pytest.approx([0, 0, 220], abs=4)


def test_small_pictures_stay_as_they_are() -> None:
    message = Pictures().message(tick(64, 48))
    assert message is not None
    picture = pixels_of(message)
    assert picture.shape == (48, 64, 3)


def test_there_are_twelve_a_second_at_most() -> None:
    clock = Clock()
    pictures = Pictures(clock)
    made = 0
    for _ in range(120):
        made += pictures.message(tick(64, 48)) is not None
        clock.now += 1 / 60
    assert 22 <= made <= 24


def test_a_frame_without_pixels_has_no_picture() -> None:
    empty = Frame(0, 0.0, 0, np.zeros((0, 0, 3), np.uint8))
    assert Pictures().message(Tick(empty, ())) is None


def test_the_square_of_a_hand_lies_about_it() -> None:
    landmarks = PersonLandmarks(left_hand=hand((200, 300)))
    squares = squares_of(landmarks, (640, 480))
    assert set(squares) == {"body", "left_hand"}
    corners = squares["left_hand"]
    assert (corners.min(axis=0) < [185, 240]).all()
    assert (corners.max(axis=0) > [215, 300]).all()
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
    np.testing.assert_allclose(sides, sides[0], rtol=1e-4)


def test_of_nobody_there_are_no_squares() -> None:
    assert squares_of(PersonLandmarks(), (640, 480)) == {}
