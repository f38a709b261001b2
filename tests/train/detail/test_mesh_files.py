import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import SinkError, UsageError
from pixie_train.detail.mesh import DetailedMesh, detailed_mesh
from pixie_train.detail.mesh_files import encode_glb, encode_obj, normal_map, write_mesh
from pixie_train.detail.surface import DetailSurface


@pytest.fixture(scope="module")
def bumps(surface: DetailSurface) -> torch.Tensor:
    row = torch.arange(surface.size)[:, None]
    wave = 1e-3 * torch.sin(row * 0.8).expand(surface.size, surface.size)
    return wave[None, None]


@pytest.fixture(scope="module")
def mesh(model: BodyModel, surface: DetailSurface, bumps: torch.Tensor) -> DetailedMesh:
    return detailed_mesh(
        model, surface, model.v_template, bumps, steps=2, region="head"
    )


def test_detail_stands_off_the_smooth_mesh_by_its_height(
    model: BodyModel, surface: DetailSurface, bumps: torch.Tensor, mesh: DetailedMesh
) -> None:
    flat = detailed_mesh(
        model, surface, model.v_template, 0 * bumps, steps=2, region="head"
    )
    off = mesh.vertices - flat.vertices
    along = (off * flat.normals).sum(1)
    assert 0.8e-3 < along.max() <= 1.0001e-3
    assert np.linalg.norm(off, axis=1).max() <= 1.0001e-3
    moved = np.abs(along) > 1e-5
    assert 0.2 < moved.mean() < 0.95
    turned = (mesh.normals * flat.normals).sum(1)
    assert turned[moved].min() < 0.97
    np.testing.assert_allclose(turned[~moved & (off == 0).all(1)].mean(), 1, atol=1e-3)


def test_an_obj_says_the_mesh(mesh: DetailedMesh) -> None:
    rows = [line.split() for line in encode_obj(mesh).decode().splitlines()]
    vertices = np.array([row[1:] for row in rows if row[0] == "v"], float)
    places = np.array([row[1:] for row in rows if row[0] == "vt"], float)
    corners = [row[1:] for row in rows if row[0] == "f"]
    numbers = np.array([[c.split("/") for c in face] for face in corners], int) - 1
    np.testing.assert_allclose(vertices, mesh.vertices, atol=1e-6)
    np.testing.assert_array_equal(numbers[..., 0], mesh.faces)
    np.testing.assert_array_equal(numbers[..., 2], mesh.faces)
    assert mesh.uv is not None
    np.testing.assert_allclose(places[numbers[..., 1]], mesh.uv, atol=2e-5)


def test_a_glb_says_the_mesh(mesh: DetailedMesh) -> None:
    data = encode_glb(mesh)
    magic, version, length, size = struct.unpack_from("<4sIII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    document = json.loads(data[20 : 20 + size])
    binary = data[28 + size :]

    def array(number: int, kind: str, width: int) -> np.ndarray:
        accessor = document["accessors"][number]
        view = document["bufferViews"][accessor["bufferView"]]
        count = accessor["count"] * width
        flat = np.frombuffer(binary, kind, count, view["byteOffset"])
        return flat.reshape(-1, width)

    primitive = document["meshes"][0]["primitives"][0]
    attributes = primitive["attributes"]
    kind = "<u2" if len(mesh.vertices) < 30000 else "<u4"
    triangles = array(primitive["indices"], kind, 1).reshape(-1, 3)
    points = array(attributes["POSITION"], "<f4", 3)[triangles]
    np.testing.assert_array_equal(points, mesh.vertices[mesh.faces])
    uv = array(attributes["TEXCOORD_0"], "<f4", 2)[triangles]
    assert mesh.uv is not None
    np.testing.assert_allclose(1 - uv[..., 1], mesh.uv[..., 1], atol=2e-5)


def test_only_meshes_of_known_kinds_in_folders_that_are_there(
    mesh: DetailedMesh, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"expected \.obj or \.glb"):
        write_mesh(mesh, tmp_path / "head.stl")
    with pytest.raises(SinkError, match="cannot write"):
        write_mesh(mesh, tmp_path / "absent" / "head.obj")
    write_mesh(mesh, tmp_path / "head.OBJ")
    assert (tmp_path / "head.OBJ").stat().st_size > 1e5


def test_a_normal_map_is_even_where_nothing_stands_out(
    model: BodyModel, surface: DetailSurface, bumps: torch.Tensor
) -> None:
    flat = normal_map(model, surface, model.v_template, 0 * bumps, size=256)
    assert np.abs(flat.astype(int) - (128, 128, 255)).max() <= 1
    bent = normal_map(model, surface, model.v_template, bumps, size=256)
    leaning = np.abs(bent.astype(int) - 128)[..., :2].max(-1) > 25
    assert 0.001 < leaning.mean() < 0.2
    length = np.linalg.norm(bent / 127.5 - 1, axis=-1)
    assert np.abs(length - 1).max() < 0.02
