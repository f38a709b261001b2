import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from pixie_runtime.body import BodyModel
from pixie_runtime.types import Float64
from pixie_train.evaluation.face_scan import (
    LANDMARKS_OF_51,
    FaceRegion,
    scan_distances,
    summary,
)
from pixie_train.evaluation.surface_distance import Surface, closest_on_triangles


def _brute_force(points: Float64, corners: Float64) -> Float64:
    """Return distances to all triangles by walking over barycentrics, to 1e-4."""
    steps = np.linspace(0, 1, 61)
    v, w = (axis.ravel() for axis in np.meshgrid(steps, steps))
    v, w = v[v + w <= 1], w[v + w <= 1]
    weights = np.stack([1 - v - w, v, w], 1)
    samples = np.einsum("kc,fcx->fkx", weights, corners).reshape(-1, 3)
    gaps = [np.linalg.norm(samples - point, axis=1).min() for point in points]
    return np.array(gaps)


def test_nearest_points_of_triangles_are_the_best_of_all_their_points() -> None:
    random = np.random.default_rng(0)
    corners = random.normal(size=(30, 3, 3))
    points = random.normal(size=(30, 3)) * 2
    near = closest_on_triangles(points, corners)
    found = np.linalg.norm(near - points, axis=1)
    for triangle, point, gap in zip(corners, points, found, strict=True):
        assert gap == pytest.approx(_brute_force(point[None], triangle[None])[0], 2e-3)
        bound = [(0, 1), (0, 1)]
        best = minimize(
            lambda x, t=triangle, p=point: np.square(
                (1 - x[0]) * t[0] + x[0] * ((1 - x[1]) * t[1] + x[1] * t[2]) - p
            ).sum(),
            [0.6, 0.5],
            bounds=bound,
        ).fun
        assert gap <= best**0.5 + 1e-5


def test_a_triangle_without_area_is_its_edges() -> None:
    flat = np.array([[[0, 0, 0], [1, 0, 0], [3, 0, 0]]], float)
    near = closest_on_triangles(np.array([[2.0, 1, 0]]), flat)
    np.testing.assert_allclose(near, [[2, 0, 0]], atol=1e-9)


def test_a_meshs_distances_are_those_of_all_triangles_of_all_sizes() -> None:
    random = np.random.default_rng(1)
    sizes = 10 ** random.uniform(-2, 0.5, (80, 1, 1))
    corners = random.normal(size=(80, 1, 3)) + random.normal(size=(80, 3, 3)) * sizes
    surface = Surface(corners.reshape(-1, 3), np.arange(240).reshape(-1, 3))
    points = random.normal(size=(120, 3)) * 3
    pairs = [np.repeat(points[[k]], 80, 0) for k in range(120)]
    expected = [
        np.linalg.norm(closest_on_triangles(p, corners) - p, axis=1).min()
        for p in pairs
    ]
    np.testing.assert_allclose(surface.distances(points), expected, atol=1e-12)
    assert surface.distances(np.zeros((0, 3))).shape == (0,)


def test_points_off_the_body_are_as_far_as_they_were_moved(model: BodyModel) -> None:
    surface = Surface(model.v_template.astype(float), model.faces.astype(np.int64))
    corners = surface.vertices[surface.faces[::40]]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    middles = corners.mean(1)
    assert surface.distances(middles).max() < 1e-9
    # A tenth of a millimetre off: nowhere is another triangle nearer by more.
    off = surface.distances(middles + 1e-4 * normals)
    assert off.max() <= 1e-4 + 1e-12
    assert np.median(off) == pytest.approx(1e-4, rel=1e-6)


@pytest.fixture(scope="module")
def head(model: BodyModel) -> tuple[Surface, Float64]:
    """Return the mean head's front, and NoW's landmarks on it, metres."""
    assert model.lmk_faces_idx is not None
    assert model.lmk_bary_coords is not None
    v = model.v_template.astype(np.float64)
    corners = v[model.faces[model.lmk_faces_idx]]
    landmarks = (corners * model.lmk_bary_coords[..., None]).sum(1)
    high = (v[model.faces].min(1)[:, 1] > landmarks[:, 1].min() - 0.08).nonzero()[0]
    used, faces = np.unique(model.faces[high], return_inverse=True)
    surface = Surface(v[used], faces.reshape(-1, 3).astype(np.int64))
    return surface, landmarks[list(LANDMARKS_OF_51)]


def test_a_face_of_another_size_and_place_has_no_error(
    head: tuple[Surface, Float64],
) -> None:
    surface, landmarks = head
    R = Rotation.from_euler("xyz", [0.3, -0.5, 0.2]).as_matrix()
    scan, at = 1100 * surface.vertices[::5] @ R.T + 30, 1100 * landmarks @ R.T + 30
    errors = scan_distances(surface, landmarks, scan, at)
    assert 200 < len(errors) < len(scan)  # the face, not the skull
    assert errors.max() < 1e-6
    # In millimetres it is a tenth too large to be the same without scaling.
    small = Surface(surface.vertices * 1000, surface.faces)
    metrical = scan_distances(small, landmarks * 1000, scan, at, metrical=True)
    assert 0.5 < np.median(metrical) < 10


def test_bad_landmarks_are_mended_by_the_surface(head: tuple[Surface, Float64]) -> None:
    surface, landmarks = head
    wrong = landmarks + np.random.default_rng(0).normal(0, 0.004, (7, 3))
    scan = surface.vertices[::9] * 1000
    at_once = scan_distances(surface, wrong, scan, landmarks * 1000, steps=1)
    later = scan_distances(surface, wrong, scan, landmarks * 1000, steps=40)
    assert np.median(at_once) > 0.5
    assert np.median(later) < 0.5 * np.median(at_once)


def test_a_bump_on_the_face_is_found_as_high_as_it_is(
    head: tuple[Surface, Float64],
) -> None:
    surface, landmarks = head
    scan = surface.vertices[::9] * 1000
    face = FaceRegion().mask(scan, landmarks * 1000)
    bumped = scan.copy()
    bumped[:, 2] += 3 * (np.arange(len(scan)) == np.flatnonzero(face)[0])
    errors = scan_distances(surface, landmarks, bumped, landmarks * 1000)
    assert errors[1:].max() < 0.1
    assert 0.1 < errors[0] <= 3
    figures = summary(np.array([1.0, 2, 6]))
    assert figures == pytest.approx({"median": 2, "mean": 3, "std": (14 / 3) ** 0.5})
