"""Bodies for tests: a man who stands, walks on the spot and turns."""

import numpy as np

from pixie_runtime.types import Float32, PoseLandmarks


def _standing() -> Float32:
    """(33, 3) metres from mid-hip, camera axes, facing the camera."""
    body = np.zeros((33, 3), np.float32)
    body[:11] = (0, -0.62, -0.1)
    body[[7, 3]] += (0.07, 0, 0.05)
    body[[8, 6]] += (-0.07, 0, 0.05)
    for offset, side in ((0, 1), (1, -1)):
        body[11 + offset] = (0.18 * side, -0.45, 0)
        body[13 + offset] = (0.28 * side, -0.2, 0)
        body[[15, 17, 19, 21][0] + offset] = (0.33 * side, 0.05, -0.1)
        for hand in (17, 19, 21):
            body[hand + offset] = (0.34 * side, 0.12, -0.12)
        body[23 + offset] = (0.1 * side, 0, 0)
        body[25 + offset] = (0.11 * side, 0.4, -0.03)
        body[27 + offset] = (0.11 * side, 0.8, 0.02)
        body[29 + offset] = (0.11 * side, 0.84, 0.05)
        body[31 + offset] = (0.12 * side, 0.86, -0.12)
    return body


def body_at(time_s: float, *, turn: float = 0.0) -> PoseLandmarks:
    """Return the man at a moment, turned by `turn` radians from the camera."""
    body = _standing()
    swing = 0.12 * np.sin(2 * np.pi * time_s)
    body[[15, 17, 19, 21], 2] -= swing
    body[[16, 18, 20, 22], 2] += swing
    body[[25, 27], 1] -= abs(swing)
    c, s = np.cos(turn), np.sin(turn)
    world = body @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]], np.float32)
    image = world * np.float32(400) + np.array([320, 400, 0], np.float32)
    seen = np.full(33, 0.9, np.float32)
    return PoseLandmarks(
        image=image.astype(np.float32),
        world=world.astype(np.float32),
        visibility=seen,
        presence=seen,
        score=1.0,
    )
