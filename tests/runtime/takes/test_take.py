from pathlib import Path

import numpy as np
import pytest

from pixie_runtime.sinks.take import TakeSink
from pixie_runtime.smplx import PARENTS
from pixie_runtime.takes import Take, load_take
from tests.runtime.people import make_person, make_tick, posed, skeleton


@pytest.fixture
def take(tmp_path: Path) -> Take:
    sink = TakeSink(tmp_path / "take.npz")
    for frame in range(10):
        person = make_person(frame, frame_index=frame, shape_seed=3)
        sink.send(make_tick(person))
    sink.close()
    return load_take(tmp_path / "take.npz")


def test_rest_offsets_are_the_bones_of_the_skeleton(take: Take) -> None:
    rest = skeleton(3)
    offsets = take.rest_offsets()
    np.testing.assert_allclose(offsets[0], rest[0], atol=1e-5)
    np.testing.assert_allclose(
        offsets[1:], rest[1:] - rest[list(PARENTS[1:])], atol=1e-5
    )


def test_skeleton_posed_in_the_world_has_the_worlds_joints(take: Take) -> None:
    wxyz, joints = take.rotations(), take.world_joints()
    for row in range(len(take)):
        expected = posed(skeleton(3), wxyz[row], take.trans[row])
        np.testing.assert_allclose(joints[row], expected, atol=1e-5)


def test_quaternions_keep_their_sign_from_frame_to_frame(take: Take) -> None:
    wxyz = take.rotations()
    assert (np.sum(wxyz[1:] * wxyz[:-1], axis=-1) >= 0).all()
