"""The body that an exported take is compared with: the body model itself, posed."""

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.body import BodyModel, PosedBody
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.takes.take import Take


def body_of_one_shape(take: Take, row: int, model: BodyModel) -> PosedBody:
    """Pose the take's one shape in the take's y-up world, pelvis where it was."""
    shaped = model.shaped(take.betas, take.expression[row])
    wxyz = rotations.from_rotvec(take.poses[row].reshape(JOINT_COUNT, 3))
    pelvis = take.world_joints()[row, 0]
    return shaped.posed(wxyz, np.asarray(pelvis - shaped.joints[0], np.float32))
