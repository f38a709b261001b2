"""The skeleton of a person whose body model is not at hand."""

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.smplx import JOINT_COUNT, PARENTS
from pixie_runtime.types import Float32, Person


def rest_offsets(person: Person) -> Float32:
    """Return each joint's rest position relative to its parent's, (55, 3), metres.

    Found by turning the posed bones back, so that no body model is needed; body axes.
    The pelvis' row is its rest position, which `transl` is added to.
    """
    wxyz = person.params.rotations.astype(np.float64)
    joints = person.joints.astype(np.float64)
    turns = np.zeros((JOINT_COUNT, 4))
    offsets = np.zeros((JOINT_COUNT, 3))
    turns[0], offsets[0] = wxyz[0], joints[0] - person.params.transl
    for joint, parent in enumerate(PARENTS[1:], start=1):
        bone = joints[joint] - joints[parent]
        offsets[joint] = rotations.apply(rotations.inverse(turns[parent]), bone)
        turns[joint] = rotations.multiply(turns[parent], wxyz[joint])
    return offsets.astype(np.float32)
