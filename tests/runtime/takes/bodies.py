"""The body that an exported take is compared with: the body model itself, posed."""

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from pixie_runtime import rotations
from pixie_runtime.body import BodyModel, PosedBody
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.takes.take import Take
from pixie_runtime.types import Float32


def body_of_one_shape(take: Take, row: int, model: BodyModel) -> PosedBody:
    """Pose the take's one shape in the take's y-up world, pelvis where it was."""
    shaped = model.shaped(take.betas, take.expression[row])
    wxyz = rotations.from_rotvec(take.poses[row].reshape(JOINT_COUNT, 3))
    pelvis = take.world_joints()[row, 0]
    return shaped.posed(wxyz, np.asarray(pelvis - shaped.joints[0], np.float32))


def sources(rest: Float32, take: Take, model: BodyModel) -> npt.NDArray[np.intp]:
    """Return the number of the model's vertex at each of a file's in rest, (n, 3)."""
    ours = model.shaped(take.betas, np.zeros(0, np.float32)).vertices()
    distance, number = KDTree(ours).query(rest)
    assert distance.max() < 1e-6
    return np.asarray(number, np.intp)
