import numpy as np
import torch

from pixie_runtime.body import BodyModel
from pixie_runtime.rendering import draw_mesh
from pixie_runtime.types import Camera
from pixie_train.rendering import BodyRasteriser

SIDE = 96


def test_bodies_look_as_the_runtimes_own_rasteriser_draws_them(
    model: BodyModel,
) -> None:
    """Another algorithm, in homogeneous coordinates and spans.

    It mixes the brightness of corners where ours mixes their normals.
    """
    body = model.v_template * np.array([1, -1, -1], np.float32)
    body = body + np.array([0.1, -0.2, 2.4], np.float32)
    camera = Camera(SIDE * 0.9, (SIDE * 0.45, SIDE * 0.55), (SIDE, SIDE))
    background = np.full((SIDE, SIDE, 3), 40, np.uint8)
    theirs = draw_mesh(background, body, model.faces, camera).astype(np.float32)
    vertices = torch.from_numpy(body)[None].requires_grad_()
    layer = BodyRasteriser(model).through_pinhole(vertices, camera)
    ours = layer.over(torch.full((1, 3, SIDE, SIDE), 40 / 255))
    apart = (ours[0].detach().permute(1, 2, 0) * 255 - torch.from_numpy(theirs)).abs()
    assert (apart.amax(-1) > 8).float().mean() < 0.003
    assert 0.05 < layer.mask.mean() < 0.5
    layer.image.mean().backward()  # type: ignore[no-untyped-call]
    assert vertices.grad is not None
    assert vertices.grad.isfinite().all()


def test_a_far_pinhole_sees_what_a_weak_perspective_sees(model: BodyModel) -> None:
    upright = torch.tensor([1.0, -1.0, -1.0])
    body = (torch.from_numpy(model.v_template.copy()) * upright)[None]
    draw = BodyRasteriser(model)
    weak = draw(body, torch.tensor([[1.0, 0.05, -0.1]]), SIDE)
    far = 400.0
    # -1 of a crop is its first pixel's centre: half a pixel from the picture's edge.
    middle = SIDE / 2 + 0.5
    centre = (middle + 0.05 * SIDE / 2, middle - 0.1 * SIDE / 2)
    camera = Camera(far * SIDE / 2, centre, (SIDE, SIDE))
    pinhole = draw.through_pinhole(body + torch.tensor([0, 0, far]), camera)
    assert (weak.mask != pinhole.mask).float().mean() < 0.005
    assert (weak.image - pinhole.image).abs().mean() < 0.005
