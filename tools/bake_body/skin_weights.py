"""Skinning weights: MakeHuman's 163 bones summed into SMPL-X's 55 joints."""

import numpy as np

from pixie_runtime.smplx import JOINT_INDEX, JOINT_NAMES
from tools.bake_body import skeleton
from tools.bake_body.arrays import Float, Int
from tools.bake_body.geometry import smoothstep
from tools.bake_body.source import Source
from tools.bake_body.topology import GROUPS, Topology

_HAND = [i for i, n in enumerate(JOINT_NAMES) if i >= 25 or n.endswith("wrist")]
_WRIST_SHARE = 0.42
"""Of the forearm's weight near the wrist: so that a twisted hand turns the forearm."""
_SMALLEST = 2e-3


def build(
    source: Source, topology: Topology, mean: Float, joints: Float, mirror_joints: Int
) -> Float:
    """Return weights (V, 55), rows summing to one, mirror-symmetric."""
    weights, spine, neck = _summed(source, topology)
    _share_by_height(weights, spine, neck, mean[:, 1], joints[:, 1])
    _rigid_parts(weights, topology.group)
    mirrored = weights[topology.mirror][:, mirror_joints]
    weights = 0.5 * (weights + mirrored)
    weights = _smoothed(weights, topology, mean, joints)
    weights[weights < _SMALLEST] = 0.0
    weights /= weights.sum(1, keepdims=True)
    _share_twist(weights, mean, joints)
    return weights


def _summed(source: Source, topology: Topology) -> tuple[Float, Float, Float]:
    count = len(source.mesh.vertices)
    sums = np.zeros((count, 57))
    extra = {"spine": 55, "neck": 56}
    jaw = skeleton.jaw_bones(source.bone_parents())
    for bone, (rows, values) in source.bone_weights().items():
        joint = skeleton.joint_of_bone(bone, jaw)
        column = extra[joint] if joint in extra else JOINT_INDEX[joint]
        np.add.at(sums[:, column], rows, values)
    kept = sums[topology.source_vertex]
    kept[kept.sum(1) == 0, JOINT_INDEX["head"]] = 1.0
    kept /= kept.sum(1, keepdims=True)
    return kept[:, :55].copy(), kept[:, 55], kept[:, 56]


def _share_by_height(
    weights: Float, spine: Float, neck: Float, y: Float, joint_y: Float
) -> None:
    """Split the trunk between pelvis and spines, and the neck between neck and head."""
    at = {n: joint_y[JOINT_INDEX[n]] for n in ("spine1", "spine2", "spine3", "head")}
    above1 = _rise(y, at["spine1"] - 0.02, 0.06)
    above2 = _rise(y, at["spine2"] - 0.01, 0.05)
    above3 = _rise(y, at["spine3"] - 0.005, 0.05)
    above_head = _rise(y, at["head"] - 0.012, 0.03)
    for joint, share in (
        ("pelvis", spine * (1 - above1)),
        ("spine1", spine * np.clip(above1 - above2, 0, None)),
        ("spine2", spine * np.clip(above2 - above3, 0, None)),
        ("spine3", spine * above3),
        ("neck", neck * (1 - above_head)),
        ("head", neck * above_head),
    ):
        weights[:, JOINT_INDEX[joint]] += share


def _rise(y: Float, centre: float, half_width: float) -> Float:
    return smoothstep(y, centre - half_width, centre + half_width)


def _rigid_parts(weights: Float, group: Int) -> None:
    """Eyes move eyeballs only; teeth and tongue go with skull or jaw."""
    head = JOINT_INDEX["head"]
    owner = {
        "helper-l-eye": "left_eye_smplhf",
        "helper-r-eye": "right_eye_smplhf",
        "helper-upper-teeth": "head",
        "helper-lower-teeth": "jaw",
        "helper-tongue": "jaw",
    }
    for eye in ("left_eye_smplhf", "right_eye_smplhf"):
        weights[:, head] += weights[:, JOINT_INDEX[eye]]
        weights[:, JOINT_INDEX[eye]] = 0.0
    for name, joint in owner.items():
        rows = group == GROUPS.index(name)
        weights[rows] = 0.0
        weights[rows, JOINT_INDEX[joint]] = 1.0


def _smoothed(weights: Float, topology: Topology, mean: Float, joints: Float) -> Float:
    """Soften the body's seams; the face keeps MakeHuman's own weights."""
    face = weights[:, JOINT_INDEX["jaw"]] > 0
    face |= mean[:, 1] > joints[JOINT_INDEX["head"], 1]
    hand = weights[:, _HAND].sum(1) > 0.3
    strength = np.where(topology.body & ~face, np.where(hand, 0.25, 0.6), 0.0)
    return topology.smoothed(weights, 6, strength)


def _share_twist(weights: Float, mean: Float, joints: Float) -> None:
    for side in ("left", "right"):
        elbow, wrist = JOINT_INDEX[f"{side}_elbow"], JOINT_INDEX[f"{side}_wrist"]
        along = joints[wrist] - joints[elbow]
        t = (mean - joints[elbow]) @ along / (along @ along)
        share = np.clip((t - 0.45) / 0.55, 0, 1) ** 1.5 * _WRIST_SHARE
        moved = weights[:, elbow] * share
        weights[:, elbow] -= moved
        weights[:, wrist] += moved


def lips(source: Source, topology: Topology) -> Float:
    """Return how much (V,) MakeHuman's lip bones move each vertex, softened."""
    total = np.zeros(len(source.mesh.vertices))
    for bone, (rows, values) in source.bone_weights().items():
        if bone.startswith("oris"):
            np.add.at(total, rows, values)
    kept = np.clip(total[topology.source_vertex], 0.0, 1.0)
    return topology.smoothed(kept, 2, 0.5)
