"""A mesh drawn over a picture."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pixie_runtime.rendering.rasteriser import VisibleSurface, rasterise
from pixie_runtime.rendering.rasterising import Rasterise
from pixie_runtime.rendering.shading import brightness, vertex_normals
from pixie_runtime.types import Camera, Float32, UInt8

Ints = npt.NDArray[np.signedinteger[Any]]

CLAY = (205, 190, 178)
"""Default colour, RGB."""
_PIXEL = np.dtype("V3")


def draw_mesh(
    image: UInt8,
    vertices_camera: Float32,
    faces: Ints,
    camera: Camera,
    *,
    colour: tuple[int, int, int] | UInt8 = CLAY,
    opacity: float = 1.0,
    normals: Float32 | None = None,
    surface: Rasterise = rasterise,
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
        surface: Finds what is seen of the mesh.
    """
    if image.shape[1::-1] != camera.size_px:
        raise ValueError(
            f"the picture is {image.shape[1]}x{image.shape[0]}, but its camera's is "
            f"{camera.size_px[0]}x{camera.size_px[1]}"
        )
    drawn = image.copy()
    seen = surface(vertices_camera, faces, camera)
    if not len(seen.pixels):
        return drawn
    if normals is None:
        normals = vertex_normals(vertices_camera, faces)
    light = _interpolated(brightness(normals), faces, seen)
    lit = _lit(light, faces, seen, np.asarray(colour, np.uint8))
    # Pixels of three bytes as one element each are gathered and put in half the time.
    places = drawn.reshape(-1, 3).view(_PIXEL)[:, 0]
    if opacity < 1:
        under = np.take(places, seen.pixels).view(np.uint8).reshape(-1, 3)
        lit = np.asarray(cv2.addWeighted(lit, opacity, under, 1 - opacity, 0), np.uint8)
    np.put(places, seen.pixels, lit.view(_PIXEL)[:, 0])
    return drawn


def _lit(light: Float32, faces: Ints, seen: VisibleSurface, colour: UInt8) -> UInt8:
    """Return the mesh's colours in `light` (n,), at each pixel that it covers, (n, 3).

    Args:
        light: How bright, 1 for the mesh's own colour.
        faces: (F, 3)
        seen: The pixels.
        colour: One for all (3,), or of each vertex (V, 3).
    """
    if colour.ndim == 1:
        return _bytes(light[:, None] * colour.astype(np.float32))
    of_vertices = colour.astype(np.float32)
    tints = np.take(of_vertices[faces[:, 0]], seen.triangles, axis=0)
    a, b, c = (colour @ np.array([1, 1 << 8, 1 << 16]))[faces.T]
    mixed = np.flatnonzero(np.take((a != b) | (a != c), seen.triangles))
    corners = of_vertices[faces[seen.triangles[mixed]]]
    tints[mixed] = np.einsum("nic,in->nc", corners, seen.weights[:, mixed])
    tints *= light[:, None]
    return _bytes(tints)


def _bytes(values: Float32) -> UInt8:
    """Return the nearest whole numbers from 0 to 255, (n, 3)."""
    return np.asarray(cv2.convertScaleAbs(values), np.uint8)


def _interpolated(of_vertices: Float32, faces: Ints, seen: VisibleSurface) -> Float32:
    """Return a field over the vertices (V,) at each covered pixel, (n,)."""
    a, b, c = (
        np.take(of_vertices[faces[:, corner]], seen.triangles) for corner in range(3)
    )
    wa, wb, wc = seen.weights
    return np.asarray(a * wa + b * wb + c * wc)
