import numpy as np
import pytest
import torch

from pixie_runtime.body import BodyModel
from pixie_train.albedo import AlbedoSpace
from pixie_train.rendering import FaceChart, UvMaps, extracted
from pixie_train.rendering.faces import FaceRasteriser


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
