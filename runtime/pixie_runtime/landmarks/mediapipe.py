"""Google's own package as a landmarker, for those who have it."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from pixie_runtime.errors import MissingExtraError
from pixie_runtime.landmarks import pixels_of
from pixie_runtime.types import (
    FaceLandmarks,
    Float32,
    Frame,
    HandLandmarks,
    PersonLandmarks,
    PoseLandmarks,
)

_FACE_POINTS = 468
_PALM_M = 0.09
"""Wrist to the middle finger's knuckle, of an adult."""


class MediapipeLandmarker:
    """MediaPipe Holistic 0.10.21, the last release with its models inside.

    Slower than `PixieLandmarker` and without its care for left and right; useful to
    compare with. Holistic gives no metric hands: their world landmarks are the image's,
    scaled to the size of a hand.
    """

    def __init__(self, *, smooth: bool = False) -> None:
        """Load MediaPipe.

        Args:
            smooth: Let MediaPipe smooth the body's landmarks in time.

        Raises:
            MissingExtraError: The package `mediapipe` is not installed, or is a newer
                one, which has no Holistic.
        """
        try:
            version("mediapipe")
            solution = import_module("mediapipe.python.solutions.holistic")
        except (ImportError, PackageNotFoundError) as error:
            raise MissingExtraError("MediaPipe's landmarker", "mediapipe") from error
        self._solution: Any = solution
        self._smooth = smooth
        self._holistic: Any = None
        self.reset()

    def detect(self, frame: Frame) -> PersonLandmarks:
        """Return what is in `frame`; `PersonLandmarks.is_empty` if nobody is.

        Raises:
            SourceError: The picture has no pixels.
        """
        image = pixels_of(frame)
        height, width = image.shape[:2]
        found = self._holistic.process(image)
        scale = np.array([width, height, width], np.float32)
        return PersonLandmarks(
            pose=_pose(found, scale),
            left_hand=_hand(found.left_hand_landmarks, scale),
            right_hand=_hand(found.right_hand_landmarks, scale),
            face=_face(found.face_landmarks, scale),
        )

    def reset(self) -> None:
        """Forget the person: the next frame is looked at afresh."""
        self.close()
        self._holistic = self._solution.Holistic(
            model_complexity=1, smooth_landmarks=self._smooth
        )

    def close(self) -> None:
        """Free what the models hold."""
        if self._holistic is not None:
            self._holistic.close()
            self._holistic = None


def _points(landmarks: Any) -> Float32:
    return np.array([[p.x, p.y, p.z] for p in landmarks.landmark], np.float32)


def _pose(found: Any, scale: Float32) -> PoseLandmarks | None:
    if not found.pose_landmarks:
        return None
    landmarks = found.pose_landmarks.landmark
    visibility = np.array([p.visibility for p in landmarks], np.float32)
    return PoseLandmarks(
        image=_points(found.pose_landmarks) * scale,
        world=_points(found.pose_world_landmarks),
        visibility=visibility,
        # Holistic hands out no presence; what is visible is present.
        presence=visibility.copy(),
        score=1.0,
    )


def _hand(landmarks: Any, scale: Float32) -> HandLandmarks | None:
    if not landmarks:
        return None
    image = _points(landmarks) * scale
    return HandLandmarks(image=image, world=_as_metres(image), score=1.0)


def _as_metres(image: Float32) -> Float32:
    """Return the hand in metres, judged by the length of an average palm."""
    palm = np.linalg.norm(image[9] - image[0])
    metres = image * (_PALM_M / max(float(palm), 1e-6))
    return np.asarray(metres - metres.mean(axis=0), np.float32)


def _face(landmarks: Any, scale: Float32) -> FaceLandmarks | None:
    if not landmarks:
        return None
    return FaceLandmarks(image=_points(landmarks)[:_FACE_POINTS] * scale, score=1.0)
