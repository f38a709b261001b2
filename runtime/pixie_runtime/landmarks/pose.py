"""The body: found once, then followed by its own landmarks (PoseLandmarkCpu)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pixie_runtime.engines import Engine
from pixie_runtime.landmarks.heatmaps import refined
from pixie_runtime.landmarks.models import LandmarkModels
from pixie_runtime.landmarks.orientation import MIRRORED
from pixie_runtime.landmarks.regions import Points, Region
from pixie_runtime.landmarks.steadying import SteadyPoints
from pixie_runtime.types import Float32, PoseLandmarks, UInt8

_SIDE = 256
_LANDMARKS = 33
_AUXILIARY = slice(33, 35)
_MIN_SCORE = 0.5
_UPRIGHT = np.pi / 2
_MARGIN = 1.25


def points_said(outputs: dict[str, Float32]) -> Float32:
    """Return the points in a pose landmark network's answer about one crop.

    Returns:
        (39, 5): x and y in sides of the crop from its upper left corner, z in sides,
        visibility, presence.
    """
    points: Float32 = outputs["landmarks"][0].copy()
    points[:, :3] /= _SIDE
    points[:, 3:] = 1 / (1 + np.exp(-points[:, 3:].clip(-60, 60)))
    return refined(points, outputs["heatmaps"][0])


def body_region(centre: Points, rim: Points) -> Region:
    """Return a body's square from its centre and a point on its rim."""
    return Region.aligned(centre, rim, target=_UPRIGHT, scale=_MARGIN)


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """What the network says of one crop."""

    pose: PoseLandmarks
    auxiliary: Float32
    """Centre and rim of the body's circle, (2, 2), pixels."""


class BodyFinder(Protocol):
    """Says where bodies are that nobody follows yet."""

    def find(self, image: UInt8) -> Sequence[Region]:
        """Return the square of each, the surest first."""
        ...

    def reset(self) -> None:
        """Take the next picture for the first."""
        ...


class PoseTracker:
    """Finds one body and follows it."""

    def __init__(self, models: LandmarkModels, finder: BodyFinder) -> None:
        self._finder = finder
        self._engine: Engine = models.pose_landmark_full
        self._steady = SteadyPoints()
        self._region: Region | None = None
        self._seen_in: Region | None = None

    @property
    def region(self) -> Region | None:
        """Where the body is looked for next; None where none is followed."""
        return self._region

    def reset(self) -> None:
        """Forget the body."""
        self._region = None
        self._steady.reset()

    def update(self, image: UInt8, time_s: float) -> PoseLandmarks | None:
        """Return the body in `image`, or None.

        A body that is not where it should be is looked for in the same picture.
        """
        if self._region is not None:
            pose = self._landmarks(image, self._region, time_s)
            if pose is not None:
                return pose
        for region in self._finder.find(image)[:1]:
            pose = self._landmarks(image, region, time_s)
            if pose is not None:
                return pose
        return None

    def mirrored_look(self, image: UInt8) -> PoseLandmarks | None:
        """Return the body that the network sees in the mirror image of the last crop.

        A second opinion on the same picture: where front and back are hard to tell
        apart the two often differ.
        """
        if self._seen_in is None:
            return None
        answer = self._answer(image, self._seen_in, mirror=True)
        return answer.pose if answer else None

    def _landmarks(
        self, image: UInt8, region: Region, time_s: float
    ) -> PoseLandmarks | None:
        answer = self._answer(image, region)
        if answer is None:
            self.reset()
            return None
        self._seen_in = region
        size = 2 * float(np.hypot(*(answer.auxiliary[1] - answer.auxiliary[0])))
        steady = self._steady.update(answer.auxiliary, size=size, time_s=time_s)
        self._region = body_region(*steady)
        return answer.pose

    def _answer(
        self, image: UInt8, region: Region, *, mirror: bool = False
    ) -> _Answer | None:
        crop = region.crop(image, _SIDE)
        if mirror:
            crop = np.ascontiguousarray(crop[:, ::-1])
        outputs = self._engine.infer({"image": crop[None]})
        score = float(outputs["score"][0, 0])
        if score < _MIN_SCORE:
            return None
        raw = points_said(outputs)
        body, world = raw[:_LANDMARKS], outputs["world"][0, :_LANDMARKS]
        if mirror:
            body, world = body[MIRRORED], world[MIRRORED]
            body[:, 0] = 1 - body[:, 0]
            world[:, 0] *= -1
        pose = PoseLandmarks(
            image=region.to_image(body[:, :3]),
            world=region.turned(world),
            visibility=body[:, 3],
            presence=body[:, 4],
            score=score,
        )
        return _Answer(pose, region.to_image(raw[_AUXILIARY, :2]))
