"""Records people into takes; what was recorded is never lost."""

from pathlib import Path

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import PixieError, SinkError
from pixie_runtime.sinks import Tick
from pixie_runtime.takes.conversion import Target, write_as, writer_of
from pixie_runtime.takes.places import (
    check_writable,
    container_of,
    make_room,
    target_of,
)
from pixie_runtime.takes.recorder import Recorder
from pixie_runtime.takes.recording import read_recording
from pixie_runtime.takes.recording_info import RecordingInfo


class TakeSink:
    """Records every tick; `close` converts the recording if another file is wanted.

    While it runs everybody's frames go to one container that is readable whatever
    happens (`docs/takes.md`); it stays beside whatever is made of it. Of several people
    the one with the most frames becomes `path`, others get `.person<id>` in their
    names.

    Args:
        path: The recording, without ending or `.mcap`; or what to convert it to in the
            end: `.npz`, `.bvh`, `.glb`, `.usd` or `.csv`. An existing file is replaced
            when the new one is whole.
        info: What the recording shall say of itself.
        model: The body model of who is recorded; None for the embedded one.

    Raises:
        UsageError: the name ends in something else.
        SinkError: nothing can be written there.
        MissingExtraError: such files take packages that are not installed.
    """

    def __init__(
        self,
        path: Path,
        info: RecordingInfo | None = None,
        *,
        model: BodyModel | None = None,
    ) -> None:
        self._target = target_of(path)
        if self._target is not None:
            writer_of(self._target)
        check_writable(path)
        self._path = path
        self._model = model
        self._container = container_of(path)
        self._closed = self._told = False
        self._rate: str | None = None
        self._takes: tuple[Path, ...] = ()
        unfinished, said = make_room(self._container)
        self._warnings = list(said)
        try:
            self._recorder = Recorder(unfinished, info or RecordingInfo())
        except OSError as error:
            raise SinkError(f"cannot record to {path}: {error.strerror}") from error

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
        """Frames that are safe so far, all people together."""
        return self._recorder.frames

    @property
    def takes(self) -> tuple[Path, ...]:
        """The files that `close` wrote, the recording itself first."""
        return self._takes

    @property
    def summary(self) -> str:
        """What was made of the recording, and how fast it is."""
        if self._rate is None:
            return ""
        return f"recording: {self._container}, {self._path} made of it at {self._rate}"

    @property
    def warnings(self) -> tuple[str, ...]:
        """Recordings found from earlier; that nobody was in view; what does not fit."""
        return tuple(self._warnings)

    def send(self, tick: Tick) -> None:
        """Record the tick's people. Raises SinkError when no more can be written."""
        try:
            self._recorder.add(tick)
        except SinkError:
            self._told = True
            raise

    def close(self) -> None:
        """End the recording and convert it.

        Raises:
            SinkError: not everything was recorded or converted; it says what is safe.
        """
        if self._closed:
            return
        self._closed = True
        self._recorder.close()
        if not self._recorder.is_in_place:
            raise SinkError(
                f"{self._recorder.path} was moved while it was recorded, as another "
                "recording of the same name does; no frame is lost, see what lies there"
            )
        try:
            self._put_in_place()
        except OSError as error:
            raise SinkError(
                f"cannot name the recording {self._container}: {error.strerror}; it is "
                f"whole in {self._recorder.path}"
            ) from error
        if self._target is not None and self._takes:
            self._convert(self._target)
        if self._recorder.failure is not None and not self._told:
            raise SinkError(self._recorder.failure)

    def _put_in_place(self) -> None:
        if self.frames:
            self._recorder.path.replace(self._container)
            self._takes = (self._container,)
        else:
            self._recorder.path.unlink()
            self._warnings.append(f"nobody was recorded: {self._path} is not written")

    def _convert(self, target: Target) -> None:
        try:
            recording = read_recording(self._container)
            self._warnings += recording.warnings
            for track_id, track in recording.people.items():
                path = self._path
                if len(self._takes) > 1:
                    path = path.with_stem(f"{path.stem}.person{track_id}")
                written = write_as(track.take(), target, path, model=self._model)
                self._takes = (*self._takes, path)
                self._rate = self._rate or f"{written.mocap_frame_rate:g} fps"
        except PixieError as error:
            raise SinkError(
                f"{error}; all {self.frames} frames are safe in "
                f"{self._container}: try again with pixie-take convert "
                f"{self._container} --to {target}"
            ) from error
