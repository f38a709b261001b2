"""The skeleton of a person whose body model is not at hand."""

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.smplx import GENERATIONS, PARENTS
from pixie_runtime.types import Float32, Person

_PARENTS = np.array(PARENTS)
_GENERATIONS = tuple(np.array(joints) for joints in GENERATIONS)


def rest_offsets(person: Person) -> Float32:
    """Return each joint's rest position relative to its parent's, (55, 3), metres.

    Found by turning the posed bones back, so that no body model is needed; body axes.
    The pelvis' row is its rest position, which `transl` is added to.
    """
    world = rotations.to_matrix(person.params.rotations.astype(np.float64))
    for joints in _GENERATIONS:
        world[joints] = world[_PARENTS[joints]] @ world[joints]
    offsets = person.joints.astype(np.float64)
    offsets[1:] -= offsets[_PARENTS[1:]]
    offsets[0] -= person.params.transl
    offsets[1:] = np.einsum("jba,jb->ja", world[_PARENTS[1:]], offsets[1:])
    return offsets.astype(np.float32)
