"""Faces in the words of receivers: ARKit's 52 units, VRM's expressions.

    face_map = FaceMap.of(model, n_expression)
    weights = face_map.weights(person)      # (52,), in the order of ARKIT_NAMES
    vrm.vrm1(weights)                       # {"aa": 0.4, "blinkLeft": 0.0, ...}

`docs/face.md` says what is exact, what is fitted and what is not estimated.
"""

from pixie_runtime.face.angles import FaceAngles, Turn, head_place, head_rotation
from pixie_runtime.face.arkit import ARKIT_INDEX, ARKIT_NAMES, pascal_case
from pixie_runtime.face.mapping import FaceMap

__all__ = [
    "ARKIT_INDEX",
    "ARKIT_NAMES",
    "FaceAngles",
    "FaceMap",
    "Turn",
    "head_place",
    "head_rotation",
    "pascal_case",
]
