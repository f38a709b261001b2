"""Takes as CSV: one row per frame, for spreadsheets and data frames."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_runtime.sinks.whole_file import written_whole
from pixie_runtime.smplx import JOINT_NAMES
from pixie_runtime.takes.take import Take
from pixie_runtime.types import PARTS

_CHUNK = 1024
"""Frames converted at once: some 4 MB."""


def write_csv(take: Take, path: Path | str) -> None:
    """Write a take as CSV; an existing file is replaced when the new one is whole.

    Lengths are metres, the world is y-up (`docs/takes.md`), rotations are unit
    quaternions relative to the parent joint (the pelvis': to the world). The columns
    are those of `columns`.

    Raises:
        SinkError: it cannot be written, for example because the disk is full.
    """
    with written_whole(path) as file:
        for line in encode_csv(take):
            file.write(line.encode("ascii"))


def columns(n_betas: int, n_expression: int) -> list[str]:
    """Return the names of the columns, in order."""
    return [
        "frame",
        "time_s",
        *(f"confidence_{part}" for part in PARTS),
        *(f"transl_{axis}" for axis in "xyz"),
        *(f"{joint}_q{axis}" for joint in JOINT_NAMES for axis in "wxyz"),
        *(f"{joint}_{axis}" for joint in JOINT_NAMES for axis in "xyz"),
        *(f"beta_{index}" for index in range(n_betas)),
        *(f"expression_{index}" for index in range(n_expression)),
    ]


def encode_csv(take: Take) -> Iterator[str]:
    """Yield the header and each frame's line, as RFC 4180 wants them."""
    names = columns(take.betas_per_frame.shape[1], take.expression.shape[1])
    yield ",".join(names) + "\r\n"
    pattern = ",".join(["%d"] + ["%.6f"] * (len(names) - 1)) + "\r\n"
    wxyz, joints = take.rotations(), take.world_joints()
    for start in range(0, len(take), _CHUNK):
        rows = slice(start, start + _CHUNK)
        blocks: list[npt.NDArray[np.floating[Any]]] = [
            take.timestamps_s[rows, None],
            take.confidences[rows],
            take.trans[rows],
            wxyz[rows],
            joints[rows],
            take.betas_per_frame[rows],
            take.expression[rows],
        ]
        table = np.hstack([block.reshape(len(block), -1) for block in blocks])
        for frame, values in zip(take.frames[rows].tolist(), table, strict=True):
            yield pattern % (frame, *values.tolist())
