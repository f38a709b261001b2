"""Columns out of a pickled pandas frame, without pandas and without running anything.

As in `array_pickle` every name that the pickle may have leads to a recorder, here also
those that frames of pandas 1.1 to 3.0 name: a frame is a manager of blocks, each block
an array whose rows are columns and the numbers of these columns. Cells hold numbers,
texts, arrays, and lists of them. Indices of rows are not read.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from pixie_train.array_pickle import (
    PlainValues,
    Recorded,
    RefusedError,
    read_recorded,
    refusal,
)

_LARGEST_FILE = 1 << 33
"""Bytes; AGORA's frames with vertices have one or two 2^30."""
_NUMBERS = "fiub"


class _Said:
    """What a pickle says of an object: what it was made of, and its state."""

    def __new__(cls, *made_of: Any) -> Self:
        """Remember; pickles make objects with and without calling __init__."""
        said = super().__new__(cls)
        said.made_of, said.state = made_of, None
        return said

    def __init__(self, *_: Any) -> None:
        self.made_of: tuple[Any, ...]
        self.state: Any

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Frame(_Said):
    pass


class _Manager(_Said):
    def axes_and_blocks(self) -> tuple[Any, list["_Block"]]:
        """Return the axes, columns first, and the blocks."""
        if self.state is None:  # since pandas 1.3
            blocks, axes = self.made_of
            return axes, list(blocks)
        said = self.state[-1]["0.14.1"]
        blocks = [_Block(b["values"], b["mgr_locs"]) for b in said["blocks"]]
        return said["axes"], blocks


class _Block(_Said):
    pass


class _Index(_Said):
    """An index, `_new_Index(class, what it is made of)`."""


class _Texts(_Said):
    """An array of texts, of pandas 3."""


class _Other(_Said):
    """What is named but not looked at: classes of indices, types of texts."""


_INTERNALS = "pandas._libs.internals"
_RECORDERS: dict[tuple[str, str], Any] = {
    ("builtins", "slice"): slice,
    ("__builtin__", "slice"): slice,
    ("pandas.core.frame", "DataFrame"): _Frame,
    ("pandas", "DataFrame"): _Frame,
    ("pandas.core.internals.managers", "BlockManager"): _Manager,
    (_INTERNALS, "BlockManager"): _Manager,
    (_INTERNALS, "_unpickle_block"): _Block,
    ("pandas.core.internals.blocks", "new_block"): _Block,
    ("pandas.core.indexes.base", "_new_Index"): _Index,
    ("pandas.core.indexes.base", "Index"): _Other,
    ("pandas.core.indexes.range", "RangeIndex"): _Other,
    ("pandas.core.indexes.numeric", "Int64Index"): _Other,
    ("pandas", "Index"): _Other,
    ("pandas", "RangeIndex"): _Other,
    ("pandas", "StringDtype"): _Other,
    ("pandas.arrays", "StringArray"): _Other,
    ("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked"): _Texts,
}


def read_frame(path: Path, columns: Sequence[str]) -> dict[str, list[Any]]:
    """Return columns of the frame that is all of the pickle `path`.

    Args:
        path: the file.
        columns: which ones; others are not put together.

    Returns:
        For each column its cells, row by row: numbers, texts, arrays, None and lists of
        them, as `array_pickle.read_values` gives them.

    Raises:
        ModelFileError: the file cannot be read, is too large, is damaged, would do or
            hold anything else, or lacks a column.
    """
    what = "a pickled pandas frame"
    found, plain = read_recorded(path, _RECORDERS, what=what, largest=_LARGEST_FILE)
    try:
        cells = dict(_columns(found, columns, plain))
    # A damaged pickle can fail in any way that a program can.
    except Exception as error:
        raise refusal(path, what, str(error) or type(error).__name__) from error
    missing = [name for name in columns if name not in cells]
    if missing:
        raise refusal(path, what, f"it has no column {', '.join(missing)}")
    return cells


def _columns(
    found: Any, wanted: Sequence[str], plain: PlainValues
) -> Iterator[tuple[str, list[Any]]]:
    if not isinstance(found, _Frame):
        raise RefusedError(f"it holds a {type(found).__name__.strip('_').lower()}")
    manager = found.state["_mgr" if "_mgr" in found.state else "_data"]
    axes, blocks = manager.axes_and_blocks()
    names = _labels(axes[0])
    for block in blocks:
        values, places, *_ = block.made_of
        for row, place in enumerate(_places(places, len(names))):
            if names[place] in wanted:
                yield names[place], _cells(values, row, plain)


def _labels(index: Any) -> list[Any]:
    """Return the names of columns."""
    data = index.made_of[1]["data"]
    return _objects(data)


def _objects(values: Any) -> list[Any]:
    if isinstance(values, _Texts):
        values = next(part for part in values.state if isinstance(part, Recorded))
    objects = values.objects(2) if isinstance(values, Recorded) else None
    if objects is None:
        raise RefusedError("its columns have no names")
    return objects


def _places(places: Any, count: int) -> list[int]:
    """Return the columns that a block's rows are."""
    if isinstance(places, slice):
        return list(range(count)[places])
    return [int(place) for place in places.array("iu")]


def _cells(values: Any, row: int, plain: PlainValues) -> list[Any]:
    """Return a block's row, which is a column."""
    if isinstance(values, _Texts):  # a block of its own
        return [plain.of(value) for value in _objects(values)]
    if not isinstance(values, Recorded):
        raise RefusedError(f"a column is a {type(values).__name__.strip('_').lower()}")
    objects = values.objects(2)
    if objects is None:
        return list(np.atleast_2d(values.array(_NUMBERS))[row].tolist())
    length = values.shape[-1]
    return [plain.of(value) for value in objects[row * length : (row + 1) * length]]
