"""The 22 extra key points for bodies that do not say where they are.

The release reads them from smplx_extra_joints.yaml. Without it the nearest thing the
model itself knows is taken: of the vertices that a joint moves most, the one that lies
farthest in a direction.
"""

import numpy as np

from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.types import Float32
from pixie_train.key_points import EXTRA_POINT_NAMES, SurfacePoints

_FARTHEST = {
    "big_toe": ("{side}_foot", (-0.3, -0.1, 1.0)),
    "small_toe": ("{side}_foot", (1.0, -0.3, 0.8)),
    "heel": ("{side}_ankle", (0.0, -1.0, -1.0)),
    "ear": ("head", (1.0, 0.0, 0.0)),
    "eye": ("{side}_eye_smplhf", (0.0, 0.0, 1.0)),
}
"""By point: the joint that moves it, and where it lies on the left of the body, in the
body frame (x to the person's left, y up, z to the front)."""
_NOSE_TIP = 13
"""iBUG's landmark 30, which is the 13th of the 51 inner ones."""


def extra_points(model: BodyModel, static: SurfacePoints) -> SurfacePoints:
    """Return the points in the order of `EXTRA_POINT_NAMES`.

    Args:
        model: the body.
        static: its 51 inner face landmarks, of which one is the nose.
    """
    points = SurfacePoints.at_vertices(
        [_vertex(model, name) for name in EXTRA_POINT_NAMES]
    )
    nose = EXTRA_POINT_NAMES.index("nose")
    points.corners[nose] = static.corners[_NOSE_TIP]
    points.weights[nose] = static.weights[_NOSE_TIP]
    return points


def _vertex(model: BodyModel, name: str) -> int:
    if name in {"head_top", "nose"}:
        return _extreme(model, JOINT_INDEX["head"], np.array([0, 1, 0], np.float32))
    side, _, point = name.partition("_")
    if point in _FARTHEST:
        joint, direction = _FARTHEST[point]
        outwards = np.array([1 if side == "left" else -1, 1, 1], np.float32)
        towards = np.array(direction, np.float32) * outwards
        return _extreme(model, JOINT_INDEX[joint.format(side=side)], towards)
    last, middle = (JOINT_INDEX[f"{side}_{point}{bone}"] for bone in (3, 2))
    return _extreme(model, last, model.J_template[last] - model.J_template[middle])


def _extreme(model: BodyModel, joint: int, direction: Float32) -> int:
    """Return the vertex farthest along `direction` of those that `joint` moves most."""
    own = np.flatnonzero(model.part == joint)
    if not len(own):
        distance = np.linalg.norm(model.v_template - model.J_template[joint], axis=1)
        return int(distance.argmin())
    return int(own[(model.v_template[own] @ direction).argmax()])
