from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from pixie_runtime.rendering import Rasterise, open_rasteriser
from pixie_runtime.rendering.rasteriser import rasterise as by_numpy
from pixie_runtime.rendering.rasterising import WarmingRasteriser
from pixie_runtime.types import Camera, Float32, Float64
from tests.runtime.rendering.shapes import sphere

CAMERA = Camera(focal_px=60.0, centre_px=(33.0, 22.0), size_px=(64, 48))


@pytest.fixture(scope="module", params=["numpy", "numba"])
def rasterise(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Rasterise:
    if request.param == "numpy":
        return by_numpy
    pytest.importorskip("numba", reason="the extra fast is not installed")
    from pixie_runtime.rendering.compiled_rasteriser import CompiledRasteriser

    return CompiledRasteriser(tmp_path_factory.mktemp("compiled"))


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


def seen_depth(
    rasterise: Rasterise, vertices: Float32, faces: npt.NDArray[np.int64]
) -> Float64:
    width, height = CAMERA.size_px
    seen = rasterise(vertices, faces, CAMERA)
    depth = np.full(height * width, np.inf)
    depth[seen.pixels] = seen.depth
    return depth.reshape(height, width)


@pytest.mark.parametrize("seed", range(20))
def test_depth_is_that_of_casting_rays(rasterise: Rasterise, seed: int) -> None:
    # Twenty triangles of all sizes, crossing one another, partly behind the camera and
    # partly outside the picture.
    rng = np.random.default_rng(seed)
    vertices = rng.normal((0, 0, 1.5), 1.5, (60, 3)).astype(np.float32)
    faces = np.arange(60).reshape(20, 3)

    expected, margin = ray_cast(vertices, faces)
    found = seen_depth(rasterise, vertices, faces)

    sure = margin > 1e-3
    assert sure.mean() > 0.8
    assert np.isinf(found[sure]).tolist() == np.isinf(expected[sure]).tolist()
    both = sure & np.isfinite(found)
    np.testing.assert_allclose(found[both], expected[both], rtol=2e-3)


def test_weights_name_the_point_that_is_seen(rasterise: Rasterise) -> None:
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


def test_a_closed_surface_has_no_holes_and_no_pixel_too_many(
    rasterise: Rasterise,
) -> None:
    camera = Camera(400.0, (200.0, 200.0), (400, 400))
    vertices, faces = sphere(60, centre=(0, 0, 4.0), radius=1.0)

    seen = rasterise(vertices, faces, camera)

    y, x = np.divmod(np.arange(400 * 400), 400)
    radius = np.hypot(x + 0.5 - 200, y + 0.5 - 200)
    silhouette = 400 * np.tan(np.arcsin(1 / 4))
    covered = np.isin(np.arange(400 * 400), seen.pixels)
    assert covered[radius < silhouette - 1].all()
    assert not covered[radius > silhouette + 1].any()


def test_one_triangle_may_fill_the_picture(rasterise: Rasterise) -> None:
    far = 1e4
    vertices = np.array([[-far, -far, 2], [0, far, 2], [far, -far, 2]], np.float32)

    seen = rasterise(vertices, np.array([[0, 1, 2]]), CAMERA)

    assert len(seen.pixels) == 64 * 48
    np.testing.assert_allclose(seen.depth, 2, rtol=1e-4)


def test_faces_seen_from_behind_are_not_drawn(rasterise: Rasterise) -> None:
    vertices = np.array([[-1, -1, 2], [0, 1, 2], [1, -1, 2]], np.float32)

    assert len(rasterise(vertices, np.array([[0, 1, 2]]), CAMERA).pixels) > 0
    assert len(rasterise(vertices, np.array([[2, 1, 0]]), CAMERA).pixels) == 0


@pytest.mark.parametrize("shift", [(0, 0, -9), (50, 0, 0), (0, -50, 0), (0, 0, 1e6)])
def test_nothing_is_seen_of_a_mesh_out_of_view(
    rasterise: Rasterise, shift: tuple[float, ...]
) -> None:
    vertices, faces = sphere(8, centre=(0, 0, 4.0), radius=0.01)

    moved = (vertices + np.array(shift)).astype(np.float32)

    assert len(rasterise(moved, faces, CAMERA).pixels) == 0


def test_both_ways_see_the_same(rasterise: Rasterise) -> None:
    vertices, faces = sphere(40, centre=(0.1, 0.2, 2.0), radius=0.4)

    seen, expected = (
        rasterise(vertices, faces, CAMERA),
        by_numpy(vertices, faces, CAMERA),
    )

    np.testing.assert_array_equal(seen.pixels, expected.pixels)
    # On an edge between two triangles either may be taken.
    assert (seen.triangles == expected.triangles).mean() > 0.99
    np.testing.assert_allclose(seen.depth, expected.depth, rtol=1e-4)


def test_edges_along_the_rows_are_where_they_should_be(rasterise: Rasterise) -> None:
    # Two triangles make the rectangle of columns 13 to 52 and rows 7 to 36.
    left, right, top, bottom = 13.0, 53.0, 7.0, 37.0
    places = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    rays = (places - CAMERA.centre_px) / CAMERA.focal_px
    vertices = np.column_stack([rays, np.ones(4)]).astype(np.float32) * 2

    seen = rasterise(vertices, np.array([[0, 2, 1], [0, 3, 2]]), CAMERA)

    rows, columns = np.divmod(seen.pixels, 64)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (7, 36, 13, 52)
    assert len(seen.pixels) == 40 * 30


def test_what_is_not_a_number_is_not_drawn(rasterise: Rasterise) -> None:
    vertices, faces = sphere(8, centre=(0, 0, 4.0), radius=1.0)
    whole = rasterise(vertices, faces, CAMERA)
    broken = vertices.copy()
    broken[faces[whole.triangles[len(whole.triangles) // 2]]] = np.nan

    seen = rasterise(broken, faces, CAMERA)

    assert 0 < len(seen.pixels) < len(whole.pixels)
    assert np.isfinite(seen.depth).all()


def test_compiled_loops_take_over_when_they_are_ready(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("numba", reason="the extra fast is not installed")
    vertices, faces = sphere(8, centre=(0, 0, 4.0), radius=1.0)

    rasterise = open_rasteriser(tmp_path)
    assert isinstance(rasterise, WarmingRasteriser)
    before = rasterise(vertices, faces, CAMERA)
    assert rasterise.wait(120)
    after = rasterise(vertices, faces, CAMERA)

    np.testing.assert_array_equal(before.pixels, after.pixels)
    assert list(tmp_path.rglob("*.nbi"))
    assert not caplog.records
