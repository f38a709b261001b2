from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixie_bench.spreads import Turns, in_turns, ratio

TIMES = st.lists(st.floats(0.01, 1e4), min_size=1, max_size=20)


class Recorder:
    """A contender that writes down when it was asked for what."""

    def __init__(self, name: str, log: list[tuple[str, int, int]], ms: float) -> None:
        self.name = name
        self._log = log
        self._ms = ms

    def take(self, runs: int, *, skip: int) -> Sequence[float]:
        self._log.append((self.name, skip, runs))
        return [self._ms * len(self._log)] * runs


def test_contenders_take_turns_and_warm_up_before_the_first() -> None:
    log: list[tuple[str, int, int]] = []
    contenders = [Recorder("a", log, 1.0), Recorder("b", log, 1.0)]
    turns = in_turns(contenders, rounds=3, runs=5, warm_up=7)
    assert [name for name, _, _ in log] == ["a", "b"] * 3
    assert [skip for _, skip, _ in log] == [7, 7, 1, 1, 1, 1]
    assert turns["a"].runs == turns["b"].runs == 15
    assert turns["a"].medians == (1.0, 3.0, 5.0)


@given(st.lists(TIMES, min_size=1, max_size=6))
def test_percentiles_are_those_of_all_runs(turns: list[list[float]]) -> None:
    spread = Turns(tuple(map(tuple, turns)))
    everything = [value for turn in turns for value in turn]
    assert spread.runs == len(everything)
    assert spread.percentile(0) == min(everything)
    assert spread.percentile(100) == max(everything)
    assert spread.percentile(50) == pytest.approx(np.median(everything))
    assert spread.percentile(50) <= spread.percentile(95) <= spread.percentile(99)


@given(st.lists(TIMES, min_size=1, max_size=6), st.floats(0.1, 50))
def test_the_ratio_of_a_contender_that_takes_k_times_as_long_is_k(
    turns: list[list[float]], k: float
) -> None:
    ours = Turns(tuple(map(tuple, turns)))
    peer = Turns(tuple(tuple(k * value for value in turn) for turn in turns))
    assert ratio(peer, ours) == pytest.approx(k)


def test_drift_of_the_machine_does_not_move_the_ratio() -> None:
    ours = Turns(((10.0,), (20.0,), (40.0,)))
    peer = Turns(((30.0,), (60.0,), (120.0,)))
    assert ratio(peer, ours) == 3


@pytest.mark.parametrize("turns", [(), ((),), ((1.0,), ())])
def test_nothing_is_no_measurement(turns: tuple[tuple[float, ...], ...]) -> None:
    with pytest.raises(ValueError, match="one run or more"):
        Turns(turns)
