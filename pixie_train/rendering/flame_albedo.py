"""FLAME's albedo space in the chart of a body's face (spec: pixie-network, section 9).

The user's flame2smplx_tex_1024.npy says which texels of the body's map show the face,
and where FLAME has them. Both steps, from the chart to the body's map and from there to
FLAME's, are looked up once, and every component is read through them.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import ModelFileError
from pixie_train.albedo import AlbedoSpace
from pixie_train.rendering.face_chart import FaceChart
from pixie_train.rendering.uv_maps import UvMaps, nearest_full

Ints = npt.NDArray[np.integer[Any]]


def albedo_in_chart(
    space: AlbedoSpace,
    model: BodyModel,
    chart: FaceChart,
    maps: UvMaps,
    *,
    size: int,
    texel: Ints,
    source: Ints,
) -> AlbedoSpace:
    """Return the colours of `space`, FLAME's, laid out by the chart.

    Texels of the chart that FLAME lacks take the nearest that it has.

    Args:
        space: as `albedo.read_albedo` reads it, (H, H) pixels.
        model: SMPL-X with its texture coordinates.
        chart: of the model's face.
        maps: of that chart.
        size: side of the body's map in texels.
        texel: places in the body's map that FLAME knows, rows laid end to end, (n,).
        source: the place of each in FLAME's picture, likewise, (n,).

    Raises:
        ModelFileError: the body has no texture coordinates.
    """
    if model.vt is None or model.ft is None:
        raise ModelFileError(
            f"the body model {model.name} has no texture coordinates, by which FLAME's "
            "colours are put on it; use an unchanged SMPLX_NEUTRAL_2020.npz or leave "
            "the albedo out"
        )
    known = np.zeros(size * size, bool)
    known[texel] = True
    places = np.zeros(size * size, np.int64)
    places[texel] = source
    of_body = places[nearest_full(known.reshape(size, size))]
    corners = torch.from_numpy(model.vt[model.ft[chart.triangles]])
    u, v = maps.filled(maps.of_corners(corners))[0].flatten(1).numpy()
    # Texture coordinates have v upwards, pictures their first row at the top.
    column, row = (np.clip(w * size, 0, size - 1).astype(int) for w in (u, 1 - v))
    chosen = of_body[row * size + column]

    def laid_out(pictures: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        flat = pictures.reshape(*pictures.shape[:-2], -1)[..., chosen]
        return flat.reshape(*pictures.shape[:-2], maps.size, maps.size)

    return AlbedoSpace(laid_out(space.mean), laid_out(space.components))
