from dataclasses import replace

import numpy as np
import pytest

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import UsageError
from pixie_train.batch import CropKind
from pixie_train.data.motion import MotionBank
from pixie_train.data.pictures.config import PictureConfig
from pixie_train.data.pictures.photographer import Photographer
from pixie_train.data.pictures.relief import Relief, ReliefArtist
from pixie_train.data.pictures.surface_map import SurfaceMap

PLAIN = PictureConfig(kind=CropKind.HEAD, seed=5, size=96, supersampling=1)


@pytest.fixture(scope="module")
def artist(model: BodyModel) -> ReliefArtist:
    return ReliefArtist.of(model, SurfaceMap.of(model))


@pytest.fixture(scope="module")
def relief(artist: ReliefArtist) -> Relief:
    return artist.draw(np.random.default_rng(0), 1.0)


def test_slopes_are_those_of_finite_differences(
    artist: ReliefArtist, relief: Relief
) -> None:
    """Across each furrow; not where two pieces of a bent line are equally near."""
    random = np.random.default_rng(1)
    middles = np.concatenate([f.line[len(f.line) // 2][None] for f in relief.furrows])
    points = middles + random.normal(0, 1e-3, middles.shape)
    _, slope = relief.heights(points.astype(np.float32))
    step = random.normal(0, 1, points.shape)
    step *= 2e-5 / np.linalg.norm(step, axis=1, keepdims=True)
    ahead, _ = relief.heights((points + step).astype(np.float32))
    behind, _ = relief.heights((points - step).astype(np.float32))
    expected = (ahead.astype(float) - behind) / 2
    found = (slope * step).sum(1)
    wrong = np.abs(found - expected) > 0.03 * np.abs(expected) + 3e-7
    assert wrong.mean() < 0.05


def test_furrows_lie_on_the_face_alike_on_both_sides(
    model: BodyModel, artist: ReliefArtist
) -> None:
    """Within a triangle's size of the skin."""
    assert len(artist.lines) == 7
    for group in artist.lines.values():
        for line in group:
            apart = np.linalg.norm(line[:, None] - model.v_template[None], axis=-1)
            assert apart.min(1).max() < 7e-3
        ends = sorted(line[:, 0].mean() for line in group)
        assert abs(ends[0] + ends[-1]) < 2e-3


def test_wrinkles_change_a_face_and_nothing_else(
    model: BodyModel, bank: MotionBank
) -> None:
    plain = Photographer(PLAIN, model, bank, count=4)
    deep = Photographer(replace(PLAIN, wrinkles=2.0), model, bank, count=4)
    assert plain.relief(1) is None
    before, after = plain[1], deep[1]
    np.testing.assert_array_equal(before.pixels, after.pixels)
    apart = np.abs(before.picture.astype(int) - after.picture).max(-1)
    rows, columns = np.nonzero(apart > 4)
    assert len(rows) > 10
    seen = np.stack([columns, rows], 1)
    # Landmarks end at the brows, the forehead goes on as far again.
    face = before.pixels[55:123]
    middle, reach = face.mean(0), np.linalg.norm(np.ptp(face, axis=0))
    assert np.linalg.norm(seen - middle, axis=1).max() < reach
    again = deep.relief(1)
    assert again is not None
    first, second = deep.relief(0), deep.relief(1)
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(second.pores, again.pores)
    assert not np.array_equal(first.pores, second.pores)


def test_depths_beyond_reason_are_refused() -> None:
    with pytest.raises(UsageError, match="wrinkles is 4"):
        replace(PLAIN, wrinkles=4.0)
