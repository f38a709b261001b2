"""The SMPL-X contract: joints, their order and parents, and the sizes of parameters.

Names and order are those of the SMPL-X model file and of the `smplx` package; arrays
that depend on a model file live in `pixie_runtime.body`.
"""

JOINT_NAMES: tuple[str, ...] = (
    "pelvis",
    "left_hip",
    "right_hip",
    "spine1",
    "left_knee",
    "right_knee",
    "spine2",
    "left_ankle",
    "right_ankle",
    "spine3",
    "left_foot",
    "right_foot",
    "neck",
    "left_collar",
    "right_collar",
    "head",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "jaw",
    "left_eye_smplhf",
    "right_eye_smplhf",
    *(
        f"{side}_{finger}{bone}"
        for side in ("left", "right")
        for finger in ("index", "middle", "pinky", "ring", "thumb")
        for bone in (1, 2, 3)
    ),
)
"""The 55 joints; index in this tuple is the joint's number everywhere."""

# fmt: off
PARENTS: tuple[int, ...] = (
    -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19,
    15, 15, 15,
    20, 25, 26, 20, 28, 29, 20, 31, 32, 20, 34, 35, 20, 37, 38,
    21, 40, 41, 21, 43, 44, 21, 46, 47, 21, 49, 50, 21, 52, 53,
)
# fmt: on
"""Each joint's parent; the pelvis has -1."""

JOINT_COUNT = len(JOINT_NAMES)


def _generations() -> tuple[tuple[int, ...], ...]:
    depth = [0] * JOINT_COUNT
    for joint in range(1, JOINT_COUNT):
        depth[joint] = depth[PARENTS[joint]] + 1
    return tuple(
        tuple(joint for joint in range(JOINT_COUNT) if depth[joint] == level)
        for level in range(1, max(depth) + 1)
    )


GENERATIONS: tuple[tuple[int, ...], ...] = _generations()
"""The joints below the pelvis by their distance from it: children after parents."""
BODY_JOINTS = range(1, 22)
"""`body_pose` of the smplx package: 21 joints from left_hip to right_wrist."""
LIMB_JOINTS = (1, 2, 4, 5, 7, 8, 10, 11, 16, 17, 18, 19, 20, 21)
"""Hips to feet and shoulders to wrists."""
JAW = 22
LEFT_EYE = 23
RIGHT_EYE = 24
LEFT_HAND_JOINTS = range(25, 40)
RIGHT_HAND_JOINTS = range(40, 55)

JOINT_INDEX: dict[str, int] = {name: i for i, name in enumerate(JOINT_NAMES)}
"""Name to number."""


def mirrored_name(name: str) -> str:
    """Return the joint's name on the other side of the body, or the name itself."""
    if name.startswith("left_"):
        return "right_" + name.removeprefix("left_")
    if name.startswith("right_"):
        return "left_" + name.removeprefix("right_")
    return name


MIRRORED_JOINTS: tuple[int, ...] = tuple(
    JOINT_INDEX[mirrored_name(name)] for name in JOINT_NAMES
)
"""For each joint the one on the other side; an involution."""
