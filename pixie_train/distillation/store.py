"""Lessons kept in a folder.

    lessons.json             which teacher gave them, and how it looked
    <footage>/00000000.npy   the people in the first pictures looked at, as records
    <footage>/00000001.npy   those in the next ...
    <footage>/done.json      when all of it was looked at: how many pictures

A file appears whole or not at all, and what it holds depends on its pictures alone: the
teacher forgets the person at its beginning. So a store that was begun twice is the one
that was made in one go, to the bit.
"""

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixie_runtime.errors import SinkError, SourceError, UsageError
from pixie_runtime.sinks.whole_file import written_whole
from pixie_train.distillation.lesson import Lesson, LessonSizes, unpacked
from pixie_train.output_files import made_folder

FORMAT = "pixie-lessons-1"
"""Changes whenever the same teacher and footage would make other lessons."""

_ELSEWHERE = "give another place for lessons"
_DESCRIPTION, _DONE = "lessons.json", "done.json"


@dataclass(frozen=True)
class Looked:
    """What came of a whole piece of footage."""

    frames: int
    """Pictures that were looked at."""
    people: int
    """Of these, with somebody in them."""
    warning: str | None
    """What was amiss with the file."""


class LessonFolder:
    """A store being filled."""

    def __init__(
        self, folder: Path, description: dict[str, Any], sizes: LessonSizes
    ) -> None:
        """Begin a store, or go on with the one that is there.

        Args:
            folder: where.
            description: the teacher and how it looks, as JSON has it.
            sizes: of its lessons.

        Raises:
            UsageError: the folder holds lessons of another teacher.
            SinkError: it cannot be written.
        """
        self.folder, self.sizes = folder, sizes
        wanted = {"format": FORMAT, **description}
        path = folder / _DESCRIPTION
        if path.exists():
            _require_same(folder, _read_json(path), wanted)
            return
        made_folder(folder, _ELSEWHERE)
        _write_json(path, wanted)

    def chunks(self, footage: str) -> set[int]:
        """Return the numbers of the files that are there."""
        return {int(path.stem) for path in _chunk_files(self.folder / footage)}

    def write(self, footage: str, chunk: int, lessons: list[Lesson]) -> None:
        """Keep the lessons of a chunk; there may be none.

        Raises:
            SinkError: the disk is full, or the folder cannot be written.
        """
        made_folder(self.folder / footage, _ELSEWHERE)
        path = self.folder / footage / f"{chunk:08d}.npy"
        # Not into the file itself: numpy then writes past Python, and what the disk no
        # longer takes when it closes its own handle is lost without an error.
        content = io.BytesIO()
        np.save(content, self.sizes.packed(lessons), allow_pickle=False)
        try:
            with written_whole(path) as file:
                file.write(content.getbuffer())
        except SinkError as error:
            raise _no_room(self.folder, error) from error

    def finish(self, footage: str, looked: Looked) -> None:
        """Note that all of a piece of footage was looked at."""
        made_folder(self.folder / footage, _ELSEWHERE)
        _write_json(self.folder / footage / _DONE, vars(looked))

    def finished(self, footage: str) -> Looked | None:
        """Return what came of a piece of footage; None: not all was looked at."""
        path = self.folder / footage / _DONE
        return Looked(**_read_json(path)) if path.exists() else None

    def count(self, footage: str) -> int:
        """Return how many people a piece of footage has so far."""
        return len(Lessons.of([self.folder / footage], self.sizes))


class Lessons:
    """Lessons read back, one piece of footage after the other, each in its order."""

    def __init__(self, files: Sequence["_File"], sizes: LessonSizes) -> None:
        self.sizes = sizes
        self._files = tuple(file for file in files if file.count)
        counts = [file.count for file in self._files]
        self._ends = np.cumsum(counts) if counts else np.zeros(0, np.int64)

    @classmethod
    def of(cls, folders: Iterable[Path], sizes: LessonSizes) -> "Lessons":
        """Open the lessons about some pieces of footage.

        Raises:
            SourceError: a file is damaged.
        """
        files = [
            _File.at(path, sizes) for folder in folders for path in _chunk_files(folder)
        ]
        return cls(files, sizes)

    def __len__(self) -> int:
        """Return how many there are."""
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, index: int) -> Lesson:
        """Return one, read from the disk."""
        file, row = self._place(index)
        return file.read(row, self.sizes)

    def name(self, index: int) -> str:
        """Return where one is: footage, file and row."""
        file, row = self._place(index)
        return f"{file.path.parent.name}/{file.path.name}:{row}"

    def _place(self, index: int) -> tuple["_File", int]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        number = int(np.searchsorted(self._ends, index, side="right"))
        file = self._files[number]
        return file, index - (int(self._ends[number]) - file.count)


@dataclass(frozen=True)
class _File:
    """Where the records of one file are; it is opened whenever one is read.

    A memory map would keep a file descriptor for each of what may be thousands.
    """

    path: Path
    offset: int
    count: int

    @classmethod
    def at(cls, path: Path, sizes: LessonSizes) -> "_File":
        dtype = sizes.dtype
        try:
            with path.open("rb") as file:
                np.lib.format.read_magic(file)
                shape, _, found = np.lib.format.read_array_header_1_0(file)
                offset = file.tell()
            whole = path.stat().st_size == offset + shape[0] * dtype.itemsize
        except (OSError, ValueError, EOFError, IndexError) as error:
            raise _damaged(path) from error
        if found != dtype or len(shape) != 1 or not whole:
            raise _damaged(path)
        return cls(path, offset, shape[0])

    def read(self, row: int, sizes: LessonSizes) -> Lesson:
        dtype = sizes.dtype
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset + row * dtype.itemsize)
                record = np.fromfile(file, dtype, 1)[0]
        except (OSError, IndexError) as error:
            raise _damaged(self.path) from error
        return unpacked(record)


def _chunk_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*.npy") if p.stem.isdecimal())


def _damaged(path: Path) -> SourceError:
    return SourceError(
        f"{path} is not a whole file of lessons; delete it, and {path.parent.name}/"
        f"{_DONE} beside it, then the same command makes it again"
    )


def _no_room(folder: Path, error: SinkError) -> SinkError:
    return SinkError(
        f"cannot keep lessons in {folder} ({error}); make room there or choose another "
        "place with --lessons, then the same command goes on"
    )


def _write_json(path: Path, values: dict[str, Any]) -> None:
    try:
        with written_whole(path) as file:
            file.write((json.dumps(values, indent=2) + "\n").encode())
    except SinkError as error:
        raise _no_room(path.parent, error) from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(
            f"{path} cannot be read ({error}); delete {path.parent} and let the "
            "teacher look again"
        ) from error
    if not isinstance(found, dict):
        raise SourceError(f"{path} holds no description; delete {path.parent}")
    return found


def _require_same(folder: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    if found == wanted:
        return
    if found.get("format") != FORMAT:
        raise SourceError(
            f"{folder} holds lessons of the format {found.get('format')}, expected "
            f"{FORMAT}; choose another place with --lessons"
        )
    if found.get("teacher_sha256") != wanted["teacher_sha256"]:
        raise UsageError(
            f"{folder} holds lessons of another teacher, {found.get('teacher')}, not "
            f"of this {wanted['teacher']}; give that bundle, or another place with "
            "--lessons"
        )
    other = ", ".join(
        f"{name} {found.get(name)}, not {value}"
        for name, value in wanted.items()
        if found.get(name) != value
    )
    raise UsageError(
        f"{folder} holds lessons that were taken otherwise ({other}); give the options "
        "that it was begun with, or another place with --lessons"
    )
