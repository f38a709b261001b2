import numpy as np
import pytest

from pixie_runtime.rest_offsets import rest_offsets
from pixie_runtime.smplx import PARENTS
from tests.runtime.people import make_person, skeleton


@pytest.mark.parametrize("seed", range(5))
def test_rest_offsets_are_the_skeleton_whatever_the_pose(seed: int) -> None:
    rest = skeleton(seed)
    parents = np.array(PARENTS[1:])
    expected = np.concatenate([rest[:1], rest[1:] - rest[parents]])
    person = make_person(seed + 100, shape_seed=seed)
    np.testing.assert_allclose(rest_offsets(person), expected, atol=1e-5)
