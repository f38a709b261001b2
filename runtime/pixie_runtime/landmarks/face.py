"""The face mesh and the eyes, found through the body or in the whole picture.

With a body: FaceLandmarksFromPoseCpu of MediaPipe Holistic. Without: the face detector
looks at the whole picture (FaceLandmarkFrontCpu).
"""

import numpy as np

from pixie_runtime.landmarks.detector import FACE, Detector
from pixie_runtime.landmarks.eyes import EyeReader
from pixie_runtime.landmarks.models import LandmarkModels
from pixie_runtime.landmarks.regions import (
    Points,
    Region,
    TrackingLimits,
    normalised,
    rotation_between,
)
from pixie_runtime.types import FaceLandmarks, Float32, PoseLandmarks, UInt8

_SIDE = 192
_MIN_SCORE = 0.5
_SEARCH_EVERY = 3
"""A face that is not on its body is looked for in every third frame."""
_LEVEL = 0.0
_POSE_FACE = slice(0, 11)
_POSE_RIGHT_EYE, _POSE_LEFT_EYE = 5, 2
_POSE_SHOULDERS = [11, 12]
_DETECTED_RIGHT_EYE, _DETECTED_LEFT_EYE = 0, 1
_MESH_RIGHT_EYE, _MESH_LEFT_EYE = 33, 263
_LIMITS = TrackingLimits(degrees=15, translation=0.1, scale=0.3, margin=-0.2)


class FaceTracker:
    """Follows one person's face."""

    def __init__(self, models: LandmarkModels) -> None:
        self._detector = Detector(models.face_detection_short_range, FACE)
        self._engine = models.face_landmark
        self._eyes = EyeReader(models.iris_landmark)
        self._last: FaceLandmarks | None = None
        self._head: Float32 | None = None
        self._missed = 0

    def reset(self) -> None:
        """Forget the face."""
        self._last = None
        self._head = None
        self._missed = 0
        self._eyes.reset()

    def update(self, image: UInt8, pose: PoseLandmarks | None) -> FaceLandmarks | None:
        """Return the face in `image`, of the body `pose` if there is one."""
        if pose is not None:
            region = self._of_body(image, pose)
        else:
            region = self._of_picture(image)
        self._last = self._landmarks(image, region) if region else None
        if self._last is None:
            self._eyes.reset()
        self._head = _place_of_head(pose) if pose else None
        return self._last

    def follow(self, pose: PoseLandmarks) -> FaceLandmarks | None:
        """Return the last face, moved along with the head; no network runs.

        One that was not on a body when it was seen stays where it is.
        """
        head = _place_of_head(pose)
        if self._last is not None and self._head is not None:
            self._last = self._last.moved(head - self._head)
        self._head = head
        return self._last

    def _of_body(self, image: UInt8, pose: PoseLandmarks) -> Region | None:
        if self._missed % _SEARCH_EVERY:
            self._missed += 1
            return None
        found = self._detector.detect(image, region_on_body(pose))
        if not found:
            self._missed += 1
            return None
        self._missed = 0
        points = found[0].points
        turn = rotation_between(
            points[_DETECTED_RIGHT_EYE], points[_DETECTED_LEFT_EYE], target=_LEVEL
        )
        region = Region.around(points, turn, scale=2.0, shift=-0.1)
        if self._last is not None:
            last = region_of_face(self._last.image)
            if _LIMITS.hold(last, self._last.image, region):
                return last
        return region

    def _of_picture(self, image: UInt8) -> Region | None:
        if self._last is not None:
            return region_of_face(self._last.image)
        found = self._detector.detect(image)
        if not found:
            return None
        points = found[0].points
        turn = rotation_between(
            points[_DETECTED_RIGHT_EYE], points[_DETECTED_LEFT_EYE], target=_LEVEL
        )
        return Region.around(found[0].box, turn, scale=1.5)

    def _landmarks(self, image: UInt8, region: Region) -> FaceLandmarks | None:
        outputs = self._engine.infer({"image": region.crop(image, _SIDE)[None]})
        score = float(1 / (1 + np.exp(-outputs["logit"][0, 0].clip(-60, 60))))
        if score < _MIN_SCORE:
            return None
        points = region.to_image(outputs["landmarks"][0] / _SIDE)
        left_eye, right_eye = self._eyes.look(image, points)
        return FaceLandmarks(points, score, left_eye, right_eye)


def region_on_body(pose: PoseLandmarks) -> Region:
    """Return where the head is (FaceLandmarksFromPoseToRecropRoi)."""
    points = pose.image[_POSE_FACE, :2]
    turn = rotation_between(
        points[_POSE_RIGHT_EYE], points[_POSE_LEFT_EYE], target=_LEVEL
    )
    # Eyes mistaken for one another must not stand the head on its crown: whatever the
    # labels, the neck is below.
    neck = pose.image[_POSE_SHOULDERS, :2].mean(axis=0) - points.mean(axis=0)
    if neck @ (-np.sin(turn), np.cos(turn)) < 0:
        turn = normalised(turn + np.pi)
    return Region.around(points, turn, scale=3.0)


def _place_of_head(pose: PoseLandmarks) -> Float32:
    """Return the mean of the pose's landmarks on the head, (2,) pixels."""
    return np.asarray(pose.image[_POSE_FACE, :2].mean(axis=0), np.float32)


def region_of_face(landmarks: Points) -> Region:
    """Return the face's square from its mesh (FaceLandmarksToRoi)."""
    points = landmarks[:, :2]
    turn = rotation_between(
        points[_MESH_RIGHT_EYE], points[_MESH_LEFT_EYE], target=_LEVEL
    )
    return Region.around(points, turn, scale=1.5)
