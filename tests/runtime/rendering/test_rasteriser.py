import numpy as np
import numpy.typing as npt
import pytest

from pixie_runtime.rendering import rasterise
from pixie_runtime.types import Camera, Float32, Float64
from tests.runtime.rendering.shapes import sphere

CAMERA = Camera(focal_px=60.0, centre_px=(33.0, 22.0), size_px=(64, 48))


def ray_cast(
    vertices: Float32, faces: npt.NDArray[np.int64]
) -> tuple[Float64, Float64]:
    """Return depth (inf: nothing) and distance to the closest edge, each (H, W).

    The slow way: every pixel's ray against every front-facing triangle; the margin is
    the least of the barycentric weights' absolute values.
    """
    width, height = CAMERA.size_px
    y, x = np.mgrid[:height, :width] + 0.5
    cx, cy = CAMERA.centre_px
    rays = np.stack(
        [(x - cx) / CAMERA.focal_px, (y - cy) / CAMERA.focal_px, np.ones_like(x)], -1
    )
    depth = np.full((height, width), np.inf)
    margin = np.full((height, width), np.inf)
    for face in faces:
        corners = vertices[face].astype(np.float64)
        if np.linalg.det(corners) >= 0:
            continue
        weights = rays @ np.linalg.inv(corners)
        along = weights.sum(-1)
        hit = (weights >= 0).all(-1) & (along > 0)
        depth = np.where(hit, np.minimum(depth, 1 / np.where(hit, along, 1)), depth)
        share = np.abs(weights) / np.maximum(
            np.abs(weights).sum(-1, keepdims=True), 1e-9
        )
        margin = np.minimum(margin, share.min(-1))
    return depth, margin


def seen_depth(vertices: Float32, faces: npt.NDArray[np.int64]) -> Float64:
    width, height = CAMERA.size_px
    seen = rasterise(vertices, faces, CAMERA)
    depth = np.full(height * width, np.inf)
    depth[seen.pixels] = seen.depth
    return depth.reshape(height, width)


@pytest.mark.parametrize("seed", range(20))
def test_depth_is_that_of_casting_rays(seed: int) -> None:
    # Twenty triangles of all sizes, crossing one another, partly behind the camera and
    # partly outside the picture.
    rng = np.random.default_rng(seed)
    vertices = rng.normal((0, 0, 1.5), 1.5, (60, 3)).astype(np.float32)
    faces = np.arange(60).reshape(20, 3)

    expected, margin = ray_cast(vertices, faces)
    found = seen_depth(vertices, faces)

    sure = margin > 1e-3
    assert sure.mean() > 0.8
    assert np.isinf(found[sure]).tolist() == np.isinf(expected[sure]).tolist()
    both = sure & np.isfinite(found)
    np.testing.assert_allclose(found[both], expected[both], rtol=2e-3)


def test_weights_name_the_point_that_is_seen() -> None:
    vertices, faces = sphere(12, centre=(0.1, -0.1, 3.0), radius=1.0)

    seen = rasterise(vertices, faces, CAMERA)
    corners = vertices[faces[seen.triangles]]
    points = np.einsum("in,nik->nk", seen.weights, corners)

    columns, rows = seen.pixels % 64 + 0.5, seen.pixels // 64 + 0.5
    np.testing.assert_allclose(points[:, 2], seen.depth, rtol=1e-3)
    np.testing.assert_allclose(
        CAMERA.project(points.astype(np.float32)),
        np.stack([columns, rows], 1),
        atol=5e-3,
    )


def test_a_closed_surface_has_no_holes_and_no_pixel_too_many() -> None:
    camera = Camera(400.0, (200.0, 200.0), (400, 400))
    vertices, faces = sphere(60, centre=(0, 0, 4.0), radius=1.0)

    seen = rasterise(vertices, faces, camera)

    y, x = np.divmod(np.arange(400 * 400), 400)
    radius = np.hypot(x + 0.5 - 200, y + 0.5 - 200)
    silhouette = 400 * np.tan(np.arcsin(1 / 4))
    covered = np.isin(np.arange(400 * 400), seen.pixels)
    assert covered[radius < silhouette - 1].all()
    assert not covered[radius > silhouette + 1].any()


def test_one_triangle_may_fill_the_picture() -> None:
    far = 1e4
    vertices = np.array([[-far, -far, 2], [0, far, 2], [far, -far, 2]], np.float32)

    seen = rasterise(vertices, np.array([[0, 1, 2]]), CAMERA)

    assert len(seen.pixels) == 64 * 48
    np.testing.assert_allclose(seen.depth, 2, rtol=1e-4)


def test_faces_seen_from_behind_are_not_drawn() -> None:
    vertices = np.array([[-1, -1, 2], [0, 1, 2], [1, -1, 2]], np.float32)

    assert len(rasterise(vertices, np.array([[0, 1, 2]]), CAMERA).pixels) > 0
    assert len(rasterise(vertices, np.array([[2, 1, 0]]), CAMERA).pixels) == 0


@pytest.mark.parametrize("shift", [(0, 0, -9), (50, 0, 0), (0, -50, 0), (0, 0, 1e6)])
def test_nothing_is_seen_of_a_mesh_out_of_view(shift: tuple[float, ...]) -> None:
    vertices, faces = sphere(8, centre=(0, 0, 4.0), radius=0.01)

    moved = (vertices + np.array(shift)).astype(np.float32)

    assert len(rasterise(moved, faces, CAMERA).pixels) == 0
