from dataclasses import replace

import numpy as np
import pytest
import torch

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import ModelFileError
from pixie_train.albedo import AlbedoSpace
from pixie_train.rendering import FaceChart, UvMaps, extracted
from pixie_train.rendering.faces import FaceRasteriser
from pixie_train.rendering.flame_albedo import albedo_in_chart


@pytest.fixture(scope="module")
def chart(model: BodyModel) -> FaceChart:
    return FaceChart.of(model)


@pytest.fixture(scope="module")
def maps(model: BodyModel, chart: FaceChart) -> UvMaps:
    return UvMaps(model, chart, size=64)


def test_colours_that_were_drawn_are_found_again(
    model: BodyModel, maps: UvMaps
) -> None:
    """In light that is white from everywhere; the far cheek is not seen."""
    u = (torch.arange(256) + 0.5) / 256
    across, down = u.expand(256, 256), u[:, None].expand(256, 256)
    colours = torch.stack([across, down, 1 - across])
    space = AlbedoSpace(colours.numpy(), np.zeros((1, 3, 256, 256), np.float32))
    render = FaceRasteriser(model, albedo=space, size=192)
    c, s = np.cos(0.5), np.sin(0.5)
    R = torch.tensor([[c, 0, s], [0, -1, 0], [s, 0, -c]]).float()
    middle = torch.from_numpy(model.J_template[23:25].mean(0))
    vertices = ((torch.from_numpy(model.v_template.copy()) - middle) @ R.T)[None]
    light = torch.zeros(1, 9, 3)
    light[:, 0] = np.sqrt(4 * np.pi)
    camera = torch.tensor([[9.0, 0, -0.03]])
    face = render(vertices, camera, torch.zeros(1, 1), light)
    found, seen = extracted(maps, vertices, camera, face.image)
    here = (seen[0, 0] > 0.5) & (maps.skin[0, 0] > 0.5)
    small = torch.nn.functional.avg_pool2d(colours[None], 4)[0]
    assert ((found[0] - small).abs().amax(0)[here] < 0.05).float().mean() > 0.95
    aside = [here[:, :24].float().mean(), here[:, -24:].float().mean()]
    assert min(aside) < 0.5 * max(aside)


def test_flames_colours_come_to_the_place_that_the_conversion_names(
    model: BodyModel, chart: FaceChart, maps: UvMaps
) -> None:
    """FLAME's picture numbers its pixels, the conversion mirrors the body's map."""
    side, size = 16, 128
    number = np.arange(side * side, dtype=np.float32).reshape(side, side)
    space = AlbedoSpace(np.stack([number] * 3), -np.stack([number] * 3)[None])
    row, column = np.divmod(np.arange(size * size), size)
    source = row // 8 * side + (size - 1 - column) // 8
    known = row % 2 == 0
    assert model.vt is not None
    assert model.ft is not None
    found = albedo_in_chart(
        space,
        model,
        chart,
        maps,
        size=size,
        texel=np.flatnonzero(known),
        source=source[known],
    )
    corners = torch.from_numpy(model.vt[model.ft[chart.triangles]])
    u, v = maps.of_corners(corners)[0].numpy()
    full = maps.mask[0, 0].numpy() > 0.5
    mirrored = np.clip(((1 - u) * side).astype(int), 0, side - 1)[full]
    rows, columns = np.divmod(found.mean[0][full].astype(int), side)
    assert (np.abs(columns - mirrored) <= 1).all()
    assert (np.abs(rows - (1 - v[full]) * side) <= 1.5).all()
    assert (np.abs(columns - mirrored) == 0).mean() > 0.8
    np.testing.assert_array_equal(found.components[0], -found.mean)
    with pytest.raises(ModelFileError, match="has no texture coordinates"):
        albedo_in_chart(
            space,
            replace(model, vt=None, ft=None),
            chart,
            maps,
            size=size,
            texel=np.arange(1),
            source=np.arange(1),
        )
