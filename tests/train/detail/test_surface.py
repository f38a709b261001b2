import numpy as np
import torch
from torch import Tensor

from pixie_runtime.body import BodyModel
from pixie_train.detail.surface import DetailSurface


def rest(model: BodyModel) -> Tensor:
    return torch.from_numpy(np.array(model.v_template))[None]


def test_without_detail_positions_and_normals_are_the_coarse_ones(
    model: BodyModel, surface: DetailSurface
) -> None:
    flat = torch.zeros(1, 1, 16, 16)
    coarse = surface.maps.uv_normals(rest(model))
    positions = surface.maps.uv_positions(rest(model))
    torch.testing.assert_close(surface.positions(rest(model), flat), positions)
    sharp = DetailSurface(model, size=surface.size, sigma=0.01)
    inside = sharp.share > 0
    apart = (sharp.normals(rest(model), flat) - coarse) * inside
    assert apart.abs().max() < 1e-4


def test_detail_fades_towards_the_edge_of_the_skin(surface: DetailSurface) -> None:
    heights = surface.heights(torch.full((1, 1, 256, 256), 0.002))
    outside = surface.maps.skin == 0
    assert heights.max() == 0.002
    assert heights[outside].abs().max() == 0
    steps = (heights[..., 1:] - heights[..., :-1]).abs().max()
    assert steps < 0.002


def test_skin_moves_along_its_normal_by_the_displacement(
    model: BodyModel, surface: DetailSurface
) -> None:
    raised = torch.full((1, 1, 16, 16), 0.003)
    moved = surface.positions(rest(model), raised)
    moved = moved - surface.maps.uv_positions(rest(model))
    along = (moved * surface.maps.uv_normals(rest(model))).sum(1)
    torch.testing.assert_close(along, 0.003 * surface.share[:, 0], atol=1e-6, rtol=0)


def test_a_furrows_banks_lean_towards_each_other(
    model: BodyModel, surface: DetailSurface
) -> None:
    """A valley across the cheeks and nose, from one side of the chart to the other."""
    row = torch.arange(surface.size)
    middle = surface.size // 2
    valley = -0.002 * torch.exp(-((row - middle) ** 2) / 8.0)
    displacement = valley[None, None, :, None].expand(1, 1, -1, surface.size)
    bent = surface.normals(rest(model), displacement)
    flat = surface.normals(rest(model), torch.zeros_like(displacement))
    up = (bent - flat)[0, 1]
    columns = slice(surface.size // 4, 3 * surface.size // 4)
    above, below = up[middle - 2, columns], up[middle + 2, columns]
    # The upper bank looks down into it, the lower one up.
    assert (above < 0).float().mean() > 0.9
    assert (below > 0).float().mean() > 0.9


def test_gradients_reach_displacements_as_finite_differences_say(
    model: BodyModel, surface: DetailSurface
) -> None:
    g = torch.Generator().manual_seed(0)
    body = rest(model)
    maps = (
        surface.maps.uv_positions(body).double(),
        surface.maps.uv_normals(body).double(),
    )
    facets = surface.facets(*maps)
    weights = torch.randn(maps[0].shape, generator=g, dtype=torch.float64)
    shape = (1, 1, surface.size, surface.size)
    z = 1e-3 * torch.randn(shape, generator=g, dtype=torch.float64)
    step = torch.randn(shape, generator=g, dtype=torch.float64)

    def value(z: Tensor) -> Tensor:
        return (surface.from_maps(*maps, facets, z) * weights).sum()

    z.requires_grad_()
    (gradient,) = torch.autograd.grad(value(z), z)
    small = 1e-8
    ahead, behind = value(z + small * step), value(z - small * step)
    slope = (ahead - behind) / (2 * small)
    torch.testing.assert_close((gradient * step).sum(), slope, rtol=1e-3, atol=0)
