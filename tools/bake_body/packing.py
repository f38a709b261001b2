"""Quantises the baked body and writes the file (format `pixie-body-1`)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from tools.bake_body.arrays import Float, Int

FORMAT = "pixie-body-1"
STEP = 2e-5
"""Metres per unit of the quantised directions."""
DEAD_ZONE = 5e-5
"""Metres below which a pose corrective is not worth its bytes."""

Arrays = dict[str, npt.NDArray[np.generic]]


def directions(values: Float, *, dead_zone: float = 0.0) -> npt.NDArray[np.int16]:
    """Quantise directions (K, V, 3) to (K, 3, V) int16."""
    kept = np.where(np.abs(values) > dead_zone, values, 0.0)
    units = np.round(kept / STEP)
    if np.abs(units).max() > 32767:
        raise SystemExit(f"a direction is longer than {32767 * STEP:.2f} m")
    return units.astype(np.int16).transpose(0, 2, 1)


def sparse_weights(
    weights: Float,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint16]]:
    """Return indices and values (V, K) of weights (V, 55); values sum to 65535."""
    count = int((weights > 0).sum(1).max())
    index = np.argsort(-weights, axis=1, kind="stable")[:, :count]
    share = np.take_along_axis(weights, index, 1)
    units = np.round(share / share.sum(1, keepdims=True) * 65535).astype(np.int64)
    units[:, 0] += 65535 - units.sum(1)
    index = np.where(units > 0, index, 0)
    return index.astype(np.uint8), units.astype(np.uint16)


def unit_interval(values: Float) -> npt.NDArray[np.uint16]:
    """Quantise values in [0, 1]."""
    return np.round(np.clip(values, 0, 1) * 65535).astype(np.uint16)


def unit_rows(values: Float) -> npt.NDArray[np.float32]:
    """Return rows scaled to sum to one, as float32."""
    return np.asarray(values / values.sum(1, keepdims=True), np.float32)


def kinematic_tree(parents: tuple[int, ...]) -> npt.NDArray[np.uint32]:
    """Return parents over numbers (2, J); the root's parent wraps around."""
    tree = np.array([parents, range(len(parents))], np.int64)
    return (tree % 2**32).astype(np.uint32)


def faces16(faces: Int) -> npt.NDArray[np.uint16]:
    """Return faces as uint16."""
    if faces.max() > 65535:
        raise SystemExit("more than 65536 vertices do not fit the format")
    return faces.astype(np.uint16)


def write(path: Path, arrays: Arrays) -> None:
    """Write the file; no time is stamped into it: equal arrays give equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, allow_pickle=False, **arrays)
