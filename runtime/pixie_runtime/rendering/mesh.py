"""A mesh drawn over a picture."""

from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_runtime.rendering.rasteriser import VisibleSurface, rasterise
from pixie_runtime.rendering.shading import brightness, vertex_normals
from pixie_runtime.types import Camera, Float32, UInt8

Ints = npt.NDArray[np.signedinteger[Any]]

CLAY = (205, 190, 178)
"""Default colour, RGB."""

_FULL_LIGHT = 200
"""Steps of brightness from dark to the mesh's own colour."""
_SHADES = 2 * _FULL_LIGHT


def draw_mesh(
    image: UInt8,
    vertices_camera: Float32,
    faces: Ints,
    camera: Camera,
    *,
    colour: tuple[int, int, int] | UInt8 = CLAY,
    opacity: float = 1.0,
    normals: Float32 | None = None,
) -> UInt8:
    """Return a copy of `image` with a shaded mesh in it.

    Args:
        image: (H, W, 3), RGB, of the camera's size.
        vertices_camera: (V, 3), metres, camera frame.
        faces: (F, 3), counter-clockwise from outside; back faces are not drawn.
        camera: The picture's camera.
        colour: One RGB colour, or one for each vertex (V, 3).
        opacity: How much of the picture the mesh hides, 0 to 1.
        normals: Unit normals (V, 3), camera frame; default: made of the mesh.
    """
    if image.shape[1::-1] != camera.size_px:
        raise ValueError(
            f"the picture is {image.shape[1]}x{image.shape[0]}, but its camera's is "
            f"{camera.size_px[0]}x{camera.size_px[1]}"
        )
    seen = rasterise(vertices_camera, faces, camera)
    if normals is None:
        normals = vertex_normals(vertices_camera, faces)
    light = brightness(normals)
    corners = [faces[:, i][seen.triangles] for i in range(3)]
    if isinstance(colour, tuple):
        shades = np.arange(_SHADES)[:, None] * (np.asarray(colour) / _FULL_LIGHT)
        table = np.minimum(shades, 255).astype(np.uint8)
        lit = table[_interpolated(light * _FULL_LIGHT, corners, seen).astype(np.intp)]
    else:
        channels = (light * channel for channel in colour.T)
        rows = [_interpolated(channel, corners, seen) for channel in channels]
        lit = np.minimum(np.stack(rows, axis=1), 255).astype(np.uint8)
    drawn = image.copy()
    covered = drawn.reshape(-1, 3)
    if opacity < 1:
        under = covered[seen.pixels]
        lit = (lit * np.float32(opacity) + under * np.float32(1 - opacity)).astype(
            np.uint8
        )
    covered[seen.pixels] = lit
    return drawn


def _interpolated(
    of_vertices: Float32, corners: list[Ints], seen: VisibleSurface
) -> Float32:
    a, b, c = (of_vertices[corner] for corner in corners)
    wa, wb, wc = seen.weights
    return np.asarray(a * wa + b * wb + c * wc)
