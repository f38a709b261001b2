"""Our results under the official network's names (parity cases' README).

Here are also the official code's habits that change nothing but must be told: where it
pads with identities, and which rotations it keeps absolute.
"""

import numpy as np

from pixie_export import official_crops
from pixie_export.official_case import PARTS, Case
from pixie_runtime.smplx import (
    JAW,
    JOINT_INDEX,
    LEFT_HAND_JOINTS,
    RIGHT_HAND_JOINTS,
)
from pixie_runtime.types import Float32

Arrays = dict[str, Float32]

_PART_BODY = [*range(1, 12), 13, 14, 16, 17, 18, 19]
_NECK, _HEAD = JOINT_INDEX["neck"], JOINT_INDEX["head"]
_LEFT_WRIST, _RIGHT_WRIST = JOINT_INDEX["left_wrist"], JOINT_INDEX["right_wrist"]
_LEFT_HAND, _RIGHT_HAND = list(LEFT_HAND_JOINTS), list(RIGHT_HAND_JOINTS)
_FACE = [*range(106, 123), *range(55, 106)]
"""iBUG's 68 among the key points: the jaw line comes last there, and first here."""
_UPRIGHT = np.diag([1, -1, -1]).astype(np.float32)


def squares(case: Case) -> Arrays:
    """Return where the persons' squares lie, and the whole picture without one."""
    size = case.spec.size
    found: Arrays = {}
    for i, box in enumerate(case.boxes):
        matrix = official_crops.body_similarity(box, size, case.spec)
        found[f"full.{i}.bbox"] = box
        found[f"full.{i}.tform"] = matrix.astype(np.float32)
        side = official_crops.box_size(box, case.spec)
        found[f"full.{i}.size"] = np.array(side, np.float32)
    first = case.pictures[0]
    matrix = official_crops.picture_similarity(first, size)
    found["nocrop.image"] = official_crops.warped(first, matrix, size)
    return found


def moderation(result: Arrays) -> Arrays:
    """Return what the experts said and how they were weighed."""
    found: Arrays = {
        "body.part.raw.head": result["own_head"],
        "body.part.raw.head_share": result["part_head"],
    }
    for i, part in enumerate(PARTS):
        found[f"body.F_b.{part}"] = result["extracted"][:, i]
        found[f"body.moderator.{part}.weight"] = result["moderators"][:, i]
        found[f"body.moderator.{part}.mix"] = result["mixed"][:, i]
    for i, part in enumerate(PARTS[1:]):
        found[f"body.part.raw.{part}"] = result["own_hands"][:, i]
        found[f"body.part.raw.{part}_share"] = result["part_hands"][:, i]
    return found


def fused(name: str, result: Arrays) -> Arrays:
    """Return the fused features and what is regressed from them."""
    found = {
        f"{name}.fused.{part}": result["fused"][:, i] for i, part in enumerate(PARTS)
    }
    found[f"{name}.fused.raw.head"] = result["regressed_head"]
    for i, part in enumerate(PARTS[1:]):
        found[f"{name}.fused.raw.{part}"] = result["regressed_hands"][:, i]
    return found


def coarse(result: Arrays) -> Arrays:
    """Return what is regressed from the body's feature alone."""
    return {
        "body.coarse.raw.body": result["raw_body"],
        "body.coarse.raw.head_share": result["raw_head"],
        "body.coarse.raw.hand_share.left": result["raw_hands"][:, 0],
        "body.coarse.raw.hand_share.right": result["raw_hands"][:, 1],
        "body.coarse.full_pose": result["rotations"],
        "body.coarse.head_euler_before_check": _euler(result["head_unchecked"]),
    }


def params(name: str, result: Arrays) -> Arrays:
    """Return a whole person's decoded parameters."""
    R, absolute = result["rotations"], result["absolute"]
    head, left, right = (absolute[:, i : i + 1] for i in range(3))
    named = {
        "body_cam": result["camera"],
        "global_pose": R[:, :1],
        "partbody_pose": R[:, _PART_BODY],
        "neck_pose": R[:, [_NECK]],
        "shape": result["betas"],
        "exp": result["expression"],
        "head_pose": head,
        "jaw_pose": R[:, [JAW]],
        "left_hand_pose": R[:, _LEFT_HAND],
        "left_wrist_pose": left,
        "right_wrist_pose": right,
        "right_hand_pose": R[:, _RIGHT_HAND],
        "abs_head_pose": head,
        "abs_right_wrist_pose": right,
        # Kept from before the left hand is mirrored.
        "abs_left_wrist_pose": left * _mirror(),
        "body_pose": R[:, 1:22],
    }
    if "texture" in result:
        named |= {"tex": result["texture"], "light": result["light"]}
    return _prefixed(f"{name}.param", named) | _head_check(
        name, result["head_unchecked"]
    )


def head_only(F_f: Float32, result: Arrays) -> Arrays:
    """Return a head's results; the rest of the body is identities."""
    R = result["rotations"]
    named = {
        "shape": result["betas"],
        "exp": result["expression"],
        "head_pose": R[:, :1],
        "abs_head_pose": R[:, :1],
        "global_pose": R[:, :1],
        "jaw_pose": R[:, [JAW]],
        "head_cam": result["camera"],
        "tex": result["texture"],
        "light": result["light"],
        "partbody_pose": _identities(len(R), 21),
        "neck_pose": R[:, [_NECK]],
        "left_wrist_pose": R[:, [_LEFT_WRIST]],
        "left_hand_pose": R[:, _LEFT_HAND],
        "right_wrist_pose": R[:, [_RIGHT_WRIST]],
        "right_hand_pose": R[:, _RIGHT_HAND],
        "body_pose": R[:, 1:22],
    }
    given = {"F": F_f, "raw": result["own"], "raw_share": result["raw"]}
    return {
        **_prefixed("head_only", given),
        **_prefixed("head_only.param", named),
        **_head_check("head_only", R[:, _HEAD]),
    }


def completed_hand(result: Arrays) -> Arrays:
    """Return a lone hand's results with all that the official body model is given.

    Its left wrist is made relative too, to a root that the identity does not face; the
    person has no shape and no expression.
    """
    R = result["rotations"].copy()
    R[:, _LEFT_WRIST] = _UPRIGHT
    count = len(R)
    return result | {
        "rotations": R,
        "betas": np.zeros((count, 200), np.float32),
        "expression": np.zeros((count, 50), np.float32),
    }


def hand_only(F_h: Float32, result: Arrays) -> Arrays:
    """Return a lone hand's results; the rest of the body is identities."""
    R = result["rotations"]
    count = len(R)
    wrist = R[:, :1] @ R[:, [_RIGHT_WRIST]]
    named = {
        "right_wrist_pose": wrist,
        "right_hand_pose": R[:, _RIGHT_HAND],
        "hand_cam": result["camera"],
        "abs_right_wrist_pose": wrist,
        "global_pose": R[:, :1],
        "shape": result["betas"],
        "exp": result["expression"],
        "head_pose": R[:, [_HEAD]],
        "neck_pose": R[:, [_NECK]],
        "jaw_pose": R[:, [JAW]],
        "partbody_pose": _identities(count, 21),
        "left_wrist_pose": _identities(count, 1),
        "left_hand_pose": R[:, _LEFT_HAND],
        "body_pose": R[:, 1:22],
    }
    given = {"F": F_h, "raw": result["own"], "raw_share": result["raw"]}
    return {
        **_prefixed("hand_only", given),
        **_prefixed("hand_only.param", named),
        **_head_check("hand_only", R[:, _HEAD]),
    }


def body(name: str, skinned: Arrays) -> Arrays:
    """Return the mesh and its points in space."""
    return {
        f"{name}.vertices": skinned["vertices"],
        f"{name}.joints": skinned["key_points"],
    }


def projected(name: str, skinned: Arrays, camera: Float32) -> Arrays:
    """Return the mesh and its points as the weak-perspective camera shows them."""
    vertices, points = (
        camera[:, None, :1] * (places + _shift(camera))
        for places in (skinned["vertices"], skinned["key_points"])
    )
    return {
        f"{name}.transformed_vertices": vertices,
        f"{name}.smplx_kpt": points[..., :2],
        f"{name}.face_kpt": points[:, _FACE, :2],
    }


def without_root(result: Arrays) -> Float32:
    """Return rotations with everything but the jaw at rest."""
    R = _identities(len(result["rotations"]), 55)
    R[:, JAW] = result["rotations"][:, JAW]
    return R


def _head_check(name: str, relative: Float32) -> Arrays:
    return {
        f"{name}.head_rel_before_check": relative,
        f"{name}.head_euler_before_check": _euler(relative),
    }


def _euler(R: Float32) -> Float32:
    """Return the intrinsic x, y, z angles (B, 3) in radians of rotations (B, 3, 3)."""
    R = R.astype(np.float64)
    x = np.arctan2(-R[:, 1, 2], R[:, 2, 2])
    y = np.arcsin(np.clip(R[:, 0, 2], -1, 1))
    z = np.arctan2(-R[:, 0, 1], R[:, 0, 0])
    return np.stack([x, y, z], axis=1).astype(np.float32)


def _shift(camera: Float32) -> Float32:
    """Return the camera's translations (B, 1, 3)."""
    return np.pad(camera[:, 1:], ((0, 0), (0, 1)))[:, None]


def _mirror() -> Float32:
    """Return the signs that mirror a rotation matrix in the plane x = 0."""
    return np.array([[1, -1, -1], [-1, 1, 1], [-1, 1, 1]], np.float32)


def _identities(count: int, joints: int) -> Float32:
    return np.tile(np.eye(3, dtype=np.float32), (count, joints, 1, 1))


def _prefixed(prefix: str, arrays: Arrays) -> Arrays:
    return {f"{prefix}.{name}": array for name, array in arrays.items()}
