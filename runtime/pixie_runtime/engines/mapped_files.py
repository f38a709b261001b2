"""Files that a library keeps mapped after it has read them: their pages can go.

OpenVINO maps weights and compiled networks into memory, copies of them what it computes
with, and keeps the rest mapped for as long as the network lives: a quarter of a
gigabyte for the full network that nobody looks at again. The kernel would take such
pages when it needs them; asked to, it takes them at once.
"""

import ctypes
from collections.abc import Collection
from pathlib import Path

_MAPS = Path("/proc/self/maps")
_MADV_PAGEOUT = 21
"""Linux's number (`madvise(2)`, since 5.4): pages go where they can be got back from,
contents stay. Older kernels refuse it and nothing happens."""


def put_away(folders: Collection[Path]) -> None:
    """Have Linux reclaim what is mapped from files in `folders`; elsewhere do nothing.

    What is needed again is read again: the contents of memory do not change.
    """
    try:
        lines = _MAPS.read_text("utf-8", "surrogateescape").splitlines()
        madvise = ctypes.CDLL(None).madvise
    except (OSError, AttributeError, TypeError):
        return
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    places = {str(folder.resolve()) for folder in folders}
    for line in lines:
        addresses, *_, path = line.split(maxsplit=5)
        if path.rpartition("/")[0] in places:
            start, end = (int(address, 16) for address in addresses.split("-"))
            madvise(start, end - start, _MADV_PAGEOUT)
