"""Where SMPL-X's joints lie in MakeHuman's base mesh, and what its bones turn into.

MakeHuman marks joints by small cubes (`joint-*` groups); a joint is the mean of the
corners of one cube, or of two.
"""

import numpy as np

from pixie_runtime.smplx import JOINT_NAMES
from tools.bake_body.arrays import Float
from tools.bake_body.source import BaseMesh

FINGERS = {"thumb": 1, "index": 2, "middle": 3, "ring": 4, "pinky": 5}
"""MakeHuman's numbers of the fingers."""

HIP_SCALE = 0.79
"""MakeHuman's thigh cubes lie 11 cm lateral, at the trochanter; the femoral head, which
the thigh turns about, lies about 8.7 cm lateral and a little higher."""
HIP_RISE = 0.3
"""Rise of the hip per metre of shift towards the middle."""

_SPINE = {
    "pelvis": ("spine-4",),
    "spine1": ("spine-3", "spine-2"),
    "spine2": ("spine-2", "spine-1"),
    "spine3": ("spine-1",),
    "neck": ("neck",),
    "head": ("head",),
    "jaw": ("mouth",),
}
_SIDED = {
    "thigh": ("upper-leg",),
    "knee": ("knee",),
    "ankle": ("ankle",),
    "foot": ("foot-1",),
    "collar": ("clavicle", "scapula"),
    "shoulder": ("shoulder",),
    "elbow": ("elbow",),
    "wrist": ("hand",),
    "eye_smplhf": ("eye",),
}


def points(mesh: BaseMesh, vertices: Float) -> dict[str, Float]:
    """Return named points (M, 3) of the bodies `vertices` (M, N, 3).

    Names are SMPL-X's joints except the hips, plus `*_thigh`, MakeHuman's hip cube, and
    `*_thumb4` to `*_pinky4`, the finger tips.
    """
    found = {}
    for name, cubes in cube_names().items():
        corners = np.concatenate([mesh.groups[f"joint-{cube}"] for cube in cubes])
        found[name] = vertices[:, corners].mean(1).astype(np.float64)
    return found


def cube_names() -> dict[str, tuple[str, ...]]:
    """Return for each named point the cubes whose corners are averaged."""
    names = dict(_SPINE)
    for side in ("left", "right"):
        for joint, cubes in _SIDED.items():
            names[f"{side}_{joint}"] = tuple(f"{side[0]}-{cube}" for cube in cubes)
        for finger, number in FINGERS.items():
            for bone in (1, 2, 3, 4):
                cube = f"{side[0]}-finger-{number}-{bone}"
                names[f"{side}_{finger}{bone}"] = (cube,)
    return names


def joints(posed: dict[str, Float]) -> Float:
    """Return SMPL-X's joints (M, 55, 3) from named points in the rest pose."""
    columns = []
    for name in JOINT_NAMES:
        if name.endswith("_hip"):
            thigh = posed[name.replace("hip", "thigh")]
            shift = np.abs(thigh[:, 0] - posed["pelvis"][:, 0]) * (1 - HIP_SCALE)
            hip = thigh.copy()
            hip[:, 0] -= np.sign(thigh[:, 0] - posed["pelvis"][:, 0]) * shift
            hip[:, 1] += HIP_RISE * shift
            columns.append(hip)
        else:
            columns.append(posed[name])
    return np.stack(columns, 1)


def joint_of_bone(bone: str, jaw_bones: frozenset[str]) -> str:
    """Return the SMPL-X joint that moves what MakeHuman's `bone` moves.

    `spine` and `neck` mean that the weight is shared out later by height.
    """
    side = {"L": "left_", "R": "right_"}.get(bone.rsplit(".", 1)[-1], "")
    stem = bone.split(".")[0]
    if bone in jaw_bones:
        return "jaw"
    if stem.startswith("finger"):
        number, bone_number = stem.removeprefix("finger").split("-")
        finger = {str(v): k for k, v in FINGERS.items()}[number]
        return f"{side}{finger}{bone_number}"
    for prefix, joint in _BONES.items():
        if stem.startswith(prefix):
            return joint if joint in ("spine", "neck", "pelvis") else side + joint
    return "head"


_BONES = {
    "root": "pelvis",
    "pelvis": "pelvis",
    "upperleg": "hip",
    "lowerleg": "knee",
    "foot": "ankle",
    "toe": "foot",
    "clavicle": "collar",
    "shoulder01": "collar",
    "upperarm": "shoulder",
    "lowerarm": "elbow",
    "wrist": "wrist",
    "metacarpal": "wrist",
    "eye": "eye_smplhf",
    "spine": "spine",
    "breast": "spine",
    "neck": "neck",
}


def jaw_bones(parents: dict[str, str]) -> frozenset[str]:
    """Return the bone `jaw` and everything below it."""
    below = {"jaw"}
    while True:
        more = {b for b, parent in parents.items() if parent in below} - below
        if not more:
            return frozenset(below)
        below |= more
