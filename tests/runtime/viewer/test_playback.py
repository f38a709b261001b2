import pytest

from pixie_runtime.viewer.playback import Playback


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def playback(clock: Clock) -> Playback:
    return Playback(10.0, clock)


def test_it_plays_from_the_beginning_and_waits_at_the_end(
    playback: Playback, clock: Clock
) -> None:
    assert playback.playing
    clock.now += 4
    assert playback.position_s == pytest.approx(4)
    clock.now += 100
    assert playback.position_s == 10
    assert not playback.playing


def test_playing_at_the_end_begins_again(playback: Playback, clock: Clock) -> None:
    clock.now += 20
    playback.play()
    assert playback.playing
    assert playback.position_s == 0


def test_held_it_stays_and_goes_on_from_there(playback: Playback, clock: Clock) -> None:
    clock.now += 2
    playback.pause()
    clock.now += 5
    assert not playback.playing
    assert playback.position_s == pytest.approx(2)
    playback.play()
    clock.now += 1
    assert playback.position_s == pytest.approx(3)


@pytest.mark.parametrize(("asked", "found"), [(7.5, 7.5), (-3, 0), (99, 10)])
def test_seeking_goes_there_within_the_take(
    playback: Playback, asked: float, found: float
) -> None:
    playback.seek(asked)
    assert playback.position_s == pytest.approx(found)


def test_seeking_while_held_stays_held(playback: Playback, clock: Clock) -> None:
    playback.pause()
    playback.seek(5)
    clock.now += 3
    assert playback.position_s == pytest.approx(5)


def test_seeking_back_from_the_end_stays_there(
    playback: Playback, clock: Clock
) -> None:
    clock.now += 20
    playback.seek(5)
    clock.now += 3
    assert not playback.playing
    assert playback.position_s == pytest.approx(5)


def test_a_new_speed_holds_from_here_on(playback: Playback, clock: Clock) -> None:
    clock.now += 2
    playback.set_speed(0.5)
    clock.now += 2
    assert playback.position_s == pytest.approx(3)
    playback.pause()
    playback.set_speed(4)
    clock.now += 2
    assert playback.position_s == pytest.approx(3)
    playback.play()
    clock.now += 1
    assert playback.position_s == pytest.approx(7)
