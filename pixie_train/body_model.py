"""The SMPL-X body on tensors: joints and chosen points, batched and differentiable.

Training needs joints and some hundred points, never the whole surface, so only those
are posed. The maths is that of `pixie_runtime.body` (spec: pixie-network, section 7).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JAW, JOINT_COUNT, JOINT_INDEX, PARENTS

_HEAD = JOINT_INDEX["head"]


def _levels() -> list[list[int]]:
    """Return the joints by their depth in the tree, the pelvis first."""
    depth = [0] * JOINT_COUNT
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            depth[joint] = depth[parent] + 1
    return [
        [joint for joint in range(JOINT_COUNT) if depth[joint] == level]
        for level in range(max(depth) + 1)
    ]


@dataclass(frozen=True, eq=False)
class PosedSkeleton:
    """Joints of a batch in the frame of the root rotation's target, metres."""

    joints: Tensor
    """(B, 55, 3), the pelvis at the origin."""
    R_root_joint: Tensor
    """(B, 55, 3, 3), accumulated rotations."""

    def attached(self, joint: Tensor, offset: Tensor) -> Tensor:
        """Return points (B, P, 3) rigidly fixed to joints.

        Args:
            joint: joint numbers, (P,).
            offset: rest offsets from those joints, (P, 3) or (B, P, 3), metres.
        """
        turned = self.R_root_joint[:, joint] @ offset[..., None]
        return self.joints[:, joint] + turned[..., 0]


class TorchBody(nn.Module):
    """Shape, skeleton and face points of one body model file."""

    def __init__(self, model: BodyModel, *, n_betas: int) -> None:
        super().__init__()
        self.n_betas = n_betas
        self.n_expression = model.n_expression
        self._constant("J_template", model.J_template)
        self._constant("J_shapedirs", model.J_shapedirs[..., :n_betas])
        order = [joint for level in _levels() for joint in level]
        position = {joint: i for i, joint in enumerate(order)}
        self.back = [position[joint] for joint in range(JOINT_COUNT)]
        self.levels = [
            (level, [position[PARENTS[joint]] for joint in level])
            for level in _levels()[1:]
        ]

    def _constant(self, name: str, array: np.ndarray) -> None:
        tensor = torch.from_numpy(np.array(array, np.float32))
        self.register_buffer(name, tensor, persistent=False)

    def rest_joints(self, betas: Tensor) -> Tensor:
        """Return rest joints (B, 55, 3) of shapes (B, n_betas)."""
        template = self.get_buffer("J_template")
        return template + torch.einsum(
            "bk,jck->bjc", betas, self.get_buffer("J_shapedirs")
        )

    def pose(self, rest_joints: Tensor, R: Tensor) -> PosedSkeleton:
        """Pose a skeleton.

        Args:
            rest_joints: (B, 55, 3) metres.
            R: (B, 55, 3, 3); row 0 absolute, the others relative to the parent.
        """
        parents = [max(parent, 0) for parent in PARENTS]
        bones = rest_joints - rest_joints[:, parents]
        turned = R[:, :1]
        placed = torch.zeros_like(bones[:, :1])
        for level, parent_position in self.levels:
            R_parent = turned[:, parent_position]
            step = (R_parent @ bones[:, level, :, None])[..., 0]
            placed = torch.cat([placed, placed[:, parent_position] + step], dim=1)
            turned = torch.cat([turned, R_parent @ R[:, level]], dim=1)
        return PosedSkeleton(placed[:, self.back], turned[:, self.back])


class FacePoints(nn.Module):
    """Chosen points of the face mesh, in the head joint's rest frame.

    They follow shape, expression and the jaw (with its pose corrective); everything
    else on the head moves with the head as a whole.
    """

    def __init__(self, model: BodyModel, points: list[int], *, n_betas: int) -> None:
        super().__init__()
        faces_idx, bary = model.mediapipe468_faces_idx, model.mediapipe468_bary_coords
        if faces_idx is None or bary is None:
            raise ValueError(f"{model.name} has no embedding of MediaPipe's face mesh")
        corners = model.faces[faces_idx[points]]
        weights = np.asarray(bary[points], np.float32)

        def on_face(array: np.ndarray) -> Tensor:
            mixed = np.einsum("pk,pk...->p...", weights, array[corners])
            return torch.from_numpy(np.array(mixed, np.float32))

        columns = slice((JAW - 1) * 9, JAW * 9)
        jaw_weight = on_face(model.weights[:, JAW])
        # The tail of a joint's 9 features is its own rotation matrix minus identity.
        constants = {
            "template": on_face(model.v_template)
            - torch.from_numpy(model.J_template[_HEAD].copy()),
            "shapedirs": on_face(model.shapedirs[..., :n_betas]),
            "head_shapedirs": torch.from_numpy(
                model.J_shapedirs[_HEAD, :, :n_betas].copy()
            ),
            "expressiondirs": on_face(model.expressiondirs),
            "jawdirs": on_face(model.posedirs[..., columns]),
            "jaw_weight": jaw_weight,
        }
        for name, tensor in constants.items():
            self.register_buffer(name, tensor, persistent=False)

    def forward(
        self, betas: Tensor, expression: Tensor, R_jaw: Tensor, head_to_jaw: Tensor
    ) -> Tensor:
        """Return the points (B, P, 3), metres from the head joint, rest axes.

        Args:
            betas: (B, n_betas).
            expression: (B, n_expression).
            R_jaw: the jaw's rotation, (B, 3, 3).
            head_to_jaw: rest offset of the jaw from the head joint, (B, 3).
        """
        shapedirs = self.get_buffer("shapedirs") - self.get_buffer("head_shapedirs")
        eye = torch.eye(3, device=R_jaw.device)
        rest = (
            self.get_buffer("template")
            + torch.einsum("bk,pck->bpc", betas, shapedirs)
            + torch.einsum("bk,pck->bpc", expression, self.get_buffer("expressiondirs"))
            + torch.einsum(
                "bk,pck->bpc", (R_jaw - eye).flatten(1), self.get_buffer("jawdirs")
            )
        )
        pivot = head_to_jaw[:, None]
        turned = (rest - pivot) @ R_jaw.transpose(-1, -2) + pivot
        weight = self.get_buffer("jaw_weight")[:, None]
        return rest + weight * (turned - rest)
