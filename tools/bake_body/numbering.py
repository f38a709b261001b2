"""Renumbers a few vertices so that SMPL-X's well-known vertex numbers mean the same.

Tools read nose, ears, finger tips, toes and heels from fixed vertex numbers of SMPL-X.
Here those numbers are given to the corresponding vertices of this mesh by swapping.
"""

import numpy as np

from pixie_runtime.smplx import JOINT_INDEX
from tools.bake_body.arrays import Bool, Float, Int
from tools.bake_body.face import eyeball
from tools.bake_body.skeleton import FINGERS
from tools.bake_body.topology import Topology

# fmt: off
WELL_KNOWN = {
    "nose": 9120, "right_eye": 9929, "left_eye": 9448, "right_ear": 616, "left_ear": 6,
    "right_thumb": 8079, "right_index": 7669, "right_middle": 7794, "right_ring": 7905,
    "right_pinky": 8022, "left_thumb": 5361, "left_index": 4933, "left_middle": 5058,
    "left_ring": 5169, "left_pinky": 5286, "left_big_toe": 5770, "left_small_toe": 5780,
    "left_heel": 8846, "right_big_toe": 8463, "right_small_toe": 8474,
    "right_heel": 8635,
}
# fmt: on
"""Numbers that programs written for SMPL-X expect."""


def permutation(
    mean: Float, joints: Float, weights: Float, topology: Topology
) -> tuple[Int, Int]:
    """Return old numbers by new (V,), and new numbers by old (V,)."""
    old_of = np.arange(len(mean))
    new_of = np.arange(len(mean))
    for name, old in well_known_vertices(mean, joints, weights, topology).items():
        new = WELL_KNOWN[name]
        evicted, left = old_of[new], new_of[old]
        old_of[new], old_of[left] = old, evicted
        new_of[old], new_of[evicted] = new, left
    return old_of, new_of


def well_known_vertices(
    mean: Float, joints: Float, weights: Float, topology: Topology
) -> dict[str, int]:
    """Find the vertex that each name of WELL_KNOWN stands for."""
    x, y, z = mean.T
    eye_y = joints[JOINT_INDEX["left_eye_smplhf"], 1]
    skull = weights[:, [JOINT_INDEX["head"], JOINT_INDEX["jaw"]]].sum(1) > 0.9
    skin = topology.body & skull
    ear_level = skin & (np.abs(y - eye_y + 0.015) < 0.03)
    below_eyes = (y < eye_y) & (y > eye_y - 0.07)
    found = {"nose": _most(skin & (np.abs(x) < 0.01) & below_eyes, z)}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        found[f"{side}_eye"] = _most(eyeball(topology, side), z)
        found[f"{side}_ear"] = _most(ear_level, sign * x)
        for finger in FINGERS:
            last = JOINT_INDEX[f"{side}_{finger}3"]
            along = joints[last] - joints[JOINT_INDEX[f"{side}_{finger}2"]]
            found[f"{side}_{finger}"] = _most(weights[:, last] > 0.6, mean @ along)
        toes = weights[:, JOINT_INDEX[f"{side}_foot"]] > 0.5
        inner, outer = np.quantile(sign * x[toes], [0.3, 0.85])
        found[f"{side}_big_toe"] = _most(toes & (sign * x < inner), z)
        found[f"{side}_small_toe"] = _most(
            toes & (sign * x > outer), z + 0.5 * sign * x
        )
        heel = weights[:, JOINT_INDEX[f"{side}_ankle"]] > 0.5
        found[f"{side}_heel"] = _most(heel, -z - 1.5 * y)
    return found


def _most(mask: Bool, score: Float) -> int:
    rows = np.flatnonzero(mask)
    return int(rows[np.argmax(score[rows])])
