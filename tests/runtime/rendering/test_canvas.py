import numpy as np
import pytest

from pixie_runtime.rendering import Canvas, contact_sheet
from pixie_runtime.types import Camera, UInt8


def picture(width: int, height: int) -> UInt8:
    return np.full((height, width, 3), 200, np.uint8)


@pytest.mark.parametrize(
    ("size", "canvas"),
    [
        ((640, 480), (640, 480)),
        ((641, 479), (642, 480)),
        ((8000, 4000), (1920, 960)),
        ((1, 1), (16, 16)),
        ((30000, 1), (1920, 16)),
    ],
)
def test_canvas_is_even_and_bounded(
    size: tuple[int, int], canvas: tuple[int, int]
) -> None:
    made = Canvas.for_picture(*size, max_side=1920)

    assert (made.width, made.height) == canvas
    placed, _ = made.place(picture(*size))
    assert placed.shape == (made.height, made.width, 3)


def test_a_picture_padded_to_even_keeps_its_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 255, (47, 63, 3)).astype(np.uint8)

    placed, where = Canvas.for_picture(63, 47, 1920).place(image)

    assert where.scale == 1
    np.testing.assert_array_equal(placed[:47, :63], image)


def test_the_camera_goes_where_the_picture_went() -> None:
    canvas = Canvas.for_picture(400, 300, 1920)
    image = np.zeros((900, 600, 3), np.uint8)
    point = np.array([[0.3, -0.4, 2.0]], np.float32)
    camera = Camera(500.0, (290.0, 460.0), (600, 900))
    x, y = camera.project(point)[0]
    image[int(y) - 9 : int(y) + 10, int(x) - 9 : int(x) + 10] = 255

    placed, where = canvas.place(image)

    ys, xs = np.nonzero(placed[..., 0] > 128)
    moved = where.camera(camera)
    assert moved.size_px == (400, 300)
    np.testing.assert_allclose(
        moved.project(point)[0], (xs.mean() + 0.5, ys.mean() + 0.5), atol=1
    )


def test_contact_sheet_puts_frames_in_rows() -> None:
    frames = [np.full((60, 80, 3), value, np.uint8) for value in (10, 20, 30)]

    sheet = contact_sheet(frames, columns=2, cell_width=40)

    assert sheet.shape == (60, 80, 3)
    assert [sheet[15, 20, 0], sheet[15, 60, 0], sheet[45, 20, 0]] == [10, 20, 30]
    assert sheet[45, 60, 0] == 255
