"""The skeleton of a person whose body model is not at hand."""

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations
from pixie_runtime.smplx import GENERATIONS, PARENTS
from pixie_runtime.types import Float32, Float64, Person

_PARENTS = np.array(PARENTS)
_GENERATIONS = tuple(np.array(joints) for joints in GENERATIONS)

Numbers = npt.NDArray[np.floating]


def rest_offsets(person: Person) -> Float32:
    """Return each joint's rest position relative to its parent's, (55, 3), metres.

    Found by turning the posed bones back, so that no body model is needed; body axes.
    The pelvis' row is its rest position, which `transl` is added to.
    """
    params = person.params
    offsets = unposed(params.rotations, person.joints, params.transl)
    return offsets.astype(np.float32)


def unposed(wxyz: Numbers, joints: Numbers, transl: Numbers) -> Float64:
    """Turn posed bones back.

    Args:
        wxyz: Rotations (..., 55, 4), each relative to its parent.
        joints: Posed joints (..., 55, 3), in the axes that the pelvis is turned to.
        transl: What was added to every joint, (..., 3).

    Returns:
        Each joint's rest position relative to its parent's, (..., 55, 3); the pelvis'
        from the origin.
    """
    world = _world_rotations(wxyz)
    offsets = joints.astype(np.float64)
    offsets[..., 1:, :] -= joints[..., _PARENTS[1:], :]
    offsets[..., 0, :] -= transl
    back = world[..., _PARENTS[1:], :, :].swapaxes(-1, -2)
    offsets[..., 1:, :] = (back @ offsets[..., 1:, :, None])[..., 0]
    return offsets


def posed(wxyz: Numbers, offsets: Numbers, transl: Numbers) -> Float64:
    """Pose a skeleton: the inverse of `unposed`; returns joints (..., 55, 3)."""
    world = _world_rotations(wxyz)
    joints = offsets.astype(np.float64)
    turns = world[..., _PARENTS[1:], :, :]
    joints[..., 1:, :] = (turns @ joints[..., 1:, :, None])[..., 0]
    joints[..., 0, :] += transl
    for generation in _GENERATIONS:
        joints[..., generation, :] += joints[..., _PARENTS[generation], :]
    return joints


def _world_rotations(wxyz: Numbers) -> Float64:
    """Return what each joint turns to the axes of the pelvis, (..., 55, 3, 3)."""
    world = rotations.to_matrix(wxyz.astype(np.float64))
    for generation in _GENERATIONS:
        parents = world[..., _PARENTS[generation], :, :]
        world[..., generation, :, :] = parents @ world[..., generation, :, :]
    return np.asarray(world, np.float64)


def rest_positions(offsets: Float32) -> Float32:
    """Return where the joints are at rest, (55, 3), metres, from the pelvis.

    Args:
        offsets: Each joint's rest position relative to its parent's, (55, 3).
    """
    positions = offsets.copy()
    positions[0] = 0
    for joints in _GENERATIONS:
        positions[joints] += positions[_PARENTS[joints]]
    return positions
