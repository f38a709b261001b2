"""Records people while they are captured, in a container that cannot be broken."""

import errno
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pixie_runtime.errors import SinkError
from pixie_runtime.sinks import Tick
from pixie_runtime.sinks.websocket_messages import (
    Moment,
    alive_text,
    frame_dtype,
    person_record,
)
from pixie_runtime.takes.container import (
    ALIVE_TOPIC,
    PERSON_TOPIC,
    ContainerWriter,
    Message,
)
from pixie_runtime.takes.recording_info import RecordingInfo
from pixie_runtime.types import Camera, Person

_PERIOD_S = 0.3
"""At least so often what was recorded goes to the disk."""
_CHUNK_MESSAGES = 32
"""A full disk costs at most so many at once."""
_MAX_WAITING = 30_000
"""Messages, some 60 MB: a disk that leaves so many waiting does not write at all."""

_Entry = Message | Camera | np.dtype[np.void]


class Recorder:
    """Writes every tick to a container, from a thread of its own.

    So a slow disk does not hold the capture up, and what was recorded reaches the
    operating system within a third of a second even if no other frame follows.

    Raises:
        FileExistsError, OSError: the file exists, or cannot be made.
    """

    def __init__(self, path: Path, info: RecordingInfo) -> None:
        self.path = path
        self._container = ContainerWriter(path, info)
        self._lock = threading.Lock()
        self._waiting: list[_Entry] = []
        self._closing = threading.Event()
        self._failure: str | None = None
        self._frames = 0
        self._ticks = 0
        self._unix_at_source_zero_ns: int | None = None
        self._camera: Camera | None = None
        self._sizes: tuple[int, int] | None = None
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def frames(self) -> int:
        """How many frames are safe, all people together."""
        return self._frames

    @property
    def failure(self) -> str | None:
        """Why nothing more is written, if that is so."""
        return self._failure

    @property
    def is_in_place(self) -> bool:
        """Whether `path` leads to what was recorded, and nobody moved it."""
        return self._container.is_at(self.path)

    def add(self, tick: Tick) -> None:
        """Record a tick; it is written soon.

        Raises:
            SinkError: no more can be written, or a person has other numbers of
                coefficients than the first.
        """
        if self._failure is not None:
            raise SinkError(self._failure)
        entries = list(self._entries(tick))
        with self._lock:
            self._waiting += entries
            waiting = len(self._waiting)
        if waiting > _MAX_WAITING:
            raise SinkError(
                f"recording to {self.path} ends: {waiting} messages wait for the disk, "
                "which does not write them"
            )

    def close(self) -> None:
        """Write what waits and end the file."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._thread.join()
        if self._failure is None:
            self._container.finish()

    def _entries(self, tick: Tick) -> Iterable[_Entry]:
        frame = tick.frame
        moment = Moment(self._ticks, len(tick.people), time.monotonic_ns())
        self._ticks += 1
        if self._unix_at_source_zero_ns is None:
            age_ns = moment.sent_ns - frame.grabbed_ns
            grabbed_ns = time.time_ns() - age_ns
            self._unix_at_source_zero_ns = grabbed_ns - round(frame.timestamp_s * 1e9)
        # A clock that was never set may be before 1970, which containers cannot say.
        time_ns = max(0, self._unix_at_source_zero_ns + round(frame.timestamp_s * 1e9))
        sequence = moment.seq % 2**32
        if not tick.people:
            text = alive_text(
                moment, frame_index=frame.index, t_source_s=frame.timestamp_s
            )
            yield Message(ALIVE_TOPIC, sequence, time_ns, text.encode())
        for person in tick.people:
            yield from self._changes(person)
            topic = f"{PERSON_TOPIC}{person.track_id}"
            data = person_record(person, moment).tobytes()
            yield Message(topic, sequence, time_ns, data)

    def _changes(self, person: Person) -> Iterable[_Entry]:
        """Yield what has to be said before this person's message."""
        sizes = len(person.params.betas), len(person.params.expression)
        if self._sizes is None:
            self._sizes = sizes
            yield frame_dtype(*sizes)
        if sizes != self._sizes:
            raise SinkError(
                f"cannot record {sizes[0]} betas and {sizes[1]} expression "
                f"coefficients in a take that began with {self._sizes[0]} and "
                f"{self._sizes[1]}; start another take"
            )
        if person.camera != self._camera:
            self._camera = person.camera
            yield person.camera

    def _run(self) -> None:
        while True:
            last = self._closing.wait(_PERIOD_S)
            try:
                self._write(self._taken())
            except OSError as error:
                self._failure = self._sentence(error)
                self._container.finish_without_index()
                return
            if last:
                return

    def _taken(self) -> list[_Entry]:
        """Return what waits and leave nothing waiting."""
        with self._lock:
            entries, self._waiting = self._waiting, []
        return entries

    def _write(self, entries: list[_Entry]) -> None:
        messages: list[Message] = []
        for entry in entries:
            if isinstance(entry, Message):
                messages.append(entry)
                if len(messages) < _CHUNK_MESSAGES:
                    continue
            self._write_messages(messages)
            messages = []
            if isinstance(entry, Camera):
                self._container.add_camera(entry)
            elif not isinstance(entry, Message):
                self._container.begin_people(entry)
        self._write_messages(messages)

    def _write_messages(self, messages: list[Message]) -> None:
        if not messages:
            return
        self._container.write(messages)
        self._frames += sum(message.topic != ALIVE_TOPIC for message in messages)

    def _sentence(self, error: OSError) -> str:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        cause = "the disk is full" if full else error.strerror or str(error)
        return (
            f"recording to {self.path} ends after {self._frames} frames, which are "
            f"safe: {cause}"
        )
