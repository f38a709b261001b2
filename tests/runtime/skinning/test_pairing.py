"""Groups in pairs, scaled by whole numbers: the same displacements, no overflow."""

import numpy as np
import numpy.typing as npt
import pytest

from pixie_runtime.body import embedded_body_model
from pixie_runtime.skinning.packing import PackedBody, pack
from pixie_runtime.skinning.pairing import JOINT_GROUPS, PairedBody, paired
from pixie_runtime.skinning.whole_factors import whole_factors
from pixie_runtime.types import Float32
from tests.runtime.skinning.bodies import cut, dense

Float64 = npt.NDArray[np.float64]
GROUPS = 60


@pytest.fixture(scope="module", params=["sparse", "dense"])
def packed(request: pytest.FixtureRequest) -> PackedBody:
    body = cut(embedded_body_model(), 1000)
    return pack(body if request.param == "sparse" else dense(body), lanes=16)


@pytest.fixture(scope="module")
def pairs(packed: PackedBody) -> PairedBody:
    return paired(packed)


def test_every_displacement_is_there_to_a_step(
    packed: PackedBody, pairs: PairedBody
) -> None:
    found: dict[tuple[int, int], Float64] = {}
    steps: dict[tuple[int, int], float] = {}
    for tile in range(packed.tile_count):
        for pair in range(pairs.pair_start[tile], pairs.pair_start[tile + 1]):
            for slot, group in enumerate(pairs.groups[pair].tolist()):
                step = float(pairs.steps[pair])
                metres = pairs.values[pair, :, :, slot] * np.float64(step)
                # One without a partner has itself, with zeros.
                found[tile, group] = found.get((tile, group), 0) + metres
                steps[tile, group] = step

    tiles = np.repeat(np.arange(packed.tile_count), np.diff(packed.entry_start))
    keys = list(zip(tiles.tolist(), packed.entry_group.tolist(), strict=True))
    assert set(found) == set(keys)
    for entry, key in enumerate(keys):
        exact = packed.values[entry] * packed.steps[entry].astype(np.float64)[:, None]
        assert np.abs(found[key] - exact).max() <= steps[key]


def test_joints_are_not_paired_with_expressions(pairs: PairedBody) -> None:
    is_joint = pairs.groups < JOINT_GROUPS

    np.testing.assert_array_equal(is_joint[:, 0], is_joint[:, 1])


def factors_of(
    coefficients: Float32, begin: int = 0, end: int | None = None
) -> tuple[npt.NDArray[np.int16], Float32]:
    values = np.zeros(coefficients.shape, np.int16)
    units = np.zeros(len(coefficients), np.float32)
    whole_factors(coefficients, begin, end or len(coefficients), values, units)
    return values, units


@pytest.mark.parametrize("scale", [1e-6, 0.3, 2.0, 1e4])
@pytest.mark.parametrize("spread", ["even", "one large", "two large groups"])
def test_no_pair_overflows_and_all_are_the_nearest(scale: float, spread: str) -> None:
    rng = np.random.default_rng(0)
    coefficients = rng.uniform(-scale, scale, (GROUPS, 9)).astype(np.float32)
    if spread == "one large":
        coefficients[7, 3] = 100 * scale
    if spread == "two large groups":
        coefficients[[3, 50]] = -100 * scale

    values, units = factors_of(coefficients)

    two_largest = np.sort(np.abs(values.astype(np.int64)).sum(axis=1))[-2:]
    assert two_largest.sum() * 32768 < 2**31
    unit = units.max()
    np.testing.assert_allclose(values * unit, coefficients, atol=0.5001 * unit)
    # No finer unit would do.
    assert two_largest.sum() > 65_000 or np.abs(values).max() == 32767


def test_groups_at_rest_are_worth_nothing() -> None:
    coefficients = np.zeros((GROUPS, 9), np.float32)
    coefficients[5, 0] = 0.2

    _, units = factors_of(coefficients)

    assert np.flatnonzero(units).tolist() == [5]


def test_what_is_not_finite_counts_as_nothing() -> None:
    coefficients = np.full((GROUPS, 9), 0.5, np.float32)
    coefficients[2] = [np.nan, np.inf, -np.inf, *[0.5] * 6]

    values, units = factors_of(coefficients)

    assert values[2, :3].tolist() == [0, 0, 0]
    np.testing.assert_allclose(values[2, 3:] * units[2], 0.5, rtol=1e-3)


def test_only_the_groups_asked_for_are_looked_at() -> None:
    coefficients = np.full((GROUPS, 9), 0.5, np.float32)
    coefficients[:10] = 1e6

    values, units = factors_of(coefficients, begin=10)

    assert not values[:10].any()
    np.testing.assert_allclose(values[10:] * units[10], 0.5, rtol=1e-3)
