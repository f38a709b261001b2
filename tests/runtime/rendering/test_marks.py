import numpy as np

from pixie_runtime.rendering import draw_points, draw_skeleton, draw_text
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.types import UInt8


def black() -> UInt8:
    return np.zeros((60, 80, 3), np.uint8)


def test_a_point_is_drawn_where_it_is() -> None:
    drawn = draw_points(black(), np.array([[20.5, 30.5]]), colour=(9, 99, 199))

    ys, xs = np.nonzero(drawn.sum(axis=2))
    np.testing.assert_allclose((xs.mean(), ys.mean()), (20, 30), atol=0.5)
    assert tuple(drawn[30, 20]) == (9, 99, 199)


def test_points_that_are_nowhere_are_left_out() -> None:
    nowhere = np.array([[np.nan, 5], [1e12, 5], [-np.inf, 5], [5, -1e9]])

    assert not draw_points(black(), nowhere).any()
    joints = np.full((JOINT_COUNT, 2), np.nan)
    assert not draw_skeleton(black(), joints).any()


def test_bones_join_joints_and_the_picture_given_is_left_alone() -> None:
    joints = np.full((JOINT_COUNT, 2), np.nan)
    joints[0], joints[1] = (10, 10), (60, 10)
    image = black()

    drawn = draw_skeleton(image, joints)

    assert not image.any()
    assert drawn[9:11, 15:55].any(axis=(0, 2)).all()
    assert not drawn[20:].any()


def test_text_reads_on_white_and_on_black() -> None:
    for value in (0, 255):
        image = np.full((200, 400, 3), value, np.uint8)
        corner = draw_text(image, ["12.5 fps", "body 90%"])[:80, :120]
        assert np.ptp(corner.astype(int)) > 120
    assert not draw_text(black(), []).any()
