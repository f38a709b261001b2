from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixie_runtime import rotations
from pixie_runtime.attention import (
    ATTENDED_PARTS,
    FACE_68,
    LastSight,
    coarse_squares,
    found_points,
    part_square,
    person_box,
)
from pixie_runtime.body import BodyModel, PosedBody, embedded_body_model
from pixie_runtime.body.surface import surface_points
from pixie_runtime.body_points import pose_points
from pixie_runtime.bundle import CropSpec
from pixie_runtime.crops import BodyView, Square
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.types import (
    Camera,
    FaceLandmarks,
    Float32,
    HandLandmarks,
    PersonLandmarks,
    PoseLandmarks,
)
from pixie_runtime.weak_perspective import WeakCamera

CAMERA = Camera.with_field_of_view(1280, 720, 50)
SIZE = CAMERA.size_px
LIMBS = {
    "left_shoulder": 0.6,
    "right_shoulder": 0.6,
    "left_elbow": 0.6,
    "right_elbow": 0.6,
    "left_hip": 0.4,
    "right_hip": 0.4,
    "left_knee": 0.4,
    "right_knee": 0.4,
    "head": 0.2,
}


def model() -> BodyModel:
    return embedded_body_model()


@cache
def body(seed: int, *, x: float = 0.0, y: float = 0.0, z: float = 4.0) -> PosedBody:
    """Return somebody in a random pose, turned anywhere, with the pelvis there."""
    random = np.random.default_rng(seed)
    q = rotations.identity(55).astype(np.float64)
    for name, spread in LIMBS.items():
        q[JOINT_INDEX[name]] = rotations.from_rotvec(random.normal(0, spread, 3))
    turn = rotations.from_rotvec(np.array([0, random.uniform(-3, 3), 0]))
    q[0] = rotations.multiply(np.array([0.0, 1.0, 0.0, 0.0]), turn)
    betas = random.normal(0, 1, 10).astype(np.float32)
    shaped = model().shaped(betas, np.zeros(1, np.float32))
    transl = np.array([x, y, z], np.float32) - shaped.joints[0]
    return shaped.posed(q.astype(np.float32), transl)


def facing() -> PosedBody:
    """Return the mean body with its arms stretched out, facing the camera."""
    q = rotations.identity(55)
    q[0] = [0, 1, 0, 0]
    zero = np.zeros(1, np.float32)
    shaped = model().shaped(zero, zero)
    return shaped.posed(q, np.array([0, 0, 3], np.float32) - shaped.joints[0])


def pose_of(posed: PosedBody, visibility: float = 1.0) -> PoseLandmarks:
    world = pose_points().place(posed.transforms)
    image = np.zeros((33, 3), np.float32)
    image[:, :2] = CAMERA.project(world)
    seen = np.full(33, visibility, np.float32)
    return PoseLandmarks(image, world - world[23:25].mean(0), seen, seen, 1.0)


def hand_at(x: float, y: float, side: float) -> HandLandmarks:
    random = np.random.default_rng(0)
    image = random.uniform(-0.5, 0.5, (21, 3)).astype(np.float32)
    image[0], image[1] = -0.5, 0.5
    image = image * np.float32(side) + np.array([x, y, 0], np.float32)
    return HandLandmarks(image, np.zeros((21, 3), np.float32), 0.9)


def mesh_of(posed: PosedBody) -> FaceLandmarks:
    shaped = posed.shaped.model
    assert shaped.mediapipe468_faces_idx is not None
    assert shaped.mediapipe468_bary_coords is not None
    points = surface_points(
        posed.vertices(),
        shaped.faces,
        shaped.mediapipe468_faces_idx,
        shaped.mediapipe468_bary_coords,
    )
    image = np.zeros((468, 3), np.float32)
    image[:, :2] = CAMERA.project(points)
    return FaceLandmarks(image, 0.9)


def last_sight(posed: PosedBody) -> LastSight:
    square = Square(640, 360, 500)
    weak = WeakCamera(np.array([0.9, 0.0, 0.3], np.float32), square)
    return LastSight(1.0, square, posed, weak)


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_the_box_of_landmarks_is_the_box_of_the_silhouette(seed: int) -> None:
    posed = body(seed)
    box = person_box(PersonLandmarks(pose=pose_of(posed)), SIZE)
    assert box is not None
    outline = CAMERA.project(posed.vertices()).clip(0, SIZE)
    low, high = outline.min(axis=0), outline.max(axis=0)
    side = float((high - low).max())
    ours = [box.left, box.top, box.right, box.bottom]
    np.testing.assert_allclose(ours, [*low, *high], atol=0.07 * side)
    assert max(box.sides) == pytest.approx(side, rel=0.06)


def test_the_box_ends_at_the_picture_s_border() -> None:
    box = person_box(PersonLandmarks(pose=pose_of(body(1, y=0.3, z=2.0))), SIZE)
    assert box is not None
    assert box.bottom == 720
    assert box.top > 0


def test_points_outside_the_picture_count_and_hidden_ones_inside_do_not() -> None:
    pose = pose_of(body(2))
    feet = list(range(25, 33))
    pose.visibility[feet] = 0.05
    hidden = person_box(PersonLandmarks(pose=pose), SIZE)
    pose.image[feet, 1] += 2000
    outside = person_box(PersonLandmarks(pose=pose), SIZE)
    assert hidden is not None
    assert outside is not None
    assert hidden.bottom < pose.image[25:33, 1].min() - 1900
    assert outside.bottom == 720


def test_somebody_of_whom_nothing_is_sure_still_has_a_box() -> None:
    box = person_box(PersonLandmarks(pose=pose_of(body(3), visibility=0.1)), SIZE)
    assert box is not None
    assert box.sides[1] > 100


def test_nobody_has_no_box_and_neither_has_who_is_outside_the_picture() -> None:
    assert person_box(PersonLandmarks(), SIZE) is None
    gone = PersonLandmarks(right_hand=hand_at(-4000, 300, 50))
    assert person_box(gone, SIZE) is None
    lost = hand_at(300, 300, 50)
    lost.image[3] = np.nan
    assert person_box(PersonLandmarks(right_hand=lost), SIZE) is None


def test_a_hand_widens_the_box() -> None:
    pose = pose_of(body(4))
    without = person_box(PersonLandmarks(pose=pose), SIZE)
    waving = PersonLandmarks(pose=pose, left_hand=hand_at(1200, 100, 40))
    box = person_box(waving, SIZE)
    assert without is not None
    assert box is not None
    assert box.right == pytest.approx(1220, abs=5)
    assert without.right < 1100


@pytest.mark.parametrize("part", ["face", "left_hand"])
def test_without_a_body_the_box_surrounds_what_there_is(part: str) -> None:
    posed = body(5, y=0.5)
    found = PersonLandmarks(face=mesh_of(posed))
    if part == "left_hand":
        found = PersonLandmarks(left_hand=hand_at(640, 360, 60))
    box = person_box(found, SIZE)
    points = found_points(found, "head" if part == "face" else "left_hand")
    assert box is not None
    assert points is not None
    low, high = points.min(axis=0), points.max(axis=0)
    assert box.left < low[0] < high[0] < box.right
    assert box.top < low[1] < high[1] < box.bottom
    assert max(box.sides) > 1.8 * float((high - low).max())


def test_the_mesh_s_68_points_are_the_body_s_68_landmarks() -> None:
    posed = facing()
    landmarks = CAMERA.project(posed.landmarks68(np.array([0, 0, -1], np.float32)))
    # The body's landmarks have the jaw line last.
    in_order = np.concatenate([landmarks[51:], landmarks[:51]])
    mesh = mesh_of(posed).image[list(FACE_68), :2]
    np.testing.assert_allclose(mesh, in_order, atol=0.05)


@pytest.mark.parametrize(
    ("part", "scale"), [("head", 2.0), ("left_hand", 2.4), ("right_hand", 2.4)]
)
def test_a_part_s_square_is_centred_on_its_points_in_the_fine_picture(
    part: str, scale: float
) -> None:
    (attended,) = (p for p in ATTENDED_PARTS if p == part)
    view = BodyView(Square(640, 360, 512), CropSpec())
    points = np.array([[600, 300], [660, 340], [630, 330]], np.float32)
    square = part_square(view, points, attended)
    assert square is not None
    # A pixel of the picture is two of the fine one.
    assert square.side == pytest.approx(60 * 2 * scale, rel=5e-3)
    assert square.x == pytest.approx((630 - 384) * 2, abs=2)
    assert square.y == pytest.approx((320 - 104) * 2, abs=2)
    assert part_square(view, np.full((3, 2), np.nan, np.float32), attended) is None


def test_the_last_sight_says_where_the_parts_were() -> None:
    posed = body(6)
    last = last_sight(posed)
    outline = last.camera.project(posed.vertices())
    for part in ATTENDED_PARTS:
        points = last.points(part)
        assert points is not None
        # Hands and face of the mesh, by the joints that move them.
        name = {"head": "head", "left_hand": "left_middle2"}.get(part, "right_middle2")
        near = last.camera.project(posed.joints)[JOINT_INDEX[name]]
        assert (
            np.linalg.norm(points.mean(axis=0) - near)
            < 0.1 * np.ptp(outline, axis=0).max()
        )
        assert (points >= outline.min(axis=0) - 3).all()
        assert (points <= outline.max(axis=0) + 3).all()
        assert len(points) == (68 if part == "head" else 21)


def test_a_head_out_of_the_last_sight_is_framed_as_by_its_landmarks() -> None:
    last = last_sight(body(6))
    points = last.points("head")
    to_viewer = np.array([0, 0, -1], np.float32)
    exact = last.camera.project(last.body.landmarks68(to_viewer))
    assert points is not None
    ours, theirs = (Square.around(p, 2.0) for p in (points, exact))
    assert abs(ours.x - theirs.x) < 0.1 * theirs.side
    assert abs(ours.y - theirs.y) < 0.1 * theirs.side
    assert ours.side == pytest.approx(theirs.side, rel=0.2)


def test_a_body_without_face_landmarks_does_not_say_where_the_head_is() -> None:
    posed = body(6)
    faceless = replace(posed.shaped.model, lmk_faces_idx=None)
    stranger = replace(posed, shaped=replace(posed.shaped, model=faceless))
    assert last_sight(stranger).points("head") is None
    assert last_sight(stranger).points("left_hand") is not None


def test_finger_tips_end_where_the_mesh_ends() -> None:
    posed = facing()
    last = last_sight(posed)
    points = last.points("left_hand")
    assert points is not None
    mesh_end = last.camera.project(posed.vertices())[:, 0].max()
    hand = mesh_end - points[0, 0]
    assert points[:, 0].max() == pytest.approx(mesh_end, abs=0.08 * float(hand))


@pytest.mark.parametrize(
    ("square", "timestamp_s", "same"),
    [
        (Square(650, 350, 520), 1.03, True),
        (Square(650, 350, 520), 1.6, False),
        (Square(650, 350, 520), 0.9, False),
        (Square(1000, 360, 500), 1.03, False),
        (Square(640, 360, 900), 1.03, False),
    ],
)
def test_a_last_sight_is_of_somebody_a_moment_ago_at_about_the_same_place(
    square: Square, timestamp_s: float, same: bool
) -> None:
    last = last_sight(body(6))
    assert last.is_of(square, timestamp_s) is same


def test_coarse_boxes_that_are_no_boxes_are_left_out() -> None:
    nan = float("nan")
    boxes: Float32 = np.array([[1, 2, 3], [nan, 2, 3], [1, 2, -3]], np.float32)
    assert list(coarse_squares(boxes)) == [Square(1, 2, 3), None, None]
