"""AGORA's frames as pandas 1.1 pickles them, the release of its time, without pandas.

`tests/golden/frames` has real ones, with which `test_frame_pickle` compares these.
"""

import pickle
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np


class DataFrame:
    def __init__(self, manager: Any) -> None:
        self._mgr, self._typ = manager, "dataframe"
        self._metadata: list[str] = []
        self.attrs: dict[str, Any] = {}


class BlockManager:
    def __init__(self, names: list[str], block: Any) -> None:
        self.names, self.block = names, block

    def __getstate__(self) -> Any:
        axes = [Index(names=self.names), Index(stop=self.block.shape[1])]
        blocks = [{"values": self.block, "mgr_locs": slice(0, len(self.names), 1)}]
        old = [np.array(self.names, object)], [self.block], [axes[0]]
        return (*old, {"0.14.1": {"axes": axes, "blocks": blocks}})


class Index:
    def __init__(self, names: Sequence[str] = (), stop: int = 0) -> None:
        self.names, self.stop = names, stop

    def __reduce__(self) -> Any:
        if self.names:
            data = {"data": np.array(self.names, object), "name": None}
            return new_index, (Index, data)
        place = {"name": None, "start": 0, "stop": self.stop, "step": 1}
        return new_index, (RangeIndex, place)


class RangeIndex:
    pass


def new_index(*_: Any) -> None:
    pass


new_index.__name__ = new_index.__qualname__ = "_new_Index"

_PLACES: dict[str, list[Any]] = {
    "pandas": [],
    "pandas.core": [],
    "pandas.core.internals": [],
    "pandas.core.indexes": [],
    "pandas.core.frame": [DataFrame],
    "pandas.core.internals.managers": [BlockManager],
    "pandas.core.indexes.base": [Index, new_index],
    "pandas.core.indexes.range": [RangeIndex],
}


@contextmanager
def _named_as_pandas() -> Iterator[None]:
    """Let these classes have pandas's names while they are written."""
    before = {name: sys.modules.get(name) for name in _PLACES}
    for name, things in _PLACES.items():
        module = ModuleType(name)
        for thing in things:
            setattr(module, thing.__name__, thing)
            thing.__module__ = name
        sys.modules[name] = module
    try:
        yield
    finally:
        for name, own in before.items():
            sys.modules.pop(name)
            if own is not None:
                sys.modules[name] = own


def write_frame(path: Path, columns: Mapping[str, Sequence[Any]]) -> Path:
    """Write a frame of columns of anything, each as many cells."""
    count = len(next(iter(columns.values())))
    block = np.empty((len(columns), count), object)
    for row, cells in zip(block, columns.values(), strict=True):
        for place, cell in enumerate(cells):
            row[place] = cell
    path.parent.mkdir(parents=True, exist_ok=True)
    with _named_as_pandas():
        frame = DataFrame(BlockManager(list(columns), block))
        path.write_bytes(pickle.dumps(frame, protocol=4))
    return path
