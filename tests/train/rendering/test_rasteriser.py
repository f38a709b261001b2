from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import Tensor

from pixie_train.rendering.rasteriser import NOTHING, by_tensors, visible_triangles
from pixie_train.rendering.seen import look

H, W = 11, 13
Point = tuple[Fraction, Fraction, Fraction]


def triangles(seed: int, *, steps: int = 4, count: int = 12) -> tuple[Tensor, Tensor]:
    """Draw triangles whose corners often meet pixel centres and one another."""
    random = np.random.default_rng(seed)
    points = random.integers(-2 * steps, 15 * steps, (1, count, 3)) / steps
    faces = random.integers(0, count, (3 * count, 3))
    return torch.from_numpy(points).float(), torch.from_numpy(faces)


def troubled(*, count: int) -> tuple[Tensor, Tensor]:
    """Draw four samples' points, some no numbers or far away, and their triangles."""
    many = [triangles(seed, steps=64, count=count) for seed in range(4)]
    points = torch.cat([points for points, _ in many])
    points[0, 0] = torch.nan
    points[1, 1] = torch.inf
    points[2, :3] *= 1e6
    return points, many[0][1]


def exact_depths(points: Tensor, faces: Tensor, x: int, y: int) -> dict[int, Fraction]:
    """Return the depth of every triangle at a pixel, in exact arithmetic."""

    def edge(a: Point, b: Point) -> Fraction:
        return (a[0] - x) * (b[1] - y) - (a[1] - y) * (b[0] - x)

    found = {}
    corners = [tuple(Fraction(v) for v in point) for point in points[0].tolist()]
    for number, face in enumerate(faces.tolist()):
        a, b, c = ((p[0], p[1], p[2]) for p in (corners[k] for k in face))
        shares = [edge(b, c), edge(c, a), edge(a, b)]
        area = sum(shares)
        if area < 0 and all(share <= 0 for share in shares):
            mixed = sum(s * p[2] for s, p in zip(shares, (a, b, c), strict=True))
            found[number] = Fraction(mixed) / Fraction(area)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_every_pixel_sees_what_exact_arithmetic_finds_nearest(seed: int) -> None:
    points, faces = triangles(seed)
    found = visible_triangles(points, faces, (H, W))[0]
    for y in range(H):
        for x in range(W):
            depths = exact_depths(points, faces, x, y)
            winner = int(found[y, x])
            if not depths:
                assert winner == NOTHING
            else:
                assert float(depths[winner] - min(depths.values())) < 1e-6
    assert 0 < int((found == NOTHING).sum()) < H * W


@pytest.mark.parametrize("cull", [True, False])
def test_tensors_and_compiled_loops_agree_to_the_bit(cull: bool) -> None:
    points, faces = troubled(count=40)
    loops = visible_triangles(points, faces, (H, W), cull=cull)
    tensors = by_tensors(points, faces, (H, W), cull=cull)
    assert torch.equal(loops, tensors)
    assert not torch.equal(loops[0], loops[3])


@pytest.mark.parametrize("pinhole", [False, True])
def test_gradients_of_what_is_seen_are_those_of_finite_differences(
    pinhole: bool,
) -> None:
    points = torch.tensor(
        [[[0.3, 0.2, 1.0], [1.4, 9.7, 2.0], [11.6, 3.1, 1.5], [9.2, 10.3, 3.0]]],
        dtype=torch.float64,
        requires_grad=True,
    )
    faces = torch.tensor([[0, 1, 2], [2, 1, 3]])
    values = torch.rand(4, 2, dtype=torch.float64, generator=torch.manual_seed(0))
    values.requires_grad_()

    def seen(points: Tensor, values: Tensor) -> Tensor:
        here = look(points, faces, (H, W), pinhole=pinhole)
        return here.of_vertices(values)

    assert len(seen(points, values)) > 30
    assert torch.autograd.gradcheck(seen, (points, values))


def test_a_pinholes_pictures_show_planes_in_perspective() -> None:
    """Every pixel's ray meets the plane where the interpolated corner says it does."""
    corners = torch.tensor([[[-1.0, -1, 2], [-1, 1, 4], [1.5, -1, 6], [2, 2, 7]]])
    flat = torch.cat(
        [corners[..., :2] / corners[..., 2:] * 15 + 6, corners[..., 2:]], 2
    )
    seen = look(flat, torch.tensor([[0, 1, 2], [2, 1, 3]]), (H, W), pinhole=True)
    met = seen.of_vertices(corners)
    pixel = torch.stack([seen.pixel % W, seen.pixel // W], 1)
    assert len(met) > 20
    torch.testing.assert_close(met[:, :2] / met[:, 2:] * 15 + 6, pixel.float())
