"""Brings MakeHuman's A-pose to SMPL-X's T-pose, every body by its own joints.

Aimed at: arms along x with the elbow's hinge vertical, palms down, fingers straight and
slightly spread, legs 7 degrees out, feet 10 degrees out, the pelvis at the origin.
"""

from dataclasses import dataclass

import numpy as np

from tools.bake_body import geometry
from tools.bake_body.arrays import Float

SPREAD_DEG = {"index": 5.0, "middle": -1.0, "ring": -6.0, "pinky": -11.0}
"""Rest direction of the fingers, degrees from the arm towards the thumb's side."""
_THUMB = ((0.62, -0.38, 0.70), (0.72, -0.25, 0.65), (0.85, -0.15, 0.5))
_UPPER_ARM_TWIST = 0.5
_FOREARM_TWIST = (0.2, 0.7)


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """A rigid motion of M bodies' bones: x to R (x - pivot) + goal."""

    R: Float
    """(M, 3, 3)"""
    pivot: Float
    """(M, 3)"""
    goal: Float
    """(M, 3) where the pivot goes."""

    def apply(self, x: Float) -> Float:
        """Move points (M, 3)."""
        return self.turn(x - self.pivot) + self.goal

    def turn(self, v: Float) -> Float:
        """Turn directions (M, 3)."""
        return np.asarray(np.einsum("mij,mj->mi", self.R, v))


Moves = dict[str, Move]


def to_t_pose(
    vertices: Float, points: dict[str, Float], bone_weights: dict[str, Float]
) -> tuple[Float, dict[str, Float]]:
    """Return vertices (M, K, 3) float32 and named points (M, 3), pelvis at the origin.

    `bone_weights` maps MakeHuman's bones to weights (K,) that sum to one per vertex.
    """
    bones, moved = _moves(points)
    still = 1.0 - sum(bone_weights[b] for b in bones if b in bone_weights)
    posed = np.asarray(still, np.float32)[:, None] * vertices
    for bone, move in bones.items():
        weight = bone_weights.get(bone)
        if weight is None:
            continue
        rows = np.flatnonzero(weight)
        part = vertices[:, rows] - move.pivot[:, None].astype(np.float32)
        part = part @ np.swapaxes(move.R, 1, 2).astype(np.float32)
        part += move.goal[:, None].astype(np.float32)
        posed[:, rows] += weight[rows, None].astype(np.float32) * part
    placed = {n: moved[n].apply(p) if n in moved else p for n, p in points.items()}
    origin = placed["pelvis"]
    placed = {name: point - origin for name, point in placed.items()}
    return posed - origin[:, None].astype(np.float32), placed


def _moves(points: dict[str, Float]) -> tuple[Moves, Moves]:
    """Return the motion of each bone, and of each named point that moves."""
    bones: Moves = {}
    moved: Moves = {}
    for side, sign, letter in (("left", 1.0, "L"), ("right", -1.0, "R")):
        for part in (_arm, _leg):
            part_bones, part_points = part(points, side, sign)
            bones |= {f"{bone}.{letter}": m for bone, m in part_bones.items()}
            moved |= {f"{side}_{name}": m for name, m in part_points.items()}
    return bones, moved


def _arm(points: dict[str, Float], side: str, sign: float) -> tuple[Moves, Moves]:
    shoulder, elbow, wrist, collar = (
        points[f"{side}_{n}"] for n in ("shoulder", "elbow", "wrist", "collar")
    )
    count = len(shoulder)
    clavicle = Move(_about_z(10 * sign, count), collar, collar)
    scapula = Move(_about_z(18 * sign, count), collar, collar)
    deg = np.pi / 180
    upper_goal = np.array(
        [
            sign * np.cos(9 * deg) * np.cos(7 * deg),
            -np.sin(9 * deg),
            -np.sin(7 * deg),
        ]
    )
    upper = elbow - shoulder
    hinge = np.cross(upper, wrist - elbow)
    hinge_goal = np.cross(upper_goal, [0.0, 0.0, 1.0])
    R_aim = geometry.shortest_turn(upper, upper_goal)
    R_upper = _frame_turn(upper, hinge, upper_goal, hinge_goal)
    roll = R_upper @ np.swapaxes(R_aim, 1, 2)
    shoulder_goal = scapula.apply(shoulder)
    upper1 = Move(
        geometry.part_of(roll, _UPPER_ARM_TWIST) @ R_aim, shoulder, shoulder_goal
    )
    upper2 = Move(R_upper, shoulder, shoulder_goal)

    fore = upper2.turn(wrist - elbow)
    R_fore = geometry.shortest_turn(fore, np.array([sign, 0.03, 0.0])) @ R_upper
    elbow_goal = upper2.apply(elbow)
    hand, twist = _hand(points, side, sign, Move(R_fore, elbow, elbow_goal))
    fore1, fore2 = (
        Move(_about_x(twist * share) @ R_fore, elbow, elbow_goal)
        for share in _FOREARM_TWIST
    )
    bones = {"clavicle": clavicle, "shoulder01": scapula}
    bones |= {"upperarm01": upper1, "upperarm02": upper2}
    bones |= {"lowerarm01": fore1, "lowerarm02": fore2, "wrist": hand}
    bones |= {f"metacarpal{k}": hand for k in range(1, 5)}
    moved = {"shoulder": scapula, "elbow": upper2, "wrist": fore2}
    for part in (_fingers, _thumb):
        finger_bones, finger_points = part(points, side, sign, hand)
        bones |= finger_bones
        moved |= finger_points
    return bones, moved


def _hand(
    points: dict[str, Float], side: str, sign: float, forearm: Move
) -> tuple[Move, Float]:
    """Return the hand's motion, palm down, and its twist (M,) against the forearm."""
    wrist, index, middle, pinky = (
        points[f"{side}_{n}"] for n in ("wrist", "index1", "middle1", "pinky1")
    )
    back = np.cross(index - wrist, pinky - wrist) * sign
    R = _frame_turn(
        middle - wrist,
        back,
        np.array([sign, -0.02, -0.02]),
        np.array([0.0, 1.0, 0.0]),
    )
    twist = geometry.rotvec_of(R @ np.swapaxes(forearm.R, 1, 2))[:, 0]
    return Move(R, wrist, forearm.apply(wrist)), twist


def _fingers(
    points: dict[str, Float], side: str, sign: float, hand: Move
) -> tuple[Moves, Moves]:
    bones: Moves = {}
    moved: Moves = {}
    for number, (finger, spread) in enumerate(SPREAD_DEG.items(), start=2):
        angle = np.radians(spread)
        goal = np.array([sign * np.cos(angle), -0.03, np.sin(angle)])
        chain = _chain(points, f"{side}_{finger}", [goal] * 3, hand)
        bones |= {f"finger{number}-{k}": chain[k] for k in (1, 2, 3)}
        moved |= {f"{finger}{k}": chain[k - 1] for k in (1, 2, 3, 4)}
    return bones, moved


def _thumb(
    points: dict[str, Float], side: str, sign: float, hand: Move
) -> tuple[Moves, Moves]:
    goals = [np.array(g) * [sign, 1.0, 1.0] for g in _THUMB]
    chain = _chain(points, f"{side}_thumb", goals, hand)
    bones = {f"finger1-{k}": chain[k] for k in (1, 2, 3)}
    return bones, {f"thumb{k}": chain[k - 1] for k in (1, 2, 3, 4)}


def _chain(
    points: dict[str, Float], finger: str, goals: list[Float], hand: Move
) -> list[Move]:
    """Aim a finger's bones one after the other; [hand, bone 1, bone 2, bone 3]."""
    chain = [hand]
    for k, goal in enumerate(goals, start=1):
        parent = chain[-1]
        head, tail = points[f"{finger}{k}"], points[f"{finger}{k + 1}"]
        R = geometry.shortest_turn(parent.turn(tail - head), goal) @ parent.R
        chain.append(Move(R, head, parent.apply(head)))
    return chain


def _leg(points: dict[str, Float], side: str, sign: float) -> tuple[Moves, Moves]:
    thigh, knee, ankle = (points[f"{side}_{n}"] for n in ("thigh", "knee", "ankle"))
    out, inward = np.radians(7.0), np.radians(3.5)
    thigh_goal = np.array([sign * np.sin(out), -np.cos(out), -0.02])
    shin_goal = np.array([-sign * np.sin(inward), -1.0, -0.05])
    R1 = geometry.shortest_turn(knee - thigh, thigh_goal)
    upper1 = Move(geometry.part_of(R1, 0.75), thigh, thigh)
    upper2 = Move(R1, thigh, thigh)
    shin_turn = geometry.shortest_turn(upper2.turn(ankle - knee), shin_goal)
    shin = Move(shin_turn @ R1, knee, upper2.apply(knee))
    R_foot = geometry.matrix_of(
        np.tile([0.0, sign * np.radians(10.0), 0.0], (len(knee), 1))
    )
    foot = Move(R_foot, ankle, shin.apply(ankle))
    bones = {"upperleg01": upper1, "upperleg02": upper2}
    bones |= {"lowerleg01": shin, "lowerleg02": shin, "foot": foot}
    bones |= {f"toe1-{k}": foot for k in (1, 2)}
    bones |= {f"toe{toe}-{k}": foot for toe in (2, 3, 4, 5) for k in (1, 2, 3)}
    return bones, {"knee": upper2, "ankle": shin, "foot": foot}


def _frame_turn(x: Float, y: Float, x_goal: Float, y_goal: Float) -> Float:
    now = geometry.frame(x, y)
    goal = geometry.frame(
        np.broadcast_to(x_goal, x.shape), np.broadcast_to(y_goal, y.shape)
    )
    return np.asarray(goal @ np.swapaxes(now, 1, 2))


def _about_z(degrees: float, count: int) -> Float:
    return geometry.matrix_of(np.tile([0.0, 0.0, np.radians(degrees)], (count, 1)))


def _about_x(radians: Float) -> Float:
    return geometry.matrix_of(radians[:, None] * [1.0, 0.0, 0.0])
