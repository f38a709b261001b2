"""Records people into take files; what was recorded is never lost."""

import errno
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryFile

from pixie_runtime.errors import SinkError, SourceError, UsageError
from pixie_runtime.sinks import Tick
from pixie_runtime.sinks.take_parts import PartHeader, PartWriter, read_part
from pixie_runtime.sinks.take_writing import write_take
from pixie_runtime.types import Person


class TakeSink:
    """Records every tick; `close` writes one take per person.

    While it runs each person's frames go to a part file beside the take, one write per
    frame, so that neither a full disk nor a killed process costs earlier frames
    (`take_writing.recover_take` makes a take of a part file that was left). The person
    with the most frames becomes `path`, others get `.person<id>` in their names.

    Args:
        path: The take, `.npz`; an existing one is replaced when the new one is whole.

    Raises:
        UsageError: the name does not end in `.npz`.
        SinkError: nothing can be written there.
    """

    def __init__(self, path: Path) -> None:
        _check_writable(path)
        self._path = path
        self._writers: dict[int, PartWriter] = {}
        self._failed = False
        self._closed = False
        self._takes: tuple[Path, ...] = ()
        self._warnings = [
            f"an earlier recording was cut off: {part} holds its frames"
            for part in left_over_parts(path)
        ]

    @property
    def name(self) -> str:
        """`take` and the file's name."""
        return f"take {self._path.name}"

    @property
    def dropped(self) -> int:
        """Always 0: a recording keeps every frame or fails."""
        return 0

    @property
    def frames(self) -> int:
        """Frames recorded so far, all people together."""
        return sum(writer.count for writer in self._writers.values())

    @property
    def takes(self) -> tuple[Path, ...]:
        """The files that `close` wrote, the main one first."""
        return self._takes

    @property
    def warnings(self) -> tuple[str, ...]:
        """Part files found from earlier; that nobody was in view."""
        return tuple(self._warnings)

    def send(self, tick: Tick) -> None:
        """Write the tick's people. Raises SinkError when no more can be written."""
        if self._failed:
            raise SinkError(f"the recording to {self._path} has ended")
        in_view = {person.track_id for person in tick.people}
        for track_id, writer in self._writers.items():
            if track_id not in in_view:
                writer.rest()
        try:
            for person in tick.people:
                self._writer(person).append(person)
        except OSError as error:
            self._failed = True
            raise SinkError(self._failure(error)) from error
        except SinkError:
            self._failed = True
            raise

    def close(self) -> None:
        """Make takes of the part files.

        Raises:
            SinkError: a take cannot be written; its part file stays and is named.
        """
        if self._closed:
            return
        self._closed = True
        for writer in self._writers.values():
            writer.rest()
        by_length = sorted(self._writers.values(), key=lambda writer: -writer.count)
        recorded = [writer for writer in by_length if writer.count]
        if not recorded:
            self._warnings.append(f"nobody was recorded: {self._path} is not written")
        problems = []
        for writer in recorded:
            try:
                self._finish(writer, is_main=writer is recorded[0])
            except (SinkError, SourceError) as error:
                problems.append(
                    f"{error}; its {writer.count} frames are safe in {writer.path}"
                )
        for writer in self._writers.values():
            if not writer.count:
                writer.path.unlink(missing_ok=True)
        if problems:
            raise SinkError("; ".join(problems))

    def _finish(self, writer: PartWriter, *, is_main: bool) -> None:
        track_id = writer.header.track_id
        path = self._path if is_main else _for_person(self._path, track_id)
        write_take(read_part(writer.path), path)
        writer.path.unlink()
        self._takes = (*self._takes, path)

    def _writer(self, person: Person) -> PartWriter:
        """Return the person's writer, opening a part file at the first frame."""
        writer = self._writers.get(person.track_id)
        names = _part_paths(self._path, person.track_id)
        while writer is None:
            # A file of that name is an earlier recording's: it is left alone.
            with suppress(FileExistsError):
                writer = PartWriter(next(names), PartHeader.of(person))
                self._writers[person.track_id] = writer
        return writer

    def _failure(self, error: OSError) -> str:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        cause = "the disk is full" if full else error.strerror or str(error)
        return (
            f"recording to {self._path} ends after {self.frames} frames, which are "
            f"safe: {cause}"
        )


def left_over_parts(path: Path) -> list[Path]:
    """Return the part files that recordings of this take left behind."""
    start = f"{path.stem}.person"
    return sorted(
        part
        for part in path.parent.iterdir()
        if part.name.startswith(start) and part.name.endswith(".npz.part")
    )


def _for_person(path: Path, track_id: int) -> Path:
    return path.with_name(f"{path.stem}.person{track_id}.npz")


def _part_paths(path: Path, track_id: int) -> Iterator[Path]:
    """Yield names for a part file until one is free."""
    base = f"{path.stem}.person{track_id}"
    yield path.with_name(f"{base}.npz.part")
    for number in count(2):
        yield path.with_name(f"{base}-{number}.npz.part")


def _check_writable(path: Path) -> None:
    if path.suffix != ".npz":
        raise UsageError(f"--record {path}: expected a name that ends in .npz")
    if path.is_dir():
        raise SinkError(f"cannot record to {path}: it is a folder")
    try:
        TemporaryFile(dir=path.parent).close()
    except FileNotFoundError as error:
        raise SinkError(
            f"cannot record to {path}: the folder {path.parent} does not exist"
        ) from error
    except OSError as error:
        raise SinkError(f"cannot record to {path}: {error.strerror}") from error
