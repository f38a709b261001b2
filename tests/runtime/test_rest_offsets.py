import numpy as np
import pytest

from pixie_runtime.rest_offsets import rest_offsets, rest_positions
from pixie_runtime.smplx import PARENTS
from tests.runtime.people import make_person, skeleton


@pytest.mark.parametrize("seed", range(5))
def test_rest_offsets_are_the_skeleton_whatever_the_pose(seed: int) -> None:
    rest = skeleton(seed)
    parents = np.array(PARENTS[1:])
    expected = np.concatenate([rest[:1], rest[1:] - rest[parents]])
    person = make_person(seed + 100, shape_seed=seed)
    np.testing.assert_allclose(rest_offsets(person), expected, atol=1e-5)


def test_rest_positions_are_the_offsets_added_up_along_the_tree() -> None:
    rest = skeleton(3)
    offsets = rest_offsets(make_person(0, shape_seed=3))
    np.testing.assert_allclose(rest_positions(offsets), rest - rest[0], atol=1e-5)
