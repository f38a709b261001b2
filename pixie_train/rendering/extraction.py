"""A face's colours out of a picture, into the maps of its chart."""

import torch
from torch import Tensor

from pixie_train.rendering.faces import pixels
from pixie_train.rendering.seen import look
from pixie_train.rendering.uv_maps import UvMaps

_BEHIND_M = 0.004
"""How far behind what is seen at its pixel a texel may lie: pixels are that coarse."""


def extracted(
    maps: UvMaps,
    vertices: Tensor,
    camera: Tensor,
    picture: Tensor,
    *,
    least_facing: float = 0.2,
) -> tuple[Tensor, Tensor]:
    """Return what pictures show of faces, and which texels can be seen in them.

    Args:
        maps: of the face's chart, T texels along a side.
        vertices: posed bodies, (B, V, 3), metres, camera axes.
        camera: weak perspective, (B, 3), for `camera.project`.
        picture: (B, 3, S, S).
        least_facing: cosine between a normal and the line of sight below which a texel
            counts as not seen.

    Returns:
        Colours, light and all, (B, 3, T, T), 0 where not seen, and (B, 1, T, T), 0 or
        1: turned towards us, inside the picture, and nothing of the body before it.
    """
    size = picture.shape[-1]
    places = maps.uv_positions(vertices).flatten(2).transpose(1, 2)
    at = pixels(places, camera, size)
    nearest = at[..., :2].detach().round().long()
    inside = ((nearest >= 0) & (nearest < size)).all(-1)
    column, row = nearest.clamp(0, size - 1).unbind(-1)
    points = pixels(vertices, camera, size).detach()
    seen = look(points, maps.get_buffer("body_faces"), (size, size))
    depth = seen.picture(seen.of_vertices(points[..., 2:])).flatten(1)
    depth = torch.where(seen.mask().flatten(1) > 0, depth, torch.inf)
    slack = camera[:, :1].abs() * _BEHIND_M
    before = at[..., 2] <= depth.gather(1, row * size + column) + slack
    facing = -maps.uv_normals(vertices)[:, 2].flatten(1) >= least_facing
    known = inside & before & facing & (maps.mask.flatten(1) > 0.5)
    grid = (at[..., :2] + 0.5) * (2 / size) - 1
    shape = (len(picture), -1, maps.size, maps.size)
    colour = torch.nn.functional.grid_sample(
        picture, grid[:, None], align_corners=False, padding_mode="border"
    )
    mask = known.to(picture).reshape(shape)
    return colour.reshape(shape) * mask, mask
