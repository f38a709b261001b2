"""Somebody of our embedded body who stands on a floor before a tilted camera."""

import numpy as np

from pixie_runtime import rotations as rot
from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.types import (
    Camera,
    Float32,
    Float64,
    PartConfidence,
    Person,
    SmplxParams,
    StageTimes,
)

SURE = PartConfidence(1.0, 1.0, 1.0, 1.0)
CAMERA_HEIGHT_M = 1.4
DOWN_DEG = 12.0
"""How far the camera looks down."""


def up_in_camera() -> Float64:
    """Return which way is up, (3,), camera frame: x right, y down, z forward."""
    tilt = np.radians(DOWN_DEG)
    return np.array([0.0, -np.cos(tilt), -np.sin(tilt)])


def standing(
    model: BodyModel,
    betas: Float32,
    *,
    time_s: float = 0.0,
    bends: dict[str, tuple[float, float, float]] | None = None,
    confidence: PartConfidence = SURE,
    track_id: int = 0,
    distance_m: float = 3.0,
) -> Person:
    """Return the body, soles on the floor; in a T unless `bends` (rotvecs) say more."""
    tilt = np.radians(DOWN_DEG)
    # Half a turn about x makes y-down of y-up; then the camera's own tilt.
    root = (np.pi + tilt, 0.0, 0.0)
    rest = SmplxParams.rest(model.n_betas, model.n_expression)
    rotations = rest.rotations.copy()
    for name, rotvec in {"pelvis": root, **(bends or {})}.items():
        rotations[JOINT_INDEX[name]] = rot.from_rotvec(np.array(rotvec))
    shaped = model.shaped(betas, rest.expression)
    up = up_in_camera()
    heights = shaped.posed(rotations, np.zeros(3, np.float32)).vertices() @ up
    forward = np.cross(up, [1.0, 0.0, 0.0])
    below_m = CAMERA_HEIGHT_M + float(heights.min())
    transl: Float32 = (distance_m * forward - below_m * up).astype(np.float32)
    return Person(
        track_id=track_id,
        frame_index=round(time_s * 30),
        timestamp_s=time_s,
        params=SmplxParams(betas, rest.expression, rotations, transl),
        joints=shaped.posed(rotations, transl).joints,
        confidence=confidence,
        camera=Camera.with_field_of_view(1280, 720, 60),
        times=StageTimes(1),
    )
