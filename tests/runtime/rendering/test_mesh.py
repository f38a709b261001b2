import numpy as np
import pytest

from pixie_runtime.rendering import draw_mesh
from pixie_runtime.types import Camera, UInt8
from tests.runtime.rendering.shapes import sphere

CAMERA = Camera(200.0, (50.0, 40.0), (100, 80))
SPHERE, FACES = sphere(20, centre=(0, 0, 4.0), radius=0.5)


def grey(value: int = 40) -> UInt8:
    return np.full((80, 100, 3), value, np.uint8)


def test_the_mesh_is_in_the_copy_and_not_in_the_picture() -> None:
    image = grey()

    drawn = draw_mesh(image, SPHERE, FACES, CAMERA)

    assert (image == 40).all()
    assert (drawn[40, 50] != 40).all()
    assert (drawn[0, 0] == 40).all()


def test_the_lit_side_is_brighter_and_light_changes_smoothly() -> None:
    drawn = draw_mesh(grey(), SPHERE, FACES, CAMERA, colour=(200, 200, 200))

    row = drawn[40, 30:71, 0].astype(int)
    assert row[:10].mean() > row[-10:].mean() + 20
    assert np.abs(np.diff(row[2:-2])).max() <= 24


def test_opacity_lets_the_picture_through() -> None:
    solid = draw_mesh(grey(), SPHERE, FACES, CAMERA)
    half = draw_mesh(grey(), SPHERE, FACES, CAMERA, opacity=0.5)

    expected = (solid[40, 50].astype(int) + 40) / 2
    np.testing.assert_allclose(half[40, 50], expected, atol=1.01)


def test_one_colour_for_all_and_the_same_for_each_vertex_look_alike() -> None:
    each = np.tile(np.array([[90, 120, 150]], np.uint8), (len(SPHERE), 1))

    one = draw_mesh(grey(), SPHERE, FACES, CAMERA, colour=(90, 120, 150))
    many = draw_mesh(grey(), SPHERE, FACES, CAMERA, colour=each)

    assert np.abs(one.astype(int) - many).max() <= 2


def test_vertices_keep_their_own_colours() -> None:
    colours = np.zeros((len(SPHERE), 3), np.uint8)
    colours[SPHERE[:, 0] < 0, 0] = 255
    colours[SPHERE[:, 0] >= 0, 2] = 255

    drawn = draw_mesh(grey(), SPHERE, FACES, CAMERA, colour=colours)

    assert drawn[40, 40, 0] > drawn[40, 40, 2]
    assert drawn[40, 60, 2] > drawn[40, 60, 0]


def test_a_camera_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="the picture is 10x10, but its camera's is"):
        draw_mesh(np.zeros((10, 10, 3), np.uint8), SPHERE, FACES, CAMERA)


@pytest.mark.parametrize("size", [(1, 1), (3, 1), (1, 200)])
def test_tiny_pictures_are_drawn_on(size: tuple[int, int]) -> None:
    camera = Camera(10.0, (size[0] / 2, size[1] / 2), size)
    image = np.zeros((size[1], size[0], 3), np.uint8)

    assert draw_mesh(image, SPHERE, FACES, camera).any()
