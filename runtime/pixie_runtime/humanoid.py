"""A person as Unity's humanoid: its bones, its axes, and rotations from a T-pose.

What VMC receivers, VRM avatars and engines with humanoid rigs expect. Positions are
metres and quaternions xyzw in Unity's axes: left-handed, x to the right of the avatar,
y up, z the way that it faces.

Two things keep limbs from coming out twisted or crossed on an avatar:

- SMPL-X's axes are mirrored, not turned, into Unity's (`to_unity_positions`).
- Avatars rest with straight arms and legs; SMPL-X rests with its knees apart and its
  elbows low, by 10 degrees on the body that ships. A rotation "from rest" therefore
  means something else to each. `humanoid_pose` gives every arm and leg a frame whose
  axis runs along the bone, as an avatar's does, so that its bones point where the
  person's do. Nothing is lost: positions are turned along, and the chain of them ends
  at the person's joints exactly.
"""

from dataclasses import dataclass

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.rest_offsets import rest_offsets
from pixie_runtime.smplx import JOINT_COUNT, JOINT_INDEX, JOINT_NAMES, PARENTS
from pixie_runtime.types import Float32, Float64, Person

_BODY_BONES = {
    "pelvis": "Hips",
    "spine1": "Spine",
    "spine2": "Chest",
    "spine3": "UpperChest",
    "neck": "Neck",
    "head": "Head",
    "jaw": "Jaw",
    "eye_smplhf": "Eye",
    "collar": "Shoulder",
    "shoulder": "UpperArm",
    "elbow": "LowerArm",
    "wrist": "Hand",
    "hip": "UpperLeg",
    "knee": "LowerLeg",
    "ankle": "Foot",
    "foot": "Toes",
}
_FINGERS = {
    "thumb": "Thumb",
    "index": "Index",
    "middle": "Middle",
    "ring": "Ring",
    "pinky": "Little",
}
_PHALANGES = {"1": "Proximal", "2": "Intermediate", "3": "Distal"}


def bone_name(joint: str) -> str:
    """Return Unity's name of the bone that begins at an SMPL-X joint."""
    side, _, rest = joint.partition("_")
    if side not in ("left", "right"):
        return _BODY_BONES[joint]
    if rest in _BODY_BONES:
        return side.capitalize() + _BODY_BONES[rest]
    return side.capitalize() + _FINGERS[rest[:-1]] + _PHALANGES[rest[-1]]


BONE_NAMES: tuple[str, ...] = tuple(bone_name(joint) for joint in JOINT_NAMES)
"""Unity's `HumanBodyBones` in the order of SMPL-X's joints, whose tree is the same: a
bone's parent is at `smplx.PARENTS`."""


def _on_both_sides(*joints: str) -> list[int]:
    sides = ("left", "right")
    return [JOINT_INDEX[f"{side}_{joint}"] for side in sides for joint in joints]


# Bones whose direction in a T-pose is known: their joints, the joints at their ends,
# and the directions in body axes.
_LIMBS = _on_both_sides("shoulder", "elbow", "hip", "knee")
_LIMB_ENDS = _on_both_sides("elbow", "wrist", "knee", "ankle")
_LEFT, _RIGHT, _DOWN = (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (0.0, -1.0, 0.0)
_ALONG = np.array([_LEFT, _LEFT, _DOWN, _DOWN, _RIGHT, _RIGHT, _DOWN, _DOWN])

_NO_LENGTH = 1e-6
_PARENTS = np.asarray(PARENTS[1:])
UPRIGHT: Float64 = np.diag([1.0, -1.0, -1.0, 1.0])
"""Half a turn about x, (4, 4): from the camera frame (y down, z away) to a world that
people stand in (y up, z towards the camera), whose origin is a level camera."""
UPRIGHT.flags.writeable = False


@dataclass(frozen=True, slots=True, eq=False)
class HumanoidPose:
    """A person's bones, by the numbers of SMPL-X's joints.

    In the world y is up, and z leads from the person to the camera: who faces the
    camera looks along z.
    """

    positions: Float32
    """(55, 3), metres: each bone in its parent's frame; the hips in the world."""
    rotations: Float32
    """(55, 4), xyzw: each bone relative to its parent, the hips to the world; identity
    in a T-pose that faces the camera."""


def humanoid_pose(person: Person, world_from_camera: Float64 = UPRIGHT) -> HumanoidPose:
    """Return the person's bones as Unity has them.

    Args:
        person: In the camera frame.
        world_from_camera: Where the camera is in the world, (4, 4), metres. The world
            is still right-handed here: x to the camera's right, y up.
    """
    offsets = rest_offsets(person).astype(np.float64)
    wxyz = person.params.rotations.astype(np.float64)
    frames = t_pose_frames(offsets)
    back = rotations.inverse(frames[_PARENTS])

    turned = rotations.multiply(wxyz, frames)
    R = world_from_camera[:3, :3]
    turned[0] = rotations.multiply(rotations.from_matrix(R), turned[0])
    turned[1:] = rotations.multiply(back, turned[1:])
    placed = np.empty((JOINT_COUNT, 3))
    placed[0] = R @ person.joints[0] + world_from_camera[:3, 3]
    placed[1:] = rotations.apply(back, offsets[1:])
    return HumanoidPose(
        to_unity_positions(placed.astype(np.float32)),
        to_unity_rotations(turned.astype(np.float32)),
    )


def t_pose_frames(offsets: Float64) -> Float64:
    """Return how each joint's rest frame is turned so that limbs run along its axes.

    Args:
        offsets: Rest position of each joint relative to its parent's, (55, 3).

    Returns:
        Quaternions wxyz (55, 4): the shortest turn from the bone's direction in a
        T-pose to its direction at rest; identity for all but arms and legs.
    """
    frames = np.zeros((JOINT_COUNT, 4))
    frames[:, 0] = 1.0
    frames[_LIMBS] = _shortest_turns(_ALONG, offsets[_LIMB_ENDS])
    return frames


def to_unity_positions(points: Float32) -> Float32:
    """Mirror positions (..., 3) from right-handed axes with x to the left, y up."""
    return points * np.asarray([-1, 1, 1], np.float32)


def to_unity_rotations(wxyz: Float32) -> Float32:
    """Mirror rotations likewise: quaternions wxyz (..., 4) to xyzw (..., 4)."""
    w, x, y, z = np.moveaxis(wxyz, -1, 0)
    return np.stack([x, -y, -z, w], axis=-1)


def _shortest_turns(starts: Float64, ends: Float64) -> Float64:
    """Return quaternions wxyz (n, 4) that turn unit vectors (n, 3) into directions.

    Directions need not be of unit length; one of no length turns nothing. The two may
    not be opposite.
    """
    lengths = np.linalg.norm(ends, axis=-1, keepdims=True)
    ends = np.where(
        lengths > _NO_LENGTH, ends / np.maximum(lengths, _NO_LENGTH), starts
    )
    cosines = np.sum(starts * ends, axis=-1, keepdims=True)
    turns = np.concatenate([1 + cosines, np.cross(starts, ends)], axis=-1)
    return np.asarray(turns / np.linalg.norm(turns, axis=-1, keepdims=True))
