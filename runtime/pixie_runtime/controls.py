"""What may be changed while a pipeline runs: replaced as a whole, read once a frame."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pixie_runtime.body import BodyModel
from pixie_runtime.calibration import Calibration
from pixie_runtime.per_track import PerTrack
from pixie_runtime.smoothing import PersonSmoother, SmoothingSettings
from pixie_runtime.types import Person


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How estimates become the stream that sinks receive."""

    smoothing: SmoothingSettings = field(default_factory=SmoothingSettings)
    calibration: Calibration | None = None
    """Fixes the shape of the person it was made of."""


class Controls:
    """The settings of a running pipeline; any thread may ask and change.

    A frame is made with the settings that held when it was begun, all of them.
    """

    def __init__(self, settings: LiveSettings | None = None) -> None:
        self._settings = settings or LiveSettings()
        self._changing = threading.Lock()
        self.watch: Callable[[Person], None] | None = None
        """Shown every estimate before anything is done to it, in the loop's thread."""
        self.warnings: Callable[[], tuple[str, ...]] = tuple
        """What the user should know about the run now, one sentence each."""

    @property
    def settings(self) -> LiveSettings:
        """What holds now."""
        return self._settings

    def smooth_with(self, smoothing: SmoothingSettings) -> None:
        """Smooth otherwise from the next frame."""
        with self._changing:
            self._settings = replace(self._settings, smoothing=smoothing)

    def calibrate_with(self, calibration: Calibration | None) -> None:
        """Fix a person's shape from the next frame, or let it be estimated again."""
        with self._changing:
            self._settings = replace(self._settings, calibration=calibration)


class LiveSmoothing:
    """Smooths everybody's streams and keeps the calibrated shape, as `controls` say."""

    def __init__(self, model: BodyModel, controls: Controls) -> None:
        self._model = model
        self._controls = controls
        self._smoothers = PerTrack(lambda: PersonSmoother(controls.settings.smoothing))

    def __call__(self, person: Person) -> Person:
        """Return what the sinks receive of an estimate."""
        settings = self._controls.settings
        watch = self._controls.watch
        if watch is not None:
            watch(person)
        smoother = self._smoothers.of(person.track_id, person.timestamp_s)
        if settings.smoothing is not smoother.settings:
            smoother.retune(settings.smoothing)
        person = smoother.smooth(person, self._model)
        calibration = settings.calibration
        return calibration.apply(person, self._model) if calibration else person
