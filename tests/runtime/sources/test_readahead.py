import time
from collections.abc import Callable, Iterator

import numpy as np

from pixie_runtime.sources.readahead import ReadAhead
from pixie_runtime.types import Frame

FPS = 200
COUNT = 60
PICTURE = np.zeros((1, 1, 3), np.uint8)


def slowly(passes_over: Callable[[float], bool]) -> Iterator[Frame]:
    """Yield frames that take three times as long to make as they are apart."""
    for index in range(COUNT):
        if not passes_over(index / FPS):
            time.sleep(3 / FPS)
            yield Frame(index, index / FPS, time.monotonic_ns(), PICTURE)


def test_what_cannot_keep_up_with_real_time_drops_frames_instead_of_slowing() -> None:
    reading = ReadAhead(slowly, realtime=True)
    indices = [frame.index for frame in reading]
    assert 0 < reading.dropped == COUNT - len(indices)
    assert len(indices) >= COUNT / 5, "something is seen"


def test_where_nobody_waits_every_frame_is_made() -> None:
    reading = ReadAhead(slowly, realtime=False)
    assert [frame.index for frame in reading] == list(range(COUNT))
    assert reading.dropped == 0
