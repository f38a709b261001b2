"""Laws of the body that hold whatever its file says."""

import numpy as np
import pytest

from pixie_runtime import rotations as rot
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.body.surface import contour_row
from pixie_runtime.smplx import JOINT_COUNT, JOINT_INDEX
from pixie_runtime.types import Float32

NONE = np.zeros(0, np.float32)
ORIGIN = np.zeros(3, np.float32)


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


def pose(**rotvecs: tuple[float, float, float]) -> Float32:
    rotations = rot.identity(JOINT_COUNT)
    for name, rotvec in rotvecs.items():
        rotations[JOINT_INDEX[name]] = rot.from_rotvec(np.array(rotvec, np.float32))
    return rotations


def test_the_rest_pose_is_the_template(model: BodyModel) -> None:
    posed = model.shaped(NONE, NONE).posed(pose(), ORIGIN)

    np.testing.assert_allclose(posed.vertices(), model.v_template, atol=1e-6)
    np.testing.assert_allclose(posed.joints, model.J_template, atol=1e-6)


def test_transl_moves_joints_and_vertices_alike(model: BodyModel) -> None:
    shaped = model.shaped(NONE, NONE)
    at_rest, moved = (
        shaped.posed(pose(neck=(0.3, 0, 0)), t.astype(np.float32))
        for t in (ORIGIN, np.array([1.0, -2, 3]))
    )

    step = np.broadcast_to([1, -2, 3], (JOINT_COUNT, 3))
    np.testing.assert_allclose(moved.joints - at_rest.joints, step, atol=1e-5)
    offset = moved.vertices() - at_rest.vertices()
    np.testing.assert_allclose(
        offset, np.broadcast_to([1, -2, 3], offset.shape), atol=1e-5
    )


def test_the_root_turns_the_body_about_its_pelvis(model: BodyModel) -> None:
    shaped = model.shaped(NONE, NONE)
    R = rot.to_matrix(rot.from_rotvec(np.array([0.4, -1.0, 0.2], np.float32)))

    posed = shaped.posed(pose(pelvis=(0.4, -1.0, 0.2)), ORIGIN)

    pelvis = model.J_template[0]
    expected = (model.v_template - pelvis) @ R.T + pelvis
    np.testing.assert_allclose(posed.joints[0], pelvis, atol=1e-6)
    np.testing.assert_allclose(posed.vertices(), expected, atol=1e-5)


def test_an_elbow_moves_the_hand_and_nothing_of_the_legs(model: BodyModel) -> None:
    shaped = model.shaped(NONE, NONE)

    posed = shaped.posed(pose(left_elbow=(0, -1.5, 0)), ORIGIN)

    moved = np.linalg.norm(posed.vertices() - model.v_template, axis=1)
    hand = np.isin(model.part, [JOINT_INDEX["left_wrist"], *range(25, 40)])
    leg = np.isin(model.part, [JOINT_INDEX["left_knee"], JOINT_INDEX["right_ankle"]])
    assert moved[hand].min() > 0.2
    assert moved[leg].max() < 1e-6


def test_the_mean_body_is_a_standing_person_facing_along_z(model: BodyModel) -> None:
    extent = np.ptp(model.v_template, axis=0)
    joints = dict(zip(JOINT_INDEX, model.J_template, strict=True))

    assert 1.5 < extent[1] < 1.9
    assert joints["left_wrist"][0] > 0.4 > -0.4 > joints["right_wrist"][0]
    assert joints["head"][1] > joints["pelvis"][1] > joints["left_ankle"][1]
    assert joints["left_foot"][2] > joints["left_ankle"][2]


def test_shorter_vectors_are_padded_and_longer_refused(model: BodyModel) -> None:
    short = np.array([1.0, -1.0], np.float32)
    full = np.zeros(model.n_betas, np.float32)
    full[:2] = short

    a, b = model.shaped(short, NONE), model.shaped(full, NONE)

    np.testing.assert_array_equal(a.joints, b.joints)
    np.testing.assert_array_equal(a.vertices(), b.vertices())
    with pytest.raises(ValueError, match=r"betas has shape \(999,\), but .* at most"):
        model.shaped(np.zeros(999, np.float32), NONE)
    with pytest.raises(ValueError, match=r"expression has shape \(1, 3\)"):
        model.shaped(NONE, np.zeros((1, 3), np.float32))


def test_a_pose_of_another_shape_is_refused(model: BodyModel) -> None:
    with pytest.raises(ValueError, match=r"not \(52, 4\) and \(3,\)"):
        model.shaped(NONE, NONE).posed(rot.identity(52), ORIGIN)


def test_bodies_are_values(model: BodyModel) -> None:
    shaped = model.shaped(NONE, NONE)
    posed = shaped.posed(pose(jaw=(0.3, 0, 0)), ORIGIN)
    first = posed.vertices()

    first += 1

    np.testing.assert_allclose(posed.vertices(), first - 1, atol=1e-6)
    np.testing.assert_allclose(shaped.vertices(), model.v_template, atol=1e-6)
    with pytest.raises(AttributeError):
        posed.shaped = shaped  # type: ignore[misc]


def test_an_expression_moves_the_face_and_no_joint(model: BodyModel) -> None:
    assert model.arkit_names is not None
    assert model.arkit_to_expression is not None
    scores = np.zeros(len(model.arkit_names), np.float32)
    scores[model.arkit_names.index("mouthSmileLeft")] = 1

    shaped = model.shaped(NONE, scores @ model.arkit_to_expression)

    moved = np.linalg.norm(shaped.vertices() - model.v_template, axis=1)
    most = model.v_template[moved.argmax()]
    assert 0.005 < moved.max() < 0.03
    assert most[0] > 0.01  # the corner of the mouth on the person's left
    assert set(model.part[moved > 1e-3]) <= {JOINT_INDEX["head"], JOINT_INDEX["jaw"]}
    np.testing.assert_allclose(shaped.joints, model.J_template, atol=1e-3)


@pytest.mark.parametrize(
    ("yaw_degrees", "row"),
    [(0, 0), (-10, 10), (-80, 39), (1, 40), (10, 49), (39, 78), (80, 78), (0.4, 0)],
)
def test_the_jaw_line_follows_the_yaw(yaw_degrees: float, row: int) -> None:
    yaw = np.array([0, np.radians(yaw_degrees), 0], np.float32)
    turn = rot.to_matrix(rot.from_rotvec(yaw)).astype(np.float32)
    to_camera = np.diag([1, -1, -1]).astype(np.float32)

    assert contour_row(turn, np.array([0, 0, 1], np.float32)) == row
    assert contour_row(to_camera @ turn, np.array([0, 0, -1], np.float32)) == row
