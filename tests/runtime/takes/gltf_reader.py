"""A reader of GLB files of the tests' own, as the specification of glTF 2.0 says."""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from pixie_runtime.types import Float64

AnyArray = npt.NDArray[Any]

_TYPES = {5121: "<u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_SHAPES = {"SCALAR": (), "VEC2": (2,), "VEC3": (3,), "VEC4": (4,), "MAT4": (4, 4)}


@dataclass(frozen=True)
class Gltf:
    document: dict[str, Any]
    data: bytes

    @classmethod
    def read(cls, path: Path) -> Self:
        data = path.read_bytes()
        magic, version, length = struct.unpack("<4sII", data[:12])
        assert (magic, version, length) == (b"glTF", 2, len(data))
        chunks = {}
        at = 12
        while at < len(data):
            size, kind = struct.unpack("<I4s", data[at : at + 8])
            chunks[kind] = data[at + 8 : at + 8 + size]
            at += 8 + size
        return cls(json.loads(chunks[b"JSON"]), chunks[b"BIN\0"])

    def accessor(self, number: int) -> AnyArray:
        accessor = self.document["accessors"][number]
        shape = (accessor["count"], *_SHAPES[accessor["type"]])
        kind = accessor["componentType"]
        if "sparse" not in accessor:
            found = self._view(accessor["bufferView"], kind).reshape(shape)
        else:
            found = np.zeros(shape, _TYPES[kind])
            sparse = accessor["sparse"]
            indices = sparse["indices"]
            places = self._view(indices["bufferView"], indices["componentType"])
            values = self._view(sparse["values"]["bufferView"], kind)
            assert len(places) == sparse["count"]
            found[places] = values.reshape(-1, *shape[1:])
        if "min" in accessor:
            np.testing.assert_array_equal(np.atleast_1d(found.min(0)), accessor["min"])
            np.testing.assert_array_equal(np.atleast_1d(found.max(0)), accessor["max"])
        # Matrices are stored by columns.
        return found.swapaxes(1, 2) if found.ndim == 3 else found

    def _view(self, number: int, kind: int) -> AnyArray:
        view = self.document["bufferViews"][number]
        start = view["byteOffset"]
        assert start % 4 == 0
        return np.frombuffer(
            self.data[start : start + view["byteLength"]], _TYPES[kind]
        )

    def channel(self, node: int, path: str) -> AnyArray:
        """Return what animates a node, one row per key."""
        animation = self.document["animations"][0]
        for channel in animation["channels"]:
            if channel["target"] == {"node": node, "path": path}:
                return self.accessor(
                    animation["samplers"][channel["sampler"]]["output"]
                )
        raise KeyError(path)

    @property
    def times(self) -> AnyArray:
        samplers = self.document["animations"][0]["samplers"]
        (number,) = {sampler["input"] for sampler in samplers}
        return self.accessor(number)

    @property
    def primitive(self) -> dict[str, Any]:
        primitive: dict[str, Any] = self.document["meshes"][0]["primitives"][0]
        return primitive

    def attribute(self, name: str) -> AnyArray:
        return self.accessor(self.primitive["attributes"][name])

    def joint_transforms(self, key: int) -> Float64:
        """Return the joints' transforms to the world at a key, (J, 4, 4)."""
        nodes = self.document["nodes"]
        world = np.tile(np.eye(4), (len(nodes), 1, 1))

        def place(number: int, parent: Float64) -> None:
            local = np.eye(4)
            local[:3, 3] = nodes[number].get("translation", [0, 0, 0])
            if number == 0:
                local[:3, 3] = self.channel(0, "translation")[key]
            turn = self.channel(number, "rotation")[key]
            local[:3, :3] = Rotation.from_quat(turn).as_matrix()
            world[number] = parent @ local
            for child in nodes[number].get("children", []):
                place(child, world[number])

        place(0, np.eye(4))
        joints: list[int] = self.document["skins"][0]["joints"]
        return world[joints]

    def morphed(self, key: int) -> Float64:
        """Return the mesh before the bones move it, (V, 3)."""
        vertices = self.attribute("POSITION").astype(np.float64)
        targets = self.primitive.get("targets", [])
        if targets:
            body = self.document["scenes"][0]["nodes"][-1]
            weights = self.channel(body, "weights").reshape(-1, len(targets))[key]
            for target, weight in zip(targets, weights, strict=True):
                vertices += weight * self.accessor(target["POSITION"])
        return vertices

    def vertices(self, key: int) -> Float64:
        """Return the mesh at a key as a receiver draws it, (V, 3)."""
        skin = self.document["skins"][0]
        bind = self.accessor(skin["inverseBindMatrices"])
        motions = self.joint_transforms(key) @ bind
        attributes = self.primitive["attributes"]
        sets = sorted(name for name in attributes if name.startswith("JOINTS_"))
        joints = np.hstack([self.attribute(name) for name in sets])
        weights = np.hstack(
            [self.attribute(name.replace("JOINTS", "WEIGHTS")) for name in sets]
        )
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
        blended = np.einsum("vk,vkab->vab", weights, motions[joints])
        rest = np.concatenate([self.morphed(key), np.ones((len(joints), 1))], axis=1)
        return np.asarray(np.einsum("vab,vb->va", blended, rest)[:, :3])
