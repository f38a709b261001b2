"""Results of pictures, each by itself: its parameters and the body drawn over it."""

from collections.abc import Callable
from itertools import count
from pathlib import Path, PurePath
from tempfile import TemporaryFile

import cv2
import numpy as np

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import SinkError
from pixie_runtime.sinks import Tick
from pixie_runtime.sinks.painting import Painter
from pixie_runtime.sinks.whole_file import written_whole
from pixie_runtime.takes.npz import write_npz
from pixie_runtime.takes.track import Track
from pixie_runtime.types import UInt8
from pixie_runtime.wording import counted, listed

_JPEG_QUALITY = 92
_LONGEST_SIDE = 4096
"""Drawing over more pixels takes seconds and gigabytes."""


class PictureResults:
    """Writes NAME.npz and NAME.jpg for every picture with somebody in it.

    The first is a take of one frame (`docs/pictures.md`) that also says which picture
    it is of, the second the picture with the body over it, at most 4096 pixels long.
    Each file is put in place when it is whole, so that whatever happens to a later
    picture costs nothing of an earlier one.
    """

    def __init__(
        self,
        folder: Path,
        model: BodyModel,
        *,
        unread: Callable[[], int] = lambda: 0,
    ) -> None:
        """Make the folder if it is missing.

        Args:
            folder: Where results go; older ones of the same names are replaced.
            model: The body that the parameters belong to.
            unread: Tells how many pictures the source could not read so far.

        Raises:
            SinkError: The folder cannot be made or written to.
        """
        _make(folder)
        self._folder = folder
        self._unread = unread
        self._painter = Painter(model, max_side=_LONGEST_SIDE)
        self._names = _ResultNames()
        self._pictures = self._people = 0
        self._nobody_in: list[str] = []
        self._older: list[str] = []

    @property
    def name(self) -> str:
        """What a status line calls it."""
        return f"results {self._folder.name}"

    @property
    def dropped(self) -> int:
        """Always 0: every picture's results are written, or writing ends."""
        return 0

    @property
    def summary(self) -> str:
        """How many pictures and people there were, and where the results are."""
        unread = self._unread()
        parts = [f"{counted(self._people, 'person', 'people')} written"]
        if self._nobody_in:
            parts += [f"nobody in {len(self._nobody_in)}"]
        if unread:
            parts += [f"{unread} skipped, unreadable"]
        pictures = counted(self._pictures + unread, "picture", "pictures")
        return f"results: {self._folder} ({pictures}: {', '.join(parts)})"

    @property
    def warnings(self) -> tuple[str, ...]:
        """In which pictures nobody was found; which files are an earlier run's."""
        said = []
        if self._nobody_in:
            said += [
                f"nobody was found in {listed(self._nobody_in)}: nothing is written"
            ]
        if self._older:
            said += [f"from an earlier run, left as they are: {listed(self._older)}"]
        return tuple(said)

    def send(self, tick: Tick) -> None:
        """Write the picture's results. Raises SinkError when that cannot be done."""
        picture = tick.frame.name or f"{tick.frame.index:06}"
        name = self._names.of(picture)
        self._pictures += 1
        if tick.people:
            try:
                self._write(tick, picture, name)
            except SinkError as error:
                raise SinkError(
                    f"{error}; what was written before it is whole, of "
                    f"{counted(self._people, 'person', 'people')}"
                ) from error
        else:
            self._nobody_in.append(picture)
            older = (self._folder / f"{name}{suffix}" for suffix in (".npz", ".jpg"))
            self._older += [path.name for path in older if path.exists()]

    def close(self) -> None:
        """Nothing is left to be finished."""

    def _write(self, tick: Tick, picture: str, name: str) -> None:
        for number, person in enumerate(tick.people):
            whose = f".person{person.track_id}" if number else ""
            path = self._folder / f"{name}{whose}.npz"
            write_npz(Track.of([person]).take(), path, picture=np.array(picture))
            self._people += 1
        _write_jpeg(self._painter.paint_in_own_size(tick), self._folder / f"{name}.jpg")


class _ResultNames:
    """Gives each picture's results a name of their own.

    That is the picture's name without its suffix, and with it where that name is taken:
    of a.jpg and a.png the results are a and a.png. Upper and lower case count as the
    same, as they do on many disks.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, picture: str) -> str:
        for name in (PurePath(picture).stem, picture):
            if self._take(name):
                return name
        return next(n for n in (f"{picture}-{i}" for i in count(2)) if self._take(n))

    def _take(self, name: str) -> bool:
        known = name.casefold() in self._taken
        self._taken.add(name.casefold())
        return not known


def _write_jpeg(image: UInt8, path: Path) -> None:
    bgr = np.ascontiguousarray(image[..., ::-1])
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    with written_whole(path) as file:
        file.write(encoded.tobytes())


def _make(folder: Path) -> None:
    problem = f"cannot write results to {folder}"
    if not folder.parent.is_dir():
        raise SinkError(f"{problem}: there is no folder {folder.parent}; make it first")
    try:
        folder.mkdir(exist_ok=True)
        TemporaryFile(dir=folder).close()
    except FileExistsError as error:
        raise SinkError(f"{problem}: it is a file; name a folder") from error
    except OSError as error:
        raise SinkError(f"{problem}: {error.strerror or error}") from error
