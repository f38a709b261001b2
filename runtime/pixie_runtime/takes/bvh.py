"""Takes as BVH: a skeleton and its angles in text, which every animation program reads.

Axes are the take's world: y up, z towards the camera. The joints are SMPL-X's under
their own names; in rest pose (all angles zero) the body stands as a T and faces z.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.sinks.whole_file import written_whole
from pixie_runtime.smplx import JOINT_COUNT, JOINT_NAMES, PARENTS
from pixie_runtime.takes.take import Take
from pixie_runtime.types import Float32, Float64

Unit = Literal["cm", "m"]
_PER_METRE: dict[Unit, float] = {"cm": 100.0, "m": 1.0}
_DECIMALS: dict[Unit, int] = {"cm": 4, "m": 6}
"""Micrometres."""

_TIPS: dict[str, tuple[float, float, float]] = {
    "left_foot": (0.0, 0.0, 0.07),
    "right_foot": (0.0, 0.0, 0.07),
    "jaw": (0.0, -0.03, 0.08),
    "left_eye_smplhf": (0.0, 0.0, 0.03),
    "right_eye_smplhf": (0.0, 0.0, 0.03),
}
"""Where a bone without a child ends, metres from its joint; fingers go on straight."""
_FINGER_TIP = 0.8
"""Length of a finger's last bone in lengths of the one before."""


def write_bvh(take: Take, path: Path | str, *, unit: Unit = "cm") -> None:
    """Write a take as BVH; an existing file is replaced when the new one is whole.

    Args:
        take: Its frames are written as they come, at `take.mocap_frame_rate`.
        path: Where to write.
        unit: Of all lengths. BVH does not say it; most motion capture systems write,
            and most programs expect, centimetres.

    Raises:
        SinkError: it cannot be written, for example because the disk is full.
    """
    with written_whole(path) as file:
        for text in encode_bvh(take, unit):
            file.write(text.encode("ascii"))


def encode_bvh(take: Take, unit: Unit = "cm") -> Iterator[str]:
    """Yield the file piece by piece: the hierarchy, then each frame's line.

    Bones are `Take.rest_offsets`, so that no body model is needed. The root's offset is
    zero, so that its position channels mean the same to programs that add them to the
    offset and to those that do not.
    """
    scale, decimals = _PER_METRE[unit], _DECIMALS[unit]
    offsets = take.rest_offsets() * np.float32(scale)
    order = list(_depth_first(0))
    yield "HIERARCHY\n"
    yield "\n".join(_hierarchy(0, offsets, scale, decimals, indent=""))
    yield f"\nMOTION\nFrames: {len(take)}\n"
    yield f"Frame Time: {1 / take.mocap_frame_rate:.8f}\n"
    angles = np.degrees(zxy_angles(take.rotations().astype(np.float64)))[:, order]
    pelvis = take.world_joints()[:, 0] * scale
    line = " ".join([f"%.{decimals}f"] * 3 + ["%.4f"] * 3 * JOINT_COUNT) + "\n"
    for place, frame in zip(pelvis, angles, strict=True):
        yield line % (*place.tolist(), *frame.ravel().tolist())


def zxy_angles(wxyz: Float64) -> Float64:
    """Return angles (T, J, 3) in radians, z, x and y, of R = Rz Rx Ry.

    Of the triples that give the same rotation it takes the one nearest to the frame
    before, so that curves do not jump by turns, nor by half turns where x passes 90
    degrees.

    Args:
        wxyz: Unit quaternions (T, J, 4).
    """
    R = rotations.to_matrix(wxyz)
    cos_x = np.hypot(R[..., 2, 0], R[..., 2, 2])
    angles = np.stack(
        [
            np.arctan2(-R[..., 0, 1], R[..., 1, 1]),
            np.arctan2(R[..., 2, 1], cos_x),
            np.arctan2(-R[..., 2, 0], R[..., 2, 2]),
        ],
        axis=-1,
    )
    other = angles * [1, -1, 1] + np.pi
    for frame in range(1, len(angles)):
        before = angles[frame - 1]
        steps = np.stack([angles[frame] - before, other[frame] - before])
        steps -= 2 * np.pi * np.round(steps / (2 * np.pi))
        nearer = np.abs(steps).sum(axis=-1).argmin(axis=0)
        angles[frame] = before + np.where(nearer[:, None] == 0, *steps)
    return angles


def _children(joint: int) -> list[int]:
    return [child for child, parent in enumerate(PARENTS) if parent == joint]


def _depth_first(joint: int) -> Iterator[int]:
    """Yield the joints in the order in which the file's numbers stand."""
    yield joint
    for child in _children(joint):
        yield from _depth_first(child)


def _hierarchy(
    joint: int, offsets: Float32, scale: float, decimals: int, indent: str
) -> Iterator[str]:
    def offset(vector: Float32) -> str:
        return "OFFSET " + " ".join(f"{value:.{decimals}f}" for value in vector)

    name, inner = JOINT_NAMES[joint], indent + "  "
    turns = "Zrotation Xrotation Yrotation"
    if joint == 0:
        yield f"ROOT {name}"
        yield f"{{\n{inner}{offset(np.zeros(3, np.float32))}"
        yield f"{inner}CHANNELS 6 Xposition Yposition Zposition {turns}"
    else:
        yield f"{indent}JOINT {name}"
        yield f"{indent}{{\n{inner}{offset(offsets[joint])}"
        yield f"{inner}CHANNELS 3 {turns}"
    children = _children(joint)
    for child in children:
        yield from _hierarchy(child, offsets, scale, decimals, inner)
    if not children:
        tip = np.array(_TIPS.get(name, (0, 0, 0)), np.float32) * np.float32(scale)
        if name not in _TIPS:
            tip = offsets[joint] * np.float32(_FINGER_TIP)
        yield f"{inner}End Site\n{inner}{{\n{inner}  {offset(tip)}\n{inner}}}"
    yield indent + "}"
