"""FLAME's albedo space in the chart of a body's face, for drawing faces in training.

The user's albedo (`pixie_train.albedo`) lies in FLAME's texture space; the release's
`flame2smplx_tex_1024.npy` says where its texels are on the body (spec: pixie-network,
section 9), and the body's own texture coordinates where those are in the chart.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pixie_runtime.body import BodyModel
from pixie_runtime.types import Float32
from pixie_train.albedo import ALBEDO_SIZE, AlbedoSpace, read_albedo
from pixie_train.detail.flame_map import FlameMap
from pixie_train.detail.surface import texture_corners
from pixie_train.rendering.face_chart import MARGIN_M, FaceChart
from pixie_train.rendering.texture import sampled
from pixie_train.rendering.uv_maps import UvMaps


def flame_albedo(
    model: BodyModel, albedo: Path, flame_map: Path, *, n_texture: int = 50
) -> AlbedoSpace:
    """Read the user's files, and lay their colours out as `FaceRasteriser` takes them.

    Args:
        model: a body with SMPL-X's texture coordinates.
        albedo: FLAME_albedo_from_BFM.npz, or FLAME's own texture space.
        flame_map: flame2smplx_tex_1024.npy.
        n_texture: how many components.

    Raises:
        ModelFileError: a file cannot be read, or the body has no texture coordinates.
    """
    space = read_albedo(albedo, n_texture=n_texture)
    places = FlameMap.read(flame_map)
    chart = FaceChart.of(model, margin_m=MARGIN_M)
    maps = UvMaps(model, chart, size=ALBEDO_SIZE)
    uv = maps.of_corners(texture_corners(model, chart))[0].flatten(1).T
    sample = torch.zeros(len(uv), dtype=torch.long)

    def laid_out(picture: Float32) -> Float32:
        texture = places.converted(torch.from_numpy(picture)[None])
        values: Tensor = sampled(texture, sample, uv.to(texture))
        chosen = values.T.reshape(-1, ALBEDO_SIZE, ALBEDO_SIZE) * maps.mask[0]
        return np.asarray(chosen.numpy(), np.float32)

    # One at a time: the body's maps are sixteen times as large as the file's.
    components = np.stack([laid_out(one) for one in space.components])
    return AlbedoSpace(laid_out(space.mean), components)
