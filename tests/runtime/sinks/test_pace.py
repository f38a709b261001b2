import numpy as np
import pytest

from pixie_runtime.sinks.pace import Pace


def passed(per_second: float | None, moments: list[float]) -> list[float]:
    pace = Pace(per_second)
    return [moment for moment in moments if pace.lets_through(moment)]


@pytest.mark.parametrize("wanted", [10, 12, 20, 25])
def test_as_many_pass_as_are_wanted(wanted: int) -> None:
    moments = [frame / 30 for frame in range(300)]
    assert len(passed(wanted, moments)) == pytest.approx(10 * wanted, abs=1)


def test_everything_passes_without_a_rate_or_at_a_higher_one() -> None:
    moments = [frame / 30 for frame in range(100)]
    assert passed(None, moments) == moments
    assert passed(60, moments) == moments


def test_frames_that_come_at_just_that_rate_all_pass_early_or_late() -> None:
    random = np.random.default_rng(0)
    moments = [f / 30 + float(random.uniform(-0.01, 0.01)) for f in range(300)]
    assert len(passed(30, moments)) >= 295


def test_after_a_pause_there_is_no_burst() -> None:
    pace = Pace(10)
    assert pace.lets_through(0.0)
    burst = [pace.lets_through(60 + frame / 100) for frame in range(10)]
    assert sum(burst) <= 2
