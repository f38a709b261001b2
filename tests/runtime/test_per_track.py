from itertools import count

from pixie_runtime.per_track import KEEP_S, PerTrack


def numbered() -> PerTrack[int]:
    numbers = count()
    return PerTrack(lambda: next(numbers))


def test_everybody_has_their_own_and_keeps_it() -> None:
    items = numbered()
    assert [items.of(track, 0.0) for track in (7, 3, 7, 3)] == [0, 1, 0, 1]


def test_who_was_away_for_long_is_forgotten_when_somebody_else_is_seen() -> None:
    items = numbered()
    items.of(0, 0.0)
    assert items.of(1, KEEP_S) == 1
    assert items.of(0, KEEP_S) == 0
    assert items.of(1, 2 * KEEP_S + 1) == 1
    assert items.of(0, 2 * KEEP_S + 1) == 2


def test_once_cleared_all_begins_anew() -> None:
    items = numbered()
    items.of(0, 0.0)
    items.clear()
    assert items.of(0, 0.0) == 1
