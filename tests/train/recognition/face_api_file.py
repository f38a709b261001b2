"""A file of face-api's face_recognition_model's layout, of made-up numbers."""

import json
from pathlib import Path
from typing import Any

import numpy as np

MANIFEST = "face_recognition_model-weights_manifest.json"
_BLOCKS = (
    *[(f"conv32_{n}", 32, 32) for n in (1, 2, 3)],
    ("conv64_down", 32, 64),
    *[(f"conv64_{n}", 64, 64) for n in (1, 2, 3)],
    ("conv128_down", 64, 128),
    *[(f"conv128_{n}", 128, 128) for n in (1, 2)],
    ("conv256_down", 128, 256),
    *[(f"conv256_{n}", 256, 256) for n in (1, 2)],
    ("conv256_down_out", 256, 256),
)


def entries() -> list[dict[str, Any]]:
    """Return the manifest's tensors; as in the real one, some are not quantised."""
    named = list(_layer("conv32_down", 7, 3, 32))
    for name, inputs, outputs in _BLOCKS:
        named += _layer(f"{name}/conv1", 3, inputs, outputs)
        named += _layer(f"{name}/conv2", 3, outputs, outputs)
    return [*named, _entry("fc", (256, 128), 0.1)]


def write(folder: Path, shard_bytes: int = 1 << 30) -> Path:
    """Write manifest and shards of at most so many bytes; returns the folder."""
    weights = entries()
    data = b"".join(_bytes(entry, number) for number, entry in enumerate(weights))
    pieces = [data[n : n + shard_bytes] for n in range(0, len(data), shard_bytes)]
    paths = [f"face_recognition_model-shard{n + 1}" for n in range(len(pieces))]
    for path, piece in zip(paths, pieces, strict=True):
        (folder / path).write_bytes(piece)
    groups = [{"weights": weights, "paths": paths}]
    (folder / MANIFEST).write_text(json.dumps(groups))
    return folder


def picture() -> np.ndarray:
    """Return 150 x 150 pixels that look nowhere alike, uint8."""
    y, x = np.mgrid[:150, :150]
    planes = ((x * 7 + y * 3) % 256, (x * x + y) % 256, (x + y * y // 5) % 256)
    return np.stack(planes, -1).astype(np.uint8)


def _layer(name: str, side: int, inputs: int, outputs: int) -> list[dict[str, Any]]:
    quantised = "conv64" not in name
    spread = 3 / np.sqrt(side * side * inputs)
    shape = (side, side, inputs, outputs)
    return [
        _entry(f"{name}/conv/filters", shape, spread, quantised=quantised),
        _entry(f"{name}/conv/bias", (outputs,), 0.1),
        _entry(f"{name}/scale/weights", (outputs,), 0.3, middle=0.8),
        _entry(f"{name}/scale/biases", (outputs,), 0.2),
    ]


def _entry(
    name: str,
    shape: tuple[int, ...],
    spread: float,
    *,
    middle: float = 0.0,
    quantised: bool = True,
) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": name, "shape": shape, "dtype": "float32"}
    low = middle - spread / 2
    if quantised:
        scale = spread / 255
        entry["quantization"] = {"dtype": "uint8", "scale": scale, "min": low}
    return entry


def _bytes(entry: dict[str, Any], seed: int) -> bytes:
    count = int(np.prod(entry["shape"]))
    steps = (np.arange(count, dtype=np.uint64) + np.uint64(seed * 7919)) ** np.uint64(2)
    noise = (steps * np.uint64(2654435761) >> np.uint64(13)) % np.uint64(256)
    if "quantization" in entry:
        return bytes(noise.astype(np.uint8).tobytes())
    spread = 3 / np.sqrt(count / entry["shape"][-1])
    values = np.asarray((noise / 255 - 0.5) * spread, "<f4")
    return bytes(values.tobytes())
