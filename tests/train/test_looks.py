from dataclasses import replace

import numpy as np
import pytest

from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JOINT_INDEX
from pixie_train.data.pictures.looks import (
    Look,
    Points,
    albedo,
    draw_clothes,
    draw_head,
    thickness,
    under,
)
from pixie_train.data.pictures.surface_map import SKIN, SurfaceMap


@pytest.fixture(scope="module")
def surface(model: BodyModel) -> SurfaceMap:
    return SurfaceMap.of(model)


def test_long_hair_hangs_down_the_back_over_clothes(surface: SurfaceMap) -> None:
    random = np.random.default_rng(0)
    black = np.zeros(3, np.float32)
    short = replace(draw_head(random, male=False), hair=black, hair_length_m=0.0)
    clothes = draw_clothes(random, surface)
    looks = [Look(replace(short, hair_length_m=m), clothes) for m in (0.0, 0.1, 0.25)]
    at = Points.vertices(surface)
    x, y, z = surface.rest.T
    neck = surface.joints[JOINT_INDEX["neck"]]
    behind = (np.abs(x) < 0.08) & (z < neck[2] - 0.02) & (at.material == SKIN)
    top = under(clothes[-1], at) > 0
    hanging = [(albedo(look, surface, at) == 0).all(1) & behind for look in looks]
    lowest = [(y[black] - neck[1]).min(initial=1.0) for black in hanging]
    assert lowest[0] > -0.02
    assert lowest[1] == pytest.approx(-0.08, abs=0.03)
    assert lowest[2] == pytest.approx(-0.23, abs=0.03)
    assert (hanging[2] & top).sum() > 50
    off = [thickness(look, surface) for look in looks]
    assert (off[2] >= off[0]).all()
    assert off[2][hanging[2]].max() > 0.02
    front = z > surface.joints[JOINT_INDEX["jaw"], 2]
    np.testing.assert_array_equal(off[2][front], off[0][front])


def test_most_women_and_few_men_have_long_hair_and_nobody_bald() -> None:
    long = {}
    for male in (False, True):
        random = np.random.default_rng(1)
        heads = [draw_head(random, male=male) for _ in range(400)]
        long[male] = np.mean([head.hair_length_m > 0 for head in heads])
        assert not any(h.hair_length_m > 0 and h.hairline_m >= 1 for h in heads)
    assert long[False] > 0.6
    assert 0.02 < long[True] < 0.15
