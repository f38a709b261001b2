"""The body: found once, then followed by its own landmarks (PoseLandmarkCpu)."""

import numpy as np

from pixie_runtime.engines import Engine
from pixie_runtime.landmarks.detector import POSE, Detection, Detector
from pixie_runtime.landmarks.heatmaps import refined
from pixie_runtime.landmarks.models import LandmarkModels
from pixie_runtime.landmarks.regions import Points, Region
from pixie_runtime.landmarks.steadying import SteadyPoints
from pixie_runtime.types import Float32, PoseLandmarks, UInt8

_SIDE = 256
_LANDMARKS = 33
_AUXILIARY = slice(33, 35)
_MIN_SCORE = 0.5
_UPRIGHT = np.pi / 2
_MARGIN = 1.25


def _region(centre: Points, rim: Points) -> Region:
    """Return the body's square from its centre and a point on its rim."""
    return Region.aligned(centre, rim, target=_UPRIGHT, scale=_MARGIN)


class PoseTracker:
    """Finds one body and follows it."""

    def __init__(self, models: LandmarkModels) -> None:
        self._detector = Detector(models.pose_detection, POSE)
        self._engine: Engine = models.pose_landmark_full
        self._steady = SteadyPoints()
        self._region: Region | None = None

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
        for detection in self._detector.detect(image)[:1]:
            pose = self._landmarks(image, self._detected(detection), time_s)
            if pose is not None:
                return pose
        return None

    def _detected(self, detection: Detection) -> Region:
        hips, rim = detection.points[:2]
        return _region(hips, rim)

    def _landmarks(
        self, image: UInt8, region: Region, time_s: float
    ) -> PoseLandmarks | None:
        outputs = self._engine.infer({"image": region.crop(image, _SIDE)[None]})
        score = float(outputs["score"][0, 0])
        if score < _MIN_SCORE:
            self.reset()
            return None
        raw: Float32 = outputs["landmarks"][0]
        raw[:, :3] /= _SIDE
        raw[:, 3:] = 1 / (1 + np.exp(-raw[:, 3:].clip(-60, 60)))
        raw = refined(raw, outputs["heatmaps"][0])
        points = region.to_image(raw[:, :3])
        self._follow(points[_AUXILIARY, :2], time_s)
        return PoseLandmarks(
            image=points[:_LANDMARKS],
            world=region.turned(outputs["world"][0, :_LANDMARKS]),
            visibility=raw[:_LANDMARKS, 3],
            presence=raw[:_LANDMARKS, 4],
            score=score,
        )

    def _follow(self, auxiliary: Float32, time_s: float) -> None:
        size = 2 * float(np.hypot(*(auxiliary[1] - auxiliary[0])))
        centre, rim = self._steady.update(auxiliary, size=size, time_s=time_s)
        self._region = _region(centre, rim)
