"""The SMPL-X body on tensors: joints, chosen points and the surface, differentiable.

    surface = TorchSurface(model, n_betas=200, n_expression=50)
    output = surface(betas, expression, R)
    output.vertices, output.joints

`TorchBody` is its skeleton alone, and `FacePoints` what training needs of the face. The
values are those of `pixie_runtime.body` (spec: pixie-network, section 7): linear blend
skinning as in SMPL-X, no mean hand pose, no pelvis centring.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import ModelFileError
from pixie_runtime.smplx import JAW, JOINT_COUNT, JOINT_INDEX, PARENTS
from pixie_runtime.types import Float32

_HEAD = JOINT_INDEX["head"]
_ABOVE_ROOT = JOINT_COUNT
"""A place above the pelvis that never moves and is its own parent."""


def _ancestors() -> list[list[int]]:
    """Return each place's ancestor 1, 2, 4, ... steps up, as far as there are any.

    Every list has 56 entries: the joints, then the place above the root.
    """
    up = [_ABOVE_ROOT if parent < 0 else parent for parent in PARENTS] + [_ABOVE_ROOT]
    doublings = []
    while any(place != _ABOVE_ROOT for place in up):
        doublings.append(up)
        up = [up[place] for place in up]
    return doublings


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
    """Shape and skeleton of one body model file."""

    def __init__(
        self, model: BodyModel, *, n_betas: int, n_expression: int | None = None
    ) -> None:
        """Take the first `n_betas` and `n_expression` (None: all) coefficients.

        Raises:
            ModelFileError: the model has fewer.
        """
        super().__init__()
        self.n_betas = n_betas
        self.n_expression = model.n_expression if n_expression is None else n_expression
        _require_coefficients(model, self.n_betas, self.n_expression)
        fields = [
            model.J_shapedirs[..., :n_betas].T,
            model.J_expressiondirs[..., : self.n_expression].T,
        ]
        parents = [max(parent, 0) for parent in PARENTS]
        _constant(self, "J_template", model.J_template.T)
        _constant(self, "J_dirs", _rows(fields))
        _constant(self, "parents", np.array(parents))
        _constant(self, "ancestors", np.array(_ancestors()))
        _constant(self, "eye", np.eye(3)[None, None])

    def rest_joints(self, betas: Tensor, expression: Tensor | None = None) -> Tensor:
        """Return rest joints (B, 55, 3), metres, body frame.

        Args:
            betas: (B, n_betas).
            expression: (B, n_expression), which moves the jaw and the eyes a little;
                None: a neutral face.
        """
        template, dirs = self.get_buffer("J_template"), self.get_buffer("J_dirs")
        if expression is None:
            coefficients, dirs = betas, dirs[: self.n_betas]
        else:
            coefficients = torch.cat([betas, expression], dim=1)
        moved = (coefficients @ dirs).reshape(-1, *template.shape)
        return (template + moved).transpose(1, 2)

    def pose(self, rest_joints: Tensor, R: Tensor) -> PosedSkeleton:
        """Pose a skeleton.

        Transforms are accumulated by doubling: each joint takes in its next ancestor,
        then the next two, four and eight, four products for the whole tree.

        Args:
            rest_joints: (B, 55, 3) metres.
            R: (B, 55, 3, 3); row 0 absolute, the others relative to the parent.
        """
        bones = rest_joints - rest_joints.index_select(1, self.get_buffer("parents"))
        still = self.get_buffer("eye").expand(R.shape[0], 1, 3, 3)
        turned = torch.cat([R, still], dim=1)
        placed = torch.cat([bones, torch.zeros_like(bones[:, :1])], dim=1)
        for up in self.get_buffer("ancestors").unbind():
            R_up = turned.index_select(1, up)
            step = (R_up @ placed[..., None])[..., 0]
            placed = placed.index_select(1, up) + step
            turned = R_up @ turned
        return PosedSkeleton(placed[:, :JOINT_COUNT], turned[:, :JOINT_COUNT])


@dataclass(frozen=True, eq=False)
class SurfaceOutput:
    """Posed bodies of a batch, metres, in the frame that the root rotations lead to."""

    vertices: Tensor
    """(B, S, 3), the chosen vertices in the order in which they were chosen."""
    joints: Tensor
    """(B, 55, 3)."""
    R_root_joint: Tensor
    """(B, 55, 3, 3), accumulated rotations, the root's included."""


class TorchSurface(nn.Module):
    """The skinned surface of one body model file, or chosen vertices of it.

    Like the official release and the smplx package with `flat_hand_mean=True`: the root
    turns the body about its rest pelvis, which stays where it is.
    """

    def __init__(
        self,
        model: BodyModel,
        *,
        n_betas: int,
        n_expression: int,
        vertices: Sequence[int] | None = None,
    ) -> None:
        """Take the first coefficients of `model`, and only `vertices` where given.

        Raises:
            ModelFileError: the model has fewer coefficients.
        """
        super().__init__()
        self.skeleton = TorchBody(model, n_betas=n_betas, n_expression=n_expression)
        chosen = slice(None) if vertices is None else np.asarray(vertices, np.intp)
        fields = [
            model.shape_field[:n_betas, :, chosen],
            model.expression_field.dense()[:n_expression, :, chosen],
            *(field.dense()[:, :, chosen] for field in model.pose_fields),
        ]
        # Coordinates come first and vertices last, as everywhere in the sums below:
        # then each of them runs over the vertices in one sweep.
        _constant(self, "template", model.v_template[chosen].T)
        _constant(self, "dirs", _rows(fields))
        _constant(self, "weights_by_joint", model.weights_by_joint[:, chosen])

    def forward(
        self,
        betas: Tensor,
        expression: Tensor,
        R: Tensor,
        transl: Tensor | None = None,
    ) -> SurfaceOutput:
        """Pose the bodies.

        Args:
            betas: (B, n_betas).
            expression: (B, n_expression).
            R: (B, 55, 3, 3); row 0 absolute, the others relative to the parent.
            transl: added to every point, (B, 3), metres; None: nothing.
        """
        rest_joints = self.skeleton.rest_joints(betas, expression)
        skeleton = self.skeleton.pose(rest_joints, R)
        origin = rest_joints[:, :1]
        if transl is not None:
            origin = origin + transl[:, None]
        joints, turned = skeleton.joints + origin, skeleton.R_root_joint
        # Each joint's motion from the rest pose: x -> turned x + moved.
        moved = joints - (turned @ rest_joints[..., None])[..., 0]
        vertices = self._skin(self._rest(betas, expression, R), turned, moved)
        return SurfaceOutput(vertices, joints, turned)

    def _rest(self, betas: Tensor, expression: Tensor, R: Tensor) -> Tensor:
        """Return vertices (B, 3, S) before skinning, pose correctives included."""
        feature = (R - self.skeleton.get_buffer("eye"))[:, 1:].flatten(1)
        coefficients = torch.cat([betas, expression, feature], dim=1)
        template = self.get_buffer("template")
        moved: Tensor = coefficients @ self.get_buffer("dirs")
        return template + moved.reshape(-1, *template.shape)

    def _skin(self, rest: Tensor, turned: Tensor, moved: Tensor) -> Tensor:
        """Return posed vertices (B, S, 3) by linear blend skinning.

        Args:
            rest: (B, 3, S).
            turned: each joint's rotation from the rest pose, (B, 55, 3, 3).
            moved: and its translation, (B, 55, 3).
        """
        weights = self.get_buffer("weights_by_joint")
        motion = torch.cat([turned, moved[..., None]], dim=-1)
        blended = motion.flatten(2).transpose(1, 2) @ weights
        blended = blended.reshape(-1, 3, 4, rest.shape[-1])
        posed = (blended[:, :, :3] * rest[:, None]).sum(2) + blended[:, :, 3]
        return posed.transpose(1, 2)


def _constant(module: nn.Module, name: str, array: np.ndarray) -> None:
    """Give `module` a buffer that no checkpoint needs to hold."""
    kind = np.int64 if array.dtype.kind in "iu" else np.float32
    tensor = torch.from_numpy(np.array(array, kind))
    module.register_buffer(name, tensor, persistent=False)


def _rows(fields: Sequence[Float32]) -> Float32:
    """Stack displacement fields (k, 3, S) into one matrix (sum of k, 3 S)."""
    return np.concatenate([field.reshape(len(field), -1) for field in fields])


def _require_coefficients(model: BodyModel, n_betas: int, n_expression: int) -> None:
    if model.n_betas < n_betas or model.n_expression < n_expression:
        raise ModelFileError(
            f"the body model {model.name} has {model.n_betas} shape and "
            f"{model.n_expression} expression coefficients, but the network speaks "
            f"{n_betas} and {n_expression}; use the file that it was trained with "
            "(SMPLX_NEUTRAL_2020.npz for the official weights)"
        )


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
