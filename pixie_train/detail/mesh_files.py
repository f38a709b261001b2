"""Detailed meshes as OBJ and GLB, and detail as a normal map for the coarse mesh.

Written by hand: the runtime's glTF buffer has what GLB needs, and an OBJ is four kinds
of lines.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pixie_runtime import __version__
from pixie_runtime.body import BodyModel
from pixie_runtime.errors import UsageError
from pixie_runtime.sinks.whole_file import written_whole
from pixie_runtime.takes.gltf import INDICES, VERTICES, GltfBuffer, Json, smallest_index
from pixie_runtime.types import Float32, UInt8
from pixie_train.detail.mesh import DetailedMesh
from pixie_train.detail.surface import DetailSurface, texture_corners
from pixie_train.rendering.face_chart import FaceChart
from pixie_train.rendering.normals import unit
from pixie_train.rendering.texture import sampled
from pixie_train.rendering.uv_maps import UvMaps

_CLAY_LINEAR = [0.61, 0.515, 0.445, 1.0]
_UV_STEPS = 1 << 16


def write_mesh(mesh: DetailedMesh, path: Path) -> None:
    """Write a mesh as the ending of its name says: .obj or .glb.

    Raises:
        UsageError: another ending.
        SinkError: it cannot be written.
    """
    writers = {".obj": encode_obj, ".glb": encode_glb}
    if path.suffix.lower() not in writers:
        raise UsageError(f'{path} ends in "{path.suffix}"; expected .obj or .glb')
    with written_whole(path) as file:
        file.write(writers[path.suffix.lower()](mesh))


def encode_obj(mesh: DetailedMesh) -> bytes:
    """Return a Wavefront OBJ."""
    lines = [f"# pixie-live {__version__}", "o body"]
    lines += [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in mesh.vertices.tolist()]
    lines += [f"vn {x:.4f} {y:.4f} {z:.4f}" for x, y, z in mesh.normals.tolist()]
    faces = (mesh.faces + 1).tolist()
    if mesh.uv is None:
        lines += [f"f {a}//{a} {b}//{b} {c}//{c}" for a, b, c in faces]
    else:
        places, numbers = _texture_places(mesh.uv)
        lines += [f"vt {u:.6f} {v:.6f}" for u, v in places.tolist()]
        lines += [
            f"f {a}/{i}/{a} {b}/{j}/{b} {c}/{k}/{c}"
            for (a, b, c), (i, j, k) in zip(faces, (numbers + 1).tolist(), strict=True)
        ]
    return ("\n".join(lines) + "\n").encode()


def encode_glb(mesh: DetailedMesh) -> bytes:
    """Return a binary glTF 2.0; vertices on a seam of the texture are there twice."""
    source, triangles, uv = np.arange(len(mesh.vertices)), mesh.faces, None
    if mesh.uv is not None:
        places, numbers = _texture_places(mesh.uv)
        pairs = mesh.faces * len(places) + numbers
        distinct, inverse = np.unique(pairs, return_inverse=True)
        source, place = np.divmod(distinct, len(places))
        triangles, uv = inverse.reshape(-1, 3), places[place].copy()
        uv[:, 1] = 1 - uv[:, 1]  # glTF's v runs downwards
    buffer = GltfBuffer()
    attributes = {
        "POSITION": buffer.add(mesh.vertices[source], VERTICES, bounds=True),
        "NORMAL": buffer.add(_unit(mesh.normals[source]), VERTICES),
    }
    if uv is not None:
        attributes["TEXCOORD_0"] = buffer.add(uv.astype(np.float32), VERTICES)
    indices = triangles.ravel().astype(smallest_index(len(source)))
    surface = {
        "baseColorFactor": _CLAY_LINEAR,
        "metallicFactor": 0.0,
        "roughnessFactor": 0.6,
    }
    primitive: Json = {
        "attributes": attributes,
        "indices": buffer.add(indices, INDICES),
        "material": 0,
    }
    return buffer.to_glb(
        {
            "asset": {"version": "2.0", "generator": f"pixie-live {__version__}"},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"name": "body", "mesh": 0}],
            "meshes": [{"name": "body", "primitives": [primitive]}],
            "materials": [
                {"name": "body", "pbrMetallicRoughness": surface, "doubleSided": True}
            ],
        }
    )


def normal_map(
    model: BodyModel,
    surface: DetailSurface,
    vertices: Float32,
    displacement: Tensor,
    *,
    size: int = 1024,
) -> UInt8:
    """Return the detail as a tangent-space normal map, (size, size, 3), RGB.

    In the body's own texture, as glTF and most programs read it: red along u, green
    along v upwards, blue outwards; the rest of the body is (128, 128, 255).

    Args:
        model: the body.
        surface: its face's chart.
        vertices: the coarse body, (V, 3), any right-handed frame.
        displacement: metres, (1, 1, H, H).
        size: side of the picture.

    Raises:
        ModelFileError: the body has no texture coordinates.
    """
    chart = surface.chart
    skin = chart.triangles[chart.skin]
    corners = texture_corners(model, chart).numpy()[chart.skin]
    flat = np.zeros((len(skin), 3), np.float32)
    textured = FaceChart(skin, corners, flat, np.ones(len(skin), bool))
    maps = UvMaps(model, textured, size=size)
    coarse = torch.from_numpy(np.array(vertices, np.float32))[None]
    places = maps.of_corners(torch.from_numpy(chart.uv[chart.skin]))[0].flatten(1).T
    # What detail changes, so that smoothing of sharp folds, lids and nostrils, is none.
    bent = surface.normals(coarse, displacement)
    bent = bent - surface.normals(coarse, torch.zeros_like(displacement))
    zeros = torch.zeros(len(places), dtype=torch.long)
    outwards = maps.uv_normals(coarse)[0].flatten(1).T
    fine = unit(outwards + sampled(bent, zeros, places))
    tangent = _tangents(
        coarse[0][torch.from_numpy(model.faces[skin].astype(np.int64))],
        torch.from_numpy(textured.uv),
    )
    along = maps.of_corners(tangent[:, None].expand(-1, 3, 3))[0].flatten(1).T
    along = unit(along - (along * outwards).sum(1, keepdim=True) * outwards)
    # Where the texture is mirrored the third axis follows v all the same.
    area = _signed_area(torch.from_numpy(textured.uv))
    sign = maps.of_corners(area.sign()[:, None, None].expand(-1, 3, 1))[0, 0].flatten()
    upwards = torch.linalg.cross(outwards, along) * -sign[:, None]
    local = torch.stack(
        [(fine * axis).sum(1) for axis in (along, upwards, outwards)], 1
    )
    filled = maps.mask[0, 0].flatten() > 0
    local[~filled] = torch.tensor([0.0, 0.0, 1.0])
    pixels = (unit(local) * 0.5 + 0.5) * 255
    picture = pixels.round().clamp(0, 255).reshape(size, size, 3)
    return picture.numpy().astype(np.uint8)


def _tangents(corners: Tensor, uv: Tensor) -> Tensor:
    """Return the direction in which u grows on triangles, (F, 3).

    Args:
        corners: (F, 3, 3).
        uv: (F, 3, 2), v downwards.
    """
    p, q = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    s, t = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    return unit(_signed_area(uv).sign()[:, None] * (p * t[:, 1:] - q * s[:, 1:]))


def _signed_area(uv: Tensor) -> Tensor:
    s, t = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    return s[:, 0] * t[:, 1] - t[:, 0] * s[:, 1]


def _texture_places(uv: Float32) -> tuple[Float32, npt.NDArray[Any]]:
    """Return distinct texture coordinates (T, 2), and the corners' numbers (M, 3)."""
    steps = np.round(uv.reshape(-1, 2).astype(np.float64) * _UV_STEPS).astype(np.int64)
    codes = steps[:, 0] * (4 * _UV_STEPS) + steps[:, 1]
    _, first, place = np.unique(codes, return_index=True, return_inverse=True)
    return uv.reshape(-1, 2)[first], place.reshape(-1, 3)


def _unit(vectors: Float32) -> Float32:
    length = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(vectors / length, np.float32)
