"""Networks as they are exported: named inputs, named outputs, nothing hidden."""

import torch
from torch import Tensor, nn

from pixie_runtime.bundle import TensorSpec
from pixie_train.networks.landmark_inputs import FACE_POINTS, LandmarkBatch
from pixie_train.networks.landmark_pixie import LandmarkPixie, to_camera


def _float32(name: str, shape: tuple[int, ...], meaning: str) -> TensorSpec:
    return TensorSpec(name, ("batch", *shape), "float32", meaning)


LANDMARK_INPUTS = (
    _float32("pose_rays", (33, 3), "body landmarks: (x-cx)/f, (y-cy)/f, z/f in pixels"),
    _float32(
        "pose_world", (33, 3), "body landmarks, metres, camera axes, from mid-hip"
    ),
    _float32("pose_visibility", (33,), "in [0, 1]"),
    _float32("hand_rays", (2, 21, 3), "left and right hand, as pose_rays"),
    _float32("hand_world", (2, 21, 3), "left and right hand, metres, camera axes"),
    _float32("face_rays", (468, 3), "face mesh, as pose_rays"),
    _float32("present", (4,), "1 or 0: body, left hand, right hand, face were seen"),
)


def landmark_outputs(n_betas: int, n_expression: int) -> tuple[TensorSpec, ...]:
    """Return the outputs of `LandmarkGraph`."""
    return (
        _float32(
            "rotations",
            (55, 3, 3),
            "SMPL-X joints; root in camera axes, others relative",
        ),
        _float32("betas", (n_betas,), "shape, standard deviations"),
        _float32("expression", (n_expression,), "expression, standard deviations"),
        _float32(
            "moderator_weights", (3,), "weight of the expert: head, left, right hand"
        ),
    )


class LandmarkGraph(nn.Module):
    """The landmark variant from rays to parent-relative SMPL-X rotations."""

    def __init__(self, network: LandmarkPixie) -> None:
        super().__init__()
        self.network = network
        face_points = torch.tensor(FACE_POINTS)
        self.register_buffer("face_points", face_points, persistent=False)

    def forward(
        self,
        pose_rays: Tensor,
        pose_world: Tensor,
        pose_visibility: Tensor,
        hand_rays: Tensor,
        hand_world: Tensor,
        face_rays: Tensor,
        present: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return rotations, betas, expression, moderator weights of a batch."""
        output = self.network(
            LandmarkBatch(
                pose_rays=pose_rays,
                pose_world=pose_world,
                pose_visibility=pose_visibility,
                hand_rays=hand_rays,
                hand_world=hand_world,
                face_rays=face_rays.index_select(1, self.get_buffer("face_points")),
                present=present,
            )
        )
        # Real faces differ from the synthetic ones by more than shape coefficients
        # mean: those seen with a face came out several deviations from the mean.
        betas = output.pixie.body_only.head["shape"]
        return (
            to_camera(output.params, output.inputs),
            betas,
            output.params.expression,
            output.pixie.part_weights,
        )
