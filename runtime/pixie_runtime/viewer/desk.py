"""What the page's buttons do to a run: smoothing, recording, calibration."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from pixie_runtime.body import BodyModel
from pixie_runtime.calibration import Calibration, CalibrationProgress, Calibrator
from pixie_runtime.controls import Controls
from pixie_runtime.errors import PixieError
from pixie_runtime.sinks.recording_switch import RecordingSwitch
from pixie_runtime.smoothing import Quickness
from pixie_runtime.viewer.commands import Calibrate, Command, Record, Smooth


class LiveDesk:
    """Lets the pages of a viewer steer a running pipeline."""

    def __init__(
        self,
        model: BodyModel,
        controls: Controls,
        recording: RecordingSwitch,
        *,
        calibrator: Callable[[BodyModel], Calibrator] = Calibrator,
    ) -> None:
        """Prepare to steer.

        Args:
            model: The body that the people's parameters are for.
            controls: The pipeline's.
            recording: Among the pipeline's sinks.
            calibrator: Begins a calibration.
        """
        self._model = model
        self._controls = controls
        self._recording = recording
        self._begin_calibration = calibrator
        self._unchanged = controls.settings.smoothing
        self._quickness = Quickness()
        self._acting = threading.Lock()
        self._calibrator: Calibrator | None = None
        self._last = CalibrationProgress("done")

    def state(self) -> Mapping[str, Any]:
        """Return what the page shows about it, as JSON's types."""
        settings = self._controls.settings
        return {
            "smoothing": {
                "enabled": settings.smoothing.enabled,
                **asdict(self._quickness),
            },
            "recording": self._recording.state.as_dict(),
            "calibration": self._calibration(settings.calibration),
            "warnings": self._controls.warnings(),
        }

    def handle(self, command: Command) -> None:
        """Do what was asked for; what makes no sense here is left undone."""
        with self._acting:
            match command:
                case Smooth():
                    self._smooth(command)
                case Record(on):
                    self._record(on)
                case Calibrate("start"):
                    self._calibrator = self._begin_calibration(self._model)
                    self._controls.watch = self._calibrator.add
                case Calibrate("cancel"):
                    self._end_calibration(CalibrationProgress("done"))
                case Calibrate("clear"):
                    self._controls.calibrate_with(None)
                    self._end_calibration(CalibrationProgress("done"))

    def _smooth(self, wanted: Smooth) -> None:
        settings = self._unchanged.quicker(wanted.quickness)
        self._controls.smooth_with(settings.switched(wanted.enabled))
        self._quickness = wanted.quickness

    def _record(self, on: bool) -> None:
        try:
            if on:
                self._recording.start()
            else:
                self._recording.stop()
        except PixieError:
            return  # `recording.state` tells of it

    def _calibration(self, active: Calibration | None) -> dict[str, Any]:
        calibrator = self._calibrator
        if calibrator is not None:
            progress = calibrator.progress()
            if progress.stage not in ("done", "failed"):
                return {"stage": progress.stage, "left_s": round(progress.left_s, 1)}
            self._finish(calibrator, progress)
            active = self._controls.settings.calibration
        shown: dict[str, Any] = {"stage": "none", "problem": self._last.problem}
        if active is not None:
            shown |= {
                "stage": "done",
                "frames": active.frames,
                "notes": active.notes,
                "camera_height_m": round(-active.floor_m, 3),
                "floor_from_camera": active.floor_from_camera.ravel().tolist(),
            }
        return shown

    def _finish(self, calibrator: Calibrator, progress: CalibrationProgress) -> None:
        with self._acting:
            if self._calibrator is not calibrator:
                return  # another one was begun, or this one was called off
            if progress.calibration is not None:
                self._controls.calibrate_with(progress.calibration)
            self._end_calibration(progress)

    def _end_calibration(self, last: CalibrationProgress) -> None:
        self._calibrator, self._last = None, last
        self._controls.watch = None
