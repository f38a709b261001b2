import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import ModelFileError
from pixie_train.albedo import ALBEDO_SIZE
from pixie_train.detail.flame_albedo import flame_albedo
from pixie_train.detail.flame_map import (
    FLAME_MAP_FILE,
    FlameMap,
    read_fixed_displacement,
)
from pixie_train.detail.surface import DetailSurface, texture_corners
from pixie_train.rendering.face_chart import MARGIN_M, FaceChart
from pixie_train.rendering.uv_maps import UvMaps

SIDE = 4


def content() -> dict[str, Any]:
    """Return the release's dictionary of a map of 4 x 4 texels, three of them face."""
    y, x = np.mgrid[:SIDE, :SIDE]
    return {
        "target_resolution": SIDE,
        "x_coords": x.ravel(),
        "y_coords": y.ravel(),
        "target_pixel_ids": np.array([1, 6, 15]),
        "source_uv_points": np.array([[0.0, 0.0], [0.49, 0.51], [1.0, 1.0]]),
    }


def written(folder: Path, values: Any) -> Path:
    path = folder / FLAME_MAP_FILE
    np.save(path, np.array(values, dtype=object), allow_pickle=True)
    return path


def test_texels_are_the_nearest_and_never_outside(tmp_path: Path) -> None:
    """Where v = 0 is row H in the release, one too far, and u = 1 column W."""
    flame_map = FlameMap.read(written(tmp_path, content()))
    flame = torch.arange(100.0).reshape(1, 1, 10, 10)
    body = flame_map.converted(flame)[0, 0]
    assert body[0, 1] == 90
    assert body[1, 2] == 10 * 4 + 4
    assert body[3, 3] == 9
    assert body.count_nonzero() == 3
    around = flame_map.converted(flame, torch.full((1, 1, SIDE, SIDE), -1.0))
    assert (around == -1).sum() == 13


def test_gradients_go_to_the_texels_that_were_taken(tmp_path: Path) -> None:
    flame_map = FlameMap.read(written(tmp_path, content()))
    flame = torch.zeros(2, 1, 10, 10, requires_grad=True)
    flame_map.converted(flame).sum().backward()  # type: ignore[no-untyped-call]
    assert flame.grad is not None
    assert flame.grad.sum() == 6


def test_flames_albedo_lies_in_the_chart_where_the_body_has_it(
    model: BodyModel, tmp_path: Path
) -> None:
    """FLAME's map is the body's here, and its colour says where a texel is."""
    side = 64
    v, u = np.mgrid[:side, :side]
    values = {
        "target_resolution": side,
        "x_coords": u.ravel(),
        "y_coords": v.ravel(),
        "target_pixel_ids": np.arange(side**2),
        "source_uv_points": np.stack([u + 0.5, side - 0.5 - v], -1).reshape(-1, 2)
        / side,
    }
    flame_map = written(tmp_path, values)
    mean = np.zeros((512, 512, 3), np.float32)
    mean[..., 2] = (np.arange(512) + 0.5) / 512  # red, in the file's order
    mean[..., 1] = (np.arange(512)[:, None] + 0.5) / 512
    path = tmp_path / "FLAME_albedo_from_BFM.npz"
    np.savez(path, MU=mean, PC=mean.reshape(-1, 1) * 0.5)
    space = flame_albedo(model, path, flame_map, n_texture=1)
    chart = FaceChart.of(model, margin_m=MARGIN_M)
    maps = UvMaps(model, chart, size=ALBEDO_SIZE)
    there = maps.of_corners(texture_corners(model, chart))[0].numpy()
    full = maps.mask[0, 0].numpy() > 0.5
    np.testing.assert_allclose(space.mean[:2, full], there[:2, full], atol=0.02)
    np.testing.assert_allclose(space.components[0], space.mean / 2, atol=1e-6)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"source_uv_points": np.zeros((2, 2))}, "3 texels of side 4, 2 places"),
        ({"target_pixel_ids": np.array([1, 6, 99])}, "IndexError"),
        ({"x_coords": np.full(16, 4)}, "outside the map"),
        ({"y_coords": np.full(16, -1)}, "before the first"),
        ({"source_uv_points": np.full((3, 2), np.nan)}, "not finite"),
        ({"target_resolution": "big"}, "ValueError"),
    ],
)
def test_other_contents_are_refused(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelFileError, match=message):
        FlameMap.read(written(tmp_path, content() | changed))


class Harmful:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_would_run_something_is_not_run(tmp_path: Path) -> None:
    made = tmp_path / "made"
    with pytest.raises(ModelFileError, match="wants to run"):
        FlameMap.read(written(tmp_path, content() | {"x_coords": Harmful(made)}))
    assert not made.exists()
    np.save(tmp_path / "plain.npy", np.zeros(3))
    with pytest.raises(ModelFileError, match="an array of shape"):
        FlameMap.read(tmp_path / "plain.npy")
    with pytest.raises(ModelFileError, match="cannot open"):
        FlameMap.read(tmp_path / "absent.npy")


def test_a_fixed_displacement_is_a_square(tmp_path: Path) -> None:
    path = tmp_path / "fixed.npy"
    np.save(path, np.full((4, 4), 0.001))
    assert read_fixed_displacement(path).shape == (1, 1, 4, 4)
    for wrong in (np.zeros((4, 5)), np.zeros((4, 4), int), np.full((4, 4), np.inf)):
        np.save(path, wrong)
        with pytest.raises(ModelFileError, match="fixed displacement"):
            read_fixed_displacement(path)


def test_a_map_of_the_bodys_texture_says_the_same_in_the_chart(
    model: BodyModel, surface: DetailSurface
) -> None:
    """A texture of its own coordinates: in the chart it is where the mesh has them."""
    side = 512
    at = (torch.arange(side) + 0.5) / side
    texture = torch.stack([at.expand(side, side), at[:, None].expand(side, side)])[None]
    found = surface.from_texture(model, texture)
    assert model.vt is not None
    assert model.ft is not None
    corners = np.array(model.vt[model.ft[surface.chart.triangles]], np.float32)
    corners[..., 1] = 1 - corners[..., 1]
    expected = surface.maps.of_corners(torch.from_numpy(corners))
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
