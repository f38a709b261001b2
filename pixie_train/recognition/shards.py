"""Weights as tensorflow.js stores them: a manifest in JSON, and shards of bytes.

The manifest lists groups; each has the names of its shards, and of its tensors, in the
order of their bytes in the shards laid end to end. Quantised tensors are unsigned
integers q that stand for scale * q + min.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from pixie_runtime.body.archive import AnyArray
from pixie_runtime.errors import ModelFileError
from pixie_runtime.types import Float32

_LARGEST_MANIFEST = 1 << 20
_LARGEST_SHARD = 1 << 28
_STORED = {"float32": "<f4", "uint8": "u1", "uint16": "<u2"}


def read_shards(manifest: Path) -> dict[str, Float32]:
    """Return a network's tensors by their names, in tensorflow's orders of axes.

    Args:
        manifest: `..._weights_manifest.json`; its shards lie beside it.

    Raises:
        ModelFileError: a file is missing, damaged, too short or too long, lies outside
            the folder, or holds something else than numbers.
    """
    tensors: dict[str, Float32] = {}
    try:
        for group in _groups(manifest):
            paths = _paths(manifest, group)
            data = b"".join(_read(path, _LARGEST_SHARD) for path in paths)
            start = 0
            for entry in group["weights"]:
                array, start = _tensor(entry, data, start)
                tensors[str(entry["name"])] = array
            if start != len(data):
                raise ValueError(
                    f"its shards have {len(data)} bytes, and its tensors take {start}"
                )
    except (KeyError, TypeError, ValueError) as error:
        raise _not_whole(manifest, error) from error
    return tensors


def shards_of(manifest: Path) -> list[Path]:
    """Return the files that a manifest names, in its order.

    Raises:
        ModelFileError: it is missing or damaged, or names a file elsewhere.
    """
    try:
        groups = _groups(manifest)
        return [path for group in groups for path in _paths(manifest, group)]
    except (KeyError, TypeError, ValueError) as error:
        raise _not_whole(manifest, error) from error


def _groups(manifest: Path) -> Any:
    return json.loads(_read(manifest, _LARGEST_MANIFEST))


def _paths(manifest: Path, group: Any) -> list[Path]:
    return [_beside(manifest, str(name)) for name in group["paths"]]


def _not_whole(manifest: Path, error: Exception) -> ModelFileError:
    problem = f"it has no {error}" if isinstance(error, KeyError) else str(error)
    return ModelFileError(
        f"{manifest} is not a whole network of tensorflow.js ({problem}); get the "
        "manifest and all of its shards again, from one place"
    )


def _tensor(entry: Any, data: bytes, start: int) -> tuple[Float32, int]:
    """Return the tensor that begins at byte `start`, and where it ends."""
    shape = tuple(int(n) for n in entry["shape"])
    quantised = entry.get("quantization")
    stored = str(quantised["dtype"] if quantised else entry["dtype"])
    if (
        stored not in _STORED
        or entry["dtype"] != "float32"
        or min(shape, default=1) < 1
    ):
        raise ValueError(f"{entry['name']} is of type {stored} and shape {shape}")
    dtype = np.dtype(_STORED[stored])
    end = start + math.prod(shape) * dtype.itemsize
    if end > len(data):
        raise ValueError(f"{entry['name']} ends at byte {end} of {len(data)}")
    array: AnyArray = np.frombuffer(data[start:end], dtype).reshape(shape)
    values = array.astype(np.float32)
    if quantised:
        values = values * np.float32(quantised["scale"]) + np.float32(quantised["min"])
    if not np.isfinite(values).all():
        raise ValueError(f"{entry['name']} has values that are not finite")
    return values, end


def _beside(manifest: Path, name: str) -> Path:
    if Path(name).name != name:
        raise ValueError(f"it names the shard {name!r}, which is not beside it")
    return manifest.parent / name


def _read(path: Path, limit: int) -> bytes:
    try:
        if path.stat().st_size > limit:
            raise ValueError(f"{path.name} has more than {limit} bytes")
        return path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"cannot open {path}: {error.strerror or error}; a face recognition "
            "network of face-api is a manifest with its shards in one folder"
        ) from error
