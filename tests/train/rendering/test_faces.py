"""Faces as drawn, at a small size; module-scoped, as a renderer takes a second."""

import numpy as np
import pytest
import torch
from torch import Tensor

from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JAW
from pixie_train.body_model import TorchSurface
from pixie_train.data.pictures import light as painted_light
from pixie_train.data.pictures.looks import Look, albedo
from pixie_train.data.pictures.surface_map import SurfaceMap
from pixie_train.losses.photometric import photometric
from pixie_train.rendering import FaceRasteriser
from pixie_train.rendering.faces import pixels
from pixie_train.rendering.light import shading
from pixie_train.rendering.painted_albedo import chart_points, painted_head
from pixie_train.rendering.texture import sampled
from tests.train.rendering.turns import turned

SIZE = 64


@pytest.fixture(scope="module")
def render(model: BodyModel) -> FaceRasteriser:
    rasteriser = FaceRasteriser(model, size=SIZE, n_texture=20)
    rasteriser.double()
    return rasteriser


@pytest.fixture(scope="module")
def vertices(model: BodyModel) -> Tensor:
    """Return two heads, one turned aside, with open mouths."""
    surface = TorchSurface(model, n_betas=2, n_expression=2)
    R = torch.eye(3).repeat(2, 55, 1, 1)
    upright = torch.diag(torch.tensor([1.0, -1, -1]))
    R[:, 0] = torch.stack([upright, upright @ turned(0.2, 0.6, 0)])
    R[:, JAW] = turned(0.15, 0, 0)
    out = surface(torch.zeros(2, 2), torch.zeros(2, 2), R)
    eyes = out.joints[:, 23:25].mean(1, keepdim=True)
    centred: Tensor = out.vertices - eyes
    return centred.double()


@pytest.fixture
def camera() -> Tensor:
    return torch.tensor([[8.0, 0, -0.03]]).repeat(2, 1).double()


def lights() -> Tensor:
    random = np.random.default_rng(3)
    drawn = [painted_light.draw_light(random) for _ in range(2)]
    return torch.from_numpy(np.stack(drawn)).double()


def test_light_falls_as_on_synthetic_pictures() -> None:
    random = np.random.default_rng(0)
    normals = random.normal(0, 1, (50, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    light = painted_light.draw_light(random)
    ours = shading(
        torch.from_numpy(normals), torch.from_numpy(light)[None], torch.zeros(50).long()
    )
    theirs = painted_light.shading(normals, light)
    np.testing.assert_allclose(ours.clamp_min(0).numpy(), theirs, atol=1e-5)


def test_light_of_the_first_band_is_the_same_from_everywhere() -> None:
    """1 / sqrt(4 pi), as the release has it."""
    normals = torch.nn.functional.normalize(torch.randn(9, 3), dim=1)
    light = torch.zeros(1, 9, 3)
    light[0, 0] = torch.tensor([1.0, 2.0, 3.0])
    found = shading(normals, light, torch.zeros(9).long())
    expected = light[0, :1].expand(9, 3) / np.sqrt(4 * np.pi)
    torch.testing.assert_close(found, expected)


def test_maps_are_sampled_as_torch_samples_pictures() -> None:
    maps = torch.rand(2, 3, 7, 7, dtype=torch.float64, requires_grad=True)
    uv = (torch.rand(2, 30, 2, dtype=torch.float64) * 1.2 - 0.1).requires_grad_()
    sample = torch.arange(2).repeat_interleave(30)
    ours = sampled(maps, sample, uv.flatten(0, 1))
    theirs = torch.nn.functional.grid_sample(
        maps,
        (uv * 2 - 1)[:, None],
        align_corners=False,
        padding_mode="border",
    )[:, :, 0].transpose(1, 2)
    torch.testing.assert_close(ours, theirs.flatten(0, 1))
    for found, expected in zip(
        torch.autograd.grad(ours.square().sum(), (maps, uv)),
        torch.autograd.grad(theirs.square().sum(), (maps, uv)),
        strict=True,
    ):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    "which", range(4), ids=["vertices", "camera", "texture", "light"]
)
def test_a_picture_changes_as_its_gradients_say(
    render: FaceRasteriser, vertices: Tensor, camera: Tensor, which: int
) -> None:
    """Where the same triangle is seen before and after: silhouettes have jumps."""
    random = torch.Generator().manual_seed(0)
    at = [vertices, camera, torch.randn(2, 20, generator=random).double(), lights()]
    step = torch.randn(at[which].shape, generator=random).double() * 1e-7
    weights = torch.randn(2, 3, SIZE, SIZE, generator=random).double()

    def moved(by: int) -> list[Tensor]:
        return [a + by * step if i == which else a for i, a in enumerate(at)]

    triangles = [triangles_at(render, moved(by)) for by in (-1, 0, 1)]
    still = (triangles[0] == triangles[1]) & (triangles[1] == triangles[2])
    assert still.double().mean() > 0.99
    low, high = ((render(*moved(by)).image * weights * still).sum() for by in (-1, 1))
    at[which] = at[which].clone().requires_grad_()
    drawn = render(*at)
    assert not drawn.mask.requires_grad
    (drawn.image * weights * still).sum().backward()
    gradient = at[which].grad
    assert gradient is not None
    torch.testing.assert_close(
        (high - low) / 2, (gradient * step).sum(), rtol=1e-3, atol=1e-12
    )


def triangles_at(render: FaceRasteriser, at: list[Tensor]) -> Tensor:
    seen, _ = render.seen(*at[:2])
    empty = torch.full((2 * SIZE * SIZE,), -1)
    return empty.scatter(0, seen.pixel, seen.triangle).reshape(2, 1, SIZE, SIZE)


def test_crops_pixels_are_where_their_targets_say(
    render: FaceRasteriser, vertices: Tensor
) -> None:
    """A pixel to the right in the crop is 2 / size to the right in projection."""
    s, light = 8.0, lights()
    one = torch.tensor([[s, 0, -0.03]]).double().repeat(2, 1)
    two = one + torch.tensor([0, 3, -5]).double() * 2 / (s * SIZE)
    texture = torch.zeros(2, 20).double()
    first, second = (render(vertices, at, texture, light) for at in (one, two))
    assert torch.equal(first.mask.roll((-5, 3), (2, 3)), second.mask)
    torch.testing.assert_close(first.image.roll((-5, 3), (2, 3)), second.image)
    assert 0.1 < first.mask.mean() < 0.5


def test_open_mouths_show_nothing_and_eyes_are_there(
    render: FaceRasteriser, vertices: Tensor, camera: Tensor, model: BodyModel
) -> None:
    seen, _ = render.seen(vertices, camera)
    uv = seen.of_corners(render.get_buffer("uv"))
    eyes = (uv[:, 1] > 0.88) & ((uv[:, 0] < 0.12) | (uv[:, 0] > 0.88))
    assert 10 < eyes.sum() < 0.05 * len(eyes)
    assert model.lmk_faces_idx is not None
    inner_lips = model.faces[model.lmk_faces_idx[43:]][:, 0]
    places = pixels(vertices[:1, inner_lips], camera[:1], SIZE)
    column, row = places[0, :, :2].mean(0).round().long().tolist()
    mask = seen.mask()[0, 0]
    assert mask[row, column] == 0
    assert mask[row + 12, column] == 1


def test_the_default_colours_hold_every_face_that_is_painted(
    model: BodyModel, render: FaceRasteriser
) -> None:
    surface = SurfaceMap.of(model)
    points = chart_points(surface, render.maps)
    full = (render.maps.mask.flatten() > 0.5)[None].expand(3, -1)
    mean = render.albedo.get_buffer("mean").reshape(3, -1)[full].numpy()
    components = render.albedo.get_buffer("components").reshape(20, 3, -1)
    space = components[:16][:, full].numpy()
    for number in range(1001, 1005):
        head = painted_head(number)
        colour = albedo(Look(head, ()), surface, points).T.reshape(-1) - mean
        inside, *_ = np.linalg.lstsq(space.T, colour, rcond=None)
        assert np.abs(colour - inside @ space).mean() < 0.1 * np.abs(colour).mean()
        assert np.abs(inside).max() < 6


def test_light_and_colours_are_found_by_gradient_descent(
    render: FaceRasteriser, vertices: Tensor, camera: Tensor
) -> None:
    truth = render(vertices, camera, torch.ones(2, 20).double() * 0.7, lights())
    texture = torch.zeros(2, 20).double().requires_grad_()
    light = torch.zeros(2, 9, 3).double()
    light[:, 0] = 2.0
    light.requires_grad_()
    optimiser = torch.optim.Adam([texture, light], lr=0.1)
    costs = []
    for _ in range(40):
        drawn = render(vertices, camera, texture, light)
        cost = photometric(drawn, truth.image.detach(), truth.mask).over("all")
        optimiser.zero_grad()
        cost.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        costs.append(cost.item())
    assert costs[-1] < 0.2 * costs[0]
