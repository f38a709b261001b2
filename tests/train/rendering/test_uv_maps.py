from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from pixie_runtime.body import BodyModel
from pixie_train.rendering import FaceChart, UvMaps, vertex_normals
from tests.train.rendering.turns import turned


@pytest.fixture(scope="module", params=["own", "unrolled"])
def maps(request: pytest.FixtureRequest, model: BodyModel) -> UvMaps:
    if request.param == "unrolled":
        model = replace(model, vt=None, ft=None)
    return UvMaps(model, FaceChart.of(model), size=128)


@pytest.fixture(scope="module")
def rest(model: BodyModel) -> Tensor:
    return torch.from_numpy(model.v_template.copy())[None]


def test_the_bodys_own_chart_is_one_to_one_and_fills_its_square(
    model: BodyModel,
) -> None:
    chart = FaceChart.of(model)
    a, b, c = chart.uv.astype(np.float64).swapaxes(0, 1)
    (ux, uy), (vx, vy) = (b - a).T, (c - a).T
    area = float(np.abs(ux * vy - uy * vx).sum() / 2)
    covered = float(UvMaps(model, chart, size=256).mask.mean())
    # Each overlap would be counted twice in the triangles and once in the texels.
    assert area == pytest.approx(covered, abs=0.002)
    assert 0.7 < area < 1
    assert chart.uv.min() >= 0
    assert chart.uv.max() <= 1


def test_charts_show_faces_upright_and_as_we_see_them(
    maps: UvMaps, rest: Tensor
) -> None:
    x, y, z = maps.uv_positions(rest)[0]
    skin = maps.skin[0, 0] > 0.5
    row, column = skin.nonzero().T.double()
    assert torch.corrcoef(torch.stack([x[skin], column]))[0, 1] > 0.9
    assert torch.corrcoef(torch.stack([y[skin], row]))[0, 1] < -0.9
    # Of the person's eyes, in the lower corners, the right one is on our left.
    eyes = (maps.mask[0, 0] > 0.5) & ~skin
    half = maps.size // 2
    assert x[:, :half][eyes[:, :half]].mean() < 0 < x[:, half:][eyes[:, half:]].mean()
    assert z[eyes].min() > rest[..., 2].mean()


def test_positions_turn_with_the_body_and_normals_with_them(
    maps: UvMaps, rest: Tensor
) -> None:
    R, shift = turned(0.4, -0.9, 0.2), torch.tensor([0.3, -0.2, 1.0])
    moved = rest @ R.T + shift
    mask = maps.mask[0, 0] > 0.5

    def texels(of: Tensor) -> Tensor:
        return of[0][:, mask].T

    torch.testing.assert_close(
        texels(maps.uv_positions(moved)), texels(maps.uv_positions(rest)) @ R.T + shift
    )
    normals = texels(maps.uv_normals(moved))
    torch.testing.assert_close(
        normals, texels(maps.uv_normals(rest)) @ R.T, atol=1e-4, rtol=0
    )
    torch.testing.assert_close(normals.norm(dim=1), torch.ones(int(mask.sum())))


def test_the_fine_mesh_of_a_face_has_the_bodys_normals(
    model: BodyModel, rest: Tensor
) -> None:
    maps = UvMaps(model, FaceChart.of(model), size=128)
    positions, grid = maps.uv_positions(rest), maps.grid()
    agree = (grid.normals(positions) * maps.uv_normals(rest)).sum(1)[
        maps.skin[:, 0] > 0
    ]
    assert agree.median() > 0.99
    assert (agree > 0.8).float().mean() > 0.98
    assert torch.equal(
        grid.vertices(positions)[0], positions[0].flatten(1)[:, grid.texel].T
    )
    assert len(grid.faces) > 15_000


def test_normals_of_a_sphere_point_away_from_its_middle() -> None:
    steps = 24
    up = torch.linspace(0, torch.pi, steps)[1:-1, None]
    around = torch.arange(steps) * (2 * torch.pi / steps)
    ring = [
        up.sin() * around.cos(),
        up.sin() * around.sin(),
        up.cos().expand(-1, steps),
    ]
    points = torch.stack(ring, -1).flatten(0, 1)
    row, column = torch.meshgrid(
        torch.arange(steps - 3), torch.arange(steps), indexing="ij"
    )
    a, b = row * steps + column, row * steps + (column + 1) % steps
    faces = torch.cat(
        [torch.stack([a, a + steps, b], -1), torch.stack([b, a + steps, b + steps], -1)]
    ).reshape(-1, 3)
    normals = vertex_normals(points[None] * 3e-3 + 5, faces)[0]
    inner = slice(steps, -steps)
    assert ((normals * points).sum(1)[inner] > 0.99).all()


def test_empty_texels_take_what_the_nearest_full_one_has(maps: UvMaps) -> None:
    place = torch.arange(maps.size**2, dtype=torch.float32)
    filled = maps.filled(place.reshape(1, 1, maps.size, -1))[0, 0].flatten().long()
    full = (maps.mask[0, 0] > 0.5).flatten()
    assert torch.equal(filled[full], place[full].long())
    texels = torch.stack([place // maps.size, place % maps.size], 1)
    for empty in (~full).nonzero()[::97, 0].tolist():
        gaps = (texels[full] - texels[empty]).norm(dim=1)
        found = (texels[filled[empty]] - texels[empty]).norm()
        assert found <= gaps.min() * 1.05  # the distance transform is that exact
