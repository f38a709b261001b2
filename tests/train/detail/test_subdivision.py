import numpy as np
import numpy.typing as npt
import pytest

from pixie_runtime.body import BodyModel
from pixie_train.detail.subdivision import Subdivision
from pixie_train.detail.surface import DetailSurface


def gaps(faces: npt.NDArray[np.int64]) -> int:
    """Return how many edges have a triangle on one side only."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    _, counts = np.unique(np.sort(edges, 1), axis=0, return_counts=True)
    assert counts.max() <= 2
    return int((counts == 1).sum())


def area(points: npt.NDArray[np.float64], faces: npt.NDArray[np.int64]) -> float:
    a, b, c = points[faces].swapaxes(0, 1)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


@pytest.mark.parametrize("steps", [1, 3])
def test_a_finer_face_is_the_same_surface_without_gaps(
    model: BodyModel, surface: DetailSurface, steps: int
) -> None:
    skin = surface.chart.triangles[surface.chart.skin].astype(np.int64)
    faces = model.faces.astype(np.int64)
    divided = Subdivision.of(faces, skin, steps)
    points = divided.mixed(model.v_template)
    rest = model.v_template.astype(np.float64)
    assert area(points, divided.faces) == pytest.approx(area(rest, faces), rel=1e-9)
    assert gaps(divided.faces) == gaps(faces)
    pieces = np.bincount(divided.source, minlength=len(faces))
    assert (pieces[skin] == steps**2).all()
    assert (pieces >= 1).all()


def test_pieces_face_the_way_of_their_triangle() -> None:
    faces = np.array([[0, 1, 2], [1, 3, 2]])
    flat = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0.0]])
    divided = Subdivision.of(faces, np.array([0]), 3)
    a, b, c = divided.mixed(flat)[divided.faces].swapaxes(0, 1)
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()
    # The neighbour is a fan around its middle, of its corners and two on the edge.
    assert np.bincount(divided.source).tolist() == [9, 5]
    corners = divided.of_corners(flat[faces])
    np.testing.assert_allclose(corners, divided.mixed(flat)[divided.faces], atol=1e-12)
