"""The binary side of glTF 2.0: arrays into one buffer, and a GLB file of it.

Written by hand: a take needs a hundred lines of the specification, and pygltflib, which
has classes for the JSON, leaves exactly these, buffers and accessors, to its caller.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Json = dict[str, Any]

_MAGIC, _VERSION = b"glTF", 2
_COMPONENT_TYPES = {"uint8": 5121, "uint16": 5123, "uint32": 5125, "float32": 5126}
_TYPES: dict[tuple[int, ...], str] = {
    (): "SCALAR",
    (2,): "VEC2",
    (3,): "VEC3",
    (4,): "VEC4",
    (4, 4): "MAT4",
}
VERTICES, INDICES = 34962, 34963
"""What a buffer view is for: `ARRAY_BUFFER`, `ELEMENT_ARRAY_BUFFER`."""


class GltfBuffer:
    """Arrays that go into the file's one buffer, and the JSON that finds them there.

    Matrices are stored by columns, as glTF wants them; arrays are given by rows.
    """

    def __init__(self) -> None:
        self.views: list[Json] = []
        self.accessors: list[Json] = []
        self.data = bytearray()

    def add(
        self,
        array: npt.NDArray[Any],
        target: int | None = None,
        *,
        bounds: bool = False,
    ) -> int:
        """Append an array (n, ...) of float32 or unsigned integers.

        Args:
            array: Its elements' shape is (), (2,), (3,), (4,) or (4, 4).
            target: `VERTICES` or `INDICES`, where it is one of them.
            bounds: Whether to state the smallest and largest of each component, which
                positions and animations' times must.

        Returns:
            The accessor's number.
        """
        accessor = {"bufferView": self._view(array, target), **_described(array)}
        if bounds:
            accessor |= _bounds(array.min(axis=0), array.max(axis=0))
        return self._accessor(accessor)

    def add_sparse(
        self, count: int, indices: npt.NDArray[Any], values: npt.NDArray[np.float32]
    ) -> int:
        """Append an array (count, 3) that is zero but for `values` (n, 3) at `indices`.

        Args:
            count: Elements in all.
            indices: Ascending, (n,), at least one.
            values: (n, 3)

        Returns:
            The accessor's number; its bounds are stated.
        """
        places = indices.astype(smallest_index(count))
        lowest = np.minimum(values.min(axis=0), 0)
        highest = np.maximum(values.max(axis=0), 0)
        sparse = {
            "count": len(places),
            "indices": {
                "bufferView": self._view(places),
                "componentType": _COMPONENT_TYPES[places.dtype.name],
            },
            "values": {"bufferView": self._view(values)},
        }
        described = _described(values) | {"count": count, "sparse": sparse}
        return self._accessor(described | _bounds(lowest, highest))

    def to_glb(self, document: Mapping[str, Any]) -> bytes:
        """Return the file: `document` with this buffer, its views and accessors."""
        whole = {
            **document,
            "buffers": [{"byteLength": len(self.data)}],
            "bufferViews": self.views,
            "accessors": self.accessors,
        }
        text = json.dumps(whole, separators=(",", ":"), allow_nan=False).encode()
        chunks = _chunk(b"JSON", text, b" ") + _chunk(b"BIN\0", bytes(self.data), b"\0")
        return _MAGIC + struct.pack("<II", _VERSION, 12 + len(chunks)) + chunks

    def _view(self, array: npt.NDArray[Any], target: int | None = None) -> int:
        if array.ndim == 3:
            array = array.swapaxes(1, 2)
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        data = np.ascontiguousarray(little).tobytes()
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data)}
        if target is not None:
            view["target"] = target
        self.views.append(view)
        self.data += data + bytes(-len(data) % 4)
        return len(self.views) - 1

    def _accessor(self, accessor: Json) -> int:
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def smallest_index(count: int) -> type[np.uint16 | np.uint32]:
    """Return the type for numbers of `count` vertices; glTF reserves each's largest."""
    return np.uint16 if count < 2**16 else np.uint32


def _described(array: npt.NDArray[Any]) -> Json:
    return {
        "componentType": _COMPONENT_TYPES[array.dtype.name],
        "count": len(array),
        "type": _TYPES[array.shape[1:]],
    }


def _bounds(lowest: npt.NDArray[Any], highest: npt.NDArray[Any]) -> Json:
    return {
        "min": np.atleast_1d(lowest).tolist(),
        "max": np.atleast_1d(highest).tolist(),
    }


def _chunk(kind: bytes, data: bytes, filler: bytes) -> bytes:
    padded = data + filler * (-len(data) % 4)
    return struct.pack("<I", len(padded)) + kind + padded
