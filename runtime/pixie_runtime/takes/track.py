"""One person's frames as they were recorded, field by field, and the take they make."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations
from pixie_runtime.takes.take import Q_WORLD_FROM_CAMERA, WORLD_FROM_CAMERA, Take
from pixie_runtime.types import PARTS, Camera, Float32, Float64, Person

_CHUNK = 4096
"""Frames converted at once: some 10 MB."""
_COMMON_RATES = (24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 90.0, 100.0, 120.0)
_DEFAULT_RATE = 30.0
_BREAK_S = 0.5
"""A longer pause between two frames is somebody out of view, unless all are as long."""
_FEWEST_STEPS = 3
"""From fewer there is no telling how long they usually are."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One person's T frames as sinks received them; all in the camera's axes."""

    track_id: int
    camera: Camera
    frames: npt.NDArray[np.int64]
    """(T,): numbers of the pictures in their source."""
    timestamps_s: Float64
    """(T,): seconds on the source's clock, strictly increasing."""
    latencies_s: Float64
    """(T,): from grabbing the picture to recording it."""
    confidences: Float32
    """(T, 4) in [0, 1], in the order of `types.PARTS`."""
    transl: Float32
    """(T, 3), metres."""
    rotations: Float32
    """(T, 55, 4): unit quaternions wxyz."""
    joints: Float32
    """(T, 55, 3), metres."""
    betas: Float32
    """(T, n_betas)."""
    expression: Float32
    """(T, n_expression)."""

    def __len__(self) -> int:
        return len(self.frames)

    @classmethod
    def of(cls, people: Sequence[Person]) -> Self:
        """Return the track of one person's frames, at least one, in order of time."""

        def column(name: str, of: Any = np.float32) -> npt.NDArray[Any]:
            return np.array([getattr(person, name) for person in people], of)

        def parameter(name: str) -> Float32:
            rows = [getattr(person.params, name) for person in people]
            return np.asarray(rows, np.float32)

        return cls(
            track_id=people[0].track_id,
            camera=people[0].camera,
            frames=column("frame_index", np.int64),
            timestamps_s=column("timestamp_s", np.float64),
            latencies_s=np.zeros(len(people)),
            confidences=np.array(
                [[getattr(p.confidence, part) for part in PARTS] for p in people],
                np.float32,
            ),
            transl=parameter("transl"),
            rotations=parameter("rotations"),
            joints=column("joints"),
            betas=parameter("betas"),
            expression=parameter("expression"),
        )

    def take(self) -> Take:
        """Return the motion as a take: the world's axes, one shape, a frame rate."""
        fps = frame_rate(self.timestamps_s)
        # A few thousand frames are enough for a median.
        sample = self.betas[:: max(1, len(self) // _CHUNK)]
        return Take(
            betas=np.asarray(np.median(sample, axis=0), np.float32),
            betas_per_frame=self.betas,
            expression=self.expression,
            poses=self._poses(),
            trans=self._trans(),
            joints=self.joints,
            confidences=self.confidences,
            timestamps_s=self.timestamps_s,
            frames=self.frames,
            camera=self.camera,
            fps=fps,
            mocap_frame_rate=common_frame_rate(fps),
            track_id=self.track_id,
        )

    def _poses(self) -> Float32:
        poses = np.empty((len(self), self.rotations.shape[1] * 3), np.float32)
        for start in range(0, len(self), _CHUNK):
            wxyz = self.rotations[start : start + _CHUNK].astype(np.float64)
            wxyz[:, 0] = rotations.multiply(
                Q_WORLD_FROM_CAMERA.astype(np.float64), wxyz[:, 0]
            )
            poses[start : start + _CHUNK] = rotations.to_rotvec(wxyz).reshape(
                len(wxyz), -1
            )
        return poses

    def _trans(self) -> Float32:
        """Return SMPL-X translations (T, 3) in the y-up world.

        The body turns about its rest pelvis p, which the change of axes does not move.
        The posed pelvis, S (p + t) for camera axes turned by S, has to equal p + trans.
        """
        pelvis = self.joints[:, 0].astype(np.float64)
        rest_pelvis = pelvis - self.transl
        return np.asarray(pelvis * WORLD_FROM_CAMERA - rest_pelvis, np.float32)


def break_s(timestamps_s: Float64) -> float:
    """Return the pause between two frames, seconds, beyond which nobody was in view.

    That is half a second, or three usual steps where a capture is so slow.
    """
    steps = np.diff(timestamps_s)
    usual_s = float(np.median(steps)) if len(steps) >= _FEWEST_STEPS else 0.0
    return max(_BREAK_S, 3 * usual_s)


def frame_rate(timestamps_s: Float64) -> float:
    """Return the mean frames per second, breaks left out; 30 where there is none."""
    steps = np.diff(timestamps_s)
    steps = steps[(steps > 0) & (steps <= break_s(timestamps_s))]
    return float(1 / steps.mean()) if steps.size else _DEFAULT_RATE


def common_frame_rate(fps: float) -> float:
    """Return the common rate within 1 % of `fps`, or `fps`.

    Blender's add-on refuses 29.97, being less than 30.
    """
    nearest = min(_COMMON_RATES, key=lambda rate: abs(rate - fps))
    return nearest if abs(nearest - fps) <= 0.01 * nearest else fps
