"""How much a motion trembles."""

import numpy as np

from pixie_runtime.takes.take import Take


def jitter(take: Take) -> float:
    """Return the mean jerk of a take's joints in 10 m/s^3, as WHAM reports it.

    That is the third difference of their positions in the world times the cube of the
    frame rate, over ten: the take has to be even.
    """
    joints = take.joints.astype(np.float64)
    if len(joints) < 4:
        return 0.0
    jerk = np.linalg.norm(np.diff(joints, n=3, axis=0), axis=-1)
    return float(jerk.mean() * take.mocap_frame_rate**3 / 10)
