import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixie_runtime import rotations
from pixie_runtime.body import embedded_body_model
from pixie_runtime.takes.track import Track, common_frame_rate, frame_rate
from tests.runtime.people import make_person, posed, skeleton


def test_body_posed_by_the_takes_parameters_has_the_takes_joints() -> None:
    people = [make_person(i, frame_index=i, shape_seed=3) for i in range(20)]
    take = Track.of(people).take()
    for row in range(20):
        wxyz = rotations.from_rotvec(take.poses[row].reshape(55, 3))
        joints = posed(skeleton(3), wxyz, take.trans[row])
        np.testing.assert_allclose(joints, take.joints[row] * [1, -1, -1], atol=1e-5)


def test_so_it_is_for_the_embedded_body_of_the_takes_shape() -> None:
    model = embedded_body_model()
    people = []
    for frame in range(5):
        person = make_person(frame, frame_index=frame, n_betas=model.n_betas)
        params = person.params
        shaped = model.shaped(params.betas, params.expression)
        joints = shaped.posed(params.rotations, params.transl).joints
        people.append(person.with_params(params, joints))
    take = Track.of(people).take()
    np.testing.assert_array_equal(take.betas, people[0].params.betas)
    for row in range(len(take)):
        wxyz = rotations.from_rotvec(take.poses[row].reshape(55, 3))
        shaped = model.shaped(take.betas, take.expression[row])
        joints = shaped.posed(wxyz, take.trans[row]).joints
        np.testing.assert_allclose(joints, take.joints[row] * [1, -1, -1], atol=1e-5)


def test_person_facing_the_camera_upright_needs_no_turn_in_the_world() -> None:
    person = make_person(0)
    wxyz = rotations.identity(55)
    wxyz[0] = [0, 1, 0, 0]  # y up becomes y down, z out of the chest towards the camera
    params = type(person.params)(
        person.params.betas, person.params.expression, wxyz, person.params.transl
    )
    joints = posed(skeleton(), wxyz, params.transl)
    poses = Track.of([person.with_params(params, joints)]).take().poses
    np.testing.assert_allclose(poses, 0, atol=1e-6)


@given(
    fps=st.floats(0.1, 240),
    count=st.integers(4, 100),
    start=st.floats(0, 1e5),
)
def test_frame_rate_of_even_frames_is_theirs(
    fps: float, count: int, start: float
) -> None:
    times = start + np.arange(count) / fps
    assert frame_rate(times) == pytest.approx(fps, rel=1e-6)


@pytest.mark.parametrize("fps", [30, 1.5])
def test_break_does_not_lower_the_frame_rate(fps: float) -> None:
    times = np.concatenate([np.arange(30) / fps, 60 + np.arange(30) / fps])
    assert frame_rate(times) == pytest.approx(fps)


@pytest.mark.parametrize("times", [[], [1.0], [1.0, 1.0], [0.0, 10.0]])
def test_frame_rate_without_steps_is_a_guess(times: list[float]) -> None:
    assert frame_rate(np.array(times)) == 30


@pytest.mark.parametrize(
    ("fps", "expected"),
    [(29.97, 30), (59.94, 60), (23.976, 24), (30, 30), (27.5, 27.5), (14.9, 14.9)],
)
def test_television_rates_become_whole_and_others_stay(
    fps: float, expected: float
) -> None:
    assert common_frame_rate(fps) == expected
