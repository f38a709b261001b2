from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.transform import Rotation

from pixie_runtime import rotations
from pixie_runtime.humanoid import BONE_NAMES, HumanoidPose, humanoid_pose
from pixie_runtime.humanoid_root import RootedPose, rooted, standing_height
from pixie_runtime.smplx import JOINT_COUNT, JOINT_INDEX, PARENTS
from pixie_runtime.types import Float32, Person, SmplxParams
from pixie_runtime.vmc_settings import RootMode
from tests.runtime.people import make_person, posed, skeleton

Array = npt.NDArray[np.float64]
MODES: tuple[RootMode, ...] = ("hips", "root", "both")
FACING = np.array([0.0, 1.0, 0.0, 0.0])
"""The root rotation of who stands upright before the camera and looks at it, wxyz."""


def person_with(turns: dict[str, Array], seed: int = 0) -> Person:
    """Return somebody who faces the camera, joints turned by rotation vectors."""
    wxyz = rotations.identity(JOINT_COUNT)
    wxyz[0] = FACING
    for name, vector in turns.items():
        wxyz[JOINT_INDEX[name]] = rotations.from_rotvec(vector)
    base = make_person(seed)
    params = SmplxParams(
        betas=base.params.betas,
        expression=base.params.expression,
        rotations=wxyz,
        transl=np.array([0, 0, 3], np.float32),
    )
    return base.with_params(params, posed(skeleton(), wxyz, params.transl))


def unity_world(pose: HumanoidPose) -> tuple[Array, Rotation]:
    """Chain an avatar's bones as Unity does; world positions and rotations."""
    positions = np.zeros((JOINT_COUNT, 3))
    turns: list[Rotation] = []
    for bone, parent in enumerate(PARENTS):
        local = Rotation.from_quat(pose.rotations[bone])
        if parent < 0:
            positions[bone] = pose.positions[bone]
            turns.append(local)
        else:
            reach = turns[parent].apply(pose.positions[bone])
            positions[bone] = positions[parent] + reach
            turns.append(turns[parent] * local)
    return positions, Rotation.concatenate(turns)


def in_unity(camera: Float32) -> Array:
    """Say camera positions (x right, y down, z away) as the docstrings promise."""
    world = camera.astype(np.float64) * [1, -1, -1]  # y up, z towards the camera
    return world * [-1, 1, 1]  # mirrored: the avatar's right is at positive x


def test_all_55_human_bones_have_unitys_names_and_unitys_tree() -> None:
    assert len(set(BONE_NAMES)) == 55
    parent = {
        name: BONE_NAMES[PARENTS[bone]] if PARENTS[bone] >= 0 else None
        for bone, name in enumerate(BONE_NAMES)
    }
    assert parent["Hips"] is None
    for name, above in (
        ("UpperChest", "Chest"),
        ("LeftShoulder", "UpperChest"),
        ("RightEye", "Head"),
        ("Jaw", "Head"),
        ("LeftToes", "LeftFoot"),
        ("RightLowerLeg", "RightUpperLeg"),
        ("LeftLittleProximal", "LeftHand"),
        ("RightThumbDistal", "RightThumbIntermediate"),
    ):
        assert parent[name] == above


@pytest.mark.parametrize("seed", range(5))
def test_chain_of_an_avatars_bones_ends_at_the_persons_joints(seed: int) -> None:
    person = make_person(seed)
    positions, _ = unity_world(humanoid_pose(person))
    np.testing.assert_allclose(positions, in_unity(person.joints), atol=1e-5)


def test_who_faces_the_camera_looks_along_z_with_their_right_hand_at_positive_x() -> (
    None
):
    _, turns = unity_world(humanoid_pose(person_with({})))
    np.testing.assert_allclose(turns[0].apply([0, 0, 1]), [0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(turns[0].apply([0, 1, 0]), [0, 1, 0], atol=1e-6)
    hips, right_arm = turns[0], turns[BONE_NAMES.index("RightUpperArm")]
    # An avatar's right arm runs along positive x of its own frame in a T-pose.
    rest = skeleton()[JOINT_INDEX["right_elbow"]]
    bone = (rest - skeleton()[JOINT_INDEX["right_shoulder"]]) * [-1, 1, 1]
    np.testing.assert_allclose(
        right_arm.apply([1, 0, 0]), hips.apply(bone / np.linalg.norm(bone)), atol=1e-6
    )


@pytest.mark.parametrize("seed", range(5))
def test_avatar_without_our_proportions_points_its_limbs_where_the_person_does(
    seed: int,
) -> None:
    """Most avatars take rotations only, and rest with straight arms and legs."""
    person = make_person(seed)
    joints = in_unity(person.joints)
    _, turns = unity_world(humanoid_pose(person))
    for side, outwards in (("Left", -1), ("Right", 1)):
        for bone, end, along in (
            ("UpperArm", "LowerArm", (outwards, 0, 0)),
            ("LowerArm", "Hand", (outwards, 0, 0)),
            ("UpperLeg", "LowerLeg", (0, -1, 0)),
            ("LowerLeg", "Foot", (0, -1, 0)),
        ):
            start, stop = BONE_NAMES.index(side + bone), BONE_NAMES.index(side + end)
            limb = joints[stop] - joints[start]
            np.testing.assert_allclose(
                turns[start].apply(along), limb / np.linalg.norm(limb), atol=1e-5
            )


@pytest.mark.parametrize("joint", ["elbow", "wrist"])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("angle", [-1.1, 0.7])
def test_twist_of_a_forearm_or_wrist_turns_the_avatars_hand_the_same_way(
    joint: str, side: str, angle: float
) -> None:
    """Both thumbs of a T-pose point forward; a twist moves each as it moves ours."""
    # SMPL-X's own axes: x to the left. A positive turn about x moves z to -y: whatever
    # the side, the front of the hand goes down.
    person = person_with({f"{side}_{joint}": np.array([angle, 0, 0])})
    still = person_with({})
    hand = BONE_NAMES.index(side.capitalize() + "Hand")
    forward = np.array([0, 0, 1.0])

    def front_of_hand(someone: Person) -> Array:
        _, turns = unity_world(humanoid_pose(someone))
        return np.asarray(turns[hand].apply(forward))

    ours = Rotation.from_rotvec([angle, 0, 0]).apply(forward)  # body axes
    np.testing.assert_allclose(front_of_hand(still), [0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(front_of_hand(person), ours * [-1, 1, 1], atol=1e-6)
    assert np.sign(front_of_hand(person)[1]) == -np.sign(angle)


@pytest.mark.parametrize("side", ["left", "right"])
def test_forearm_turned_thumb_up_shows_its_palm_in_front_on_both_sides(
    side: str,
) -> None:
    # Of both arms the same turn, as forward goes up, about the axis that runs left.
    quarter = np.array([-np.pi / 2, 0, 0])
    _, turns = unity_world(humanoid_pose(person_with({f"{side}_elbow": quarter})))
    hand = turns[BONE_NAMES.index(side.capitalize() + "Hand")]
    np.testing.assert_allclose(hand.apply([0, 0, 1]), [0, 1, 0], atol=1e-6)  # thumb
    np.testing.assert_allclose(hand.apply([0, -1, 0]), [0, 0, 1], atol=1e-6)  # palm


def test_mirrored_person_makes_the_mirrored_avatar() -> None:
    """A twist of the left wrist and its mirror image on the right are mirror images."""
    twist, mirror = np.array([0.8, 0.3, -0.2]), np.array([0.8, -0.3, 0.2])
    _, left = unity_world(humanoid_pose(person_with({"left_wrist": twist})))
    _, right = unity_world(humanoid_pose(person_with({"right_wrist": mirror})))
    left_hand = left[BONE_NAMES.index("LeftHand")].as_matrix()
    right_hand = right[BONE_NAMES.index("RightHand")].as_matrix()
    flip = np.diag([-1.0, 1.0, 1.0])
    np.testing.assert_allclose(flip @ left_hand @ flip, right_hand, atol=1e-6)


def moved(root: RootedPose) -> HumanoidPose:
    """Put a rooted pose back together as a receiver does: the root, then the hips."""
    base = Rotation.from_quat(root.root_rotation)
    positions, turns = root.bones.positions.copy(), root.bones.rotations.copy()
    positions[0] = base.apply(positions[0]) + root.root_position
    turns[0] = (base * Rotation.from_quat(turns[0])).as_quat()
    return HumanoidPose(positions, turns)


@pytest.mark.parametrize("mode", MODES)
def test_root_and_hips_together_are_the_pose_in_every_mode(mode: RootMode) -> None:
    pose = humanoid_pose(make_person(4))
    positions, turns = unity_world(pose)
    again, turns_again = unity_world(moved(rooted(pose, mode)))
    np.testing.assert_allclose(again, positions, atol=1e-5)
    assert (turns * turns_again.inv()).magnitude().max() < 1e-5


def hips_mode(root: RootedPose) -> None:
    np.testing.assert_array_equal(root.root_position, np.zeros(3))
    np.testing.assert_array_equal(root.root_rotation, [0, 0, 0, 1])


def root_mode(root: RootedPose) -> None:
    np.testing.assert_array_equal(root.root_rotation, [0, 0, 0, 1])
    hips = root.bones.positions[0]
    np.testing.assert_allclose(hips, [0, standing_height(root.bones), 0], atol=1e-6)


def both_mode(root: RootedPose) -> None:
    assert root.root_position[1] == 0
    np.testing.assert_array_equal(root.bones.positions[0, [0, 2]], [0, 0])
    x, _, z, _ = root.root_rotation
    assert (x, z) == (0, 0)
    # What is left in the hips leans, but does not turn about the vertical.
    assert root.bones.rotations[0, 1] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("mode", "law"), [("hips", hips_mode), ("root", root_mode), ("both", both_mode)]
)
def test_each_mode_keeps_its_word(
    mode: RootMode, law: Callable[[RootedPose], None]
) -> None:
    law(rooted(humanoid_pose(make_person(7)), mode))


def test_head_over_heels_has_no_heading_and_no_crash() -> None:
    pose = humanoid_pose(person_with({}))
    pose.rotations[0] = [1, 0, 0, 0]  # half a turn about x
    root = rooted(pose, "both")
    np.testing.assert_array_equal(root.root_rotation, [0, 0, 0, 1])
    assert np.isfinite(root.bones.rotations).all()
