"""The models that are shipped, and what their tensors mean to us."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Output:
    """One tensor that we want of a model."""

    source: str
    """Its name in the TFLite file."""
    name: str
    """Its name in ours."""
    shape: tuple[int, ...]
    """Its shape in ours, without the batch."""
    channels_first: bool = False
    """Leave a picture (C, H, W), as it was computed."""


@dataclass(frozen=True, slots=True)
class LandmarkModel:
    """One model: where it comes from and what we ask of it."""

    name: str
    source: str
    """Path inside the `mediapipe` wheel."""
    pixel_range: tuple[float, float]
    """What 0 and 255 become at the network's input."""
    outputs: tuple[Output, ...]
    batched: bool = False
    """Whether several crops may go through at once."""


_MODULES = "mediapipe/modules"

MODELS = (
    LandmarkModel(
        "pose_detection",
        f"{_MODULES}/pose_detection/pose_detection.tflite",
        (-1.0, 1.0),
        (
            Output("Identity", "boxes", (2254, 12)),
            Output("Identity_1", "logits", (2254, 1)),
        ),
    ),
    LandmarkModel(
        "pose_landmark_full",
        f"{_MODULES}/pose_landmark/pose_landmark_full.tflite",
        (0.0, 1.0),
        (
            Output("Identity", "landmarks", (39, 5)),
            Output("Identity_1", "score", (1,)),
            Output("Identity_3", "heatmaps", (39, 64, 64), channels_first=True),
            Output("Identity_4", "world", (39, 3)),
        ),
    ),
    LandmarkModel(
        "palm_detection_full",
        f"{_MODULES}/palm_detection/palm_detection_full.tflite",
        (0.0, 1.0),
        (
            Output("Identity", "boxes", (2016, 18)),
            Output("Identity_1", "logits", (2016, 1)),
        ),
    ),
    LandmarkModel(
        "hand_recrop",
        f"{_MODULES}/holistic_landmark/hand_recrop.tflite",
        (0.0, 1.0),
        (Output("output_crop", "points", (2, 2)),),
        batched=True,
    ),
    LandmarkModel(
        "hand_landmark_full",
        f"{_MODULES}/hand_landmark/hand_landmark_full.tflite",
        (0.0, 1.0),
        (
            Output("Identity", "landmarks", (21, 3)),
            Output("Identity_1", "score", (1,)),
            Output("Identity_2", "handedness", (1,)),
            Output("Identity_3", "world", (21, 3)),
        ),
        batched=True,
    ),
    LandmarkModel(
        "face_detection_short_range",
        f"{_MODULES}/face_detection/face_detection_short_range.tflite",
        (-1.0, 1.0),
        (
            Output("regressors", "boxes", (896, 16)),
            Output("classificators", "logits", (896, 1)),
        ),
    ),
    LandmarkModel(
        "face_landmark",
        f"{_MODULES}/face_landmark/face_landmark.tflite",
        (0.0, 1.0),
        (
            Output("conv2d_21", "landmarks", (468, 3)),
            Output("conv2d_31", "logit", (1,)),
        ),
    ),
    LandmarkModel(
        "iris_landmark",
        f"{_MODULES}/iris_landmark/iris_landmark.tflite",
        (0.0, 1.0),
        (
            Output("output_eyes_contours_and_brows", "contour", (71, 3)),
            Output("output_iris", "iris", (5, 3)),
        ),
        batched=True,
    ),
)
"""MediaPipe's published models, Apache-2.0."""

OUTLINE_OF = "pose_landmark_full"
"""The model that has one more output, which nothing live needs."""
OUTLINE = Output("Identity_2", "outline", (256, 256))
"""Logits of each pixel's being the person's."""
