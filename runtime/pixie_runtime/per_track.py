"""Something of its own for everybody in view."""

from collections.abc import Callable
from typing import Generic, TypeVar

KEEP_S = 10.0
"""Who is out of view for longer is forgotten, as smoothing does."""

_Item = TypeVar("_Item")


class PerTrack(Generic[_Item]):
    """Holds one item for each person: made when they come, dropped when long gone.

    Args:
        make: Makes an item that knows nothing yet.
    """

    def __init__(self, make: Callable[[], _Item]) -> None:
        self._make = make
        self._items: dict[int, tuple[_Item, float]] = {}

    def of(self, track_id: int, time_s: float) -> _Item:
        """Return the item of a person who is in view at a time of the source's clock.

        Times never decrease.
        """
        for other, (_, last_s) in list(self._items.items()):
            if other != track_id and time_s - last_s > KEEP_S:
                del self._items[other]
        item = self._items[track_id][0] if track_id in self._items else self._make()
        self._items[track_id] = item, time_s
        return item

    def clear(self) -> None:
        """Forget everybody."""
        self._items.clear()
