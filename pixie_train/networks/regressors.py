"""Regressors: features to named parameter vectors, one shot, no mean, no iteration."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from pixie_train.networks.mlp import Mlp

BODY_OUTPUTS = {
    "body_cam": 3,
    "global_pose": 6,
    "partbody_pose": 17 * 6,
    "neck_pose": 6,
}
"""R_b: weak-perspective camera, root, and joints 1-11, 13, 14, 16-19, in 6D."""

HAND_OUTPUTS = {"right_wrist_pose": 6, "right_hand_pose": 15 * 6}
"""R_h: absolute wrist and the fingers of a right hand (left ones come mirrored)."""


def head_outputs(n_betas: int, n_expression: int) -> dict[str, int]:
    """R_f: shape, expression, absolute head rotation (6D), jaw (Euler angles)."""
    return {"shape": n_betas, "exp": n_expression, "head_pose": 6, "jaw_pose": 3}


HAND_OWN_OUTPUTS = {"hand_cam": 3}
"""R_h alone: the weak-perspective camera of the hand's picture."""


def head_own_outputs(n_texture: int) -> dict[str, int]:
    """R_f alone: camera of the head's picture, albedo, spherical harmonics light."""
    return {"head_cam": 3, "tex": n_texture, "light": 27}


class Regressor(nn.Module):
    """An MLP whose output vector is split into named parameters."""

    def __init__(
        self, inputs: int, widths: Sequence[int], outputs: Mapping[str, int]
    ) -> None:
        super().__init__()
        self.outputs = dict(outputs)
        self.layers = Mlp([inputs, *widths, sum(outputs.values())]).layers
        self._start_at_rest()

    def _start_at_rest(self) -> None:
        """Let 6D outputs begin at the identity, the rest at zero: a sane first step."""
        last = self.layers[-1]
        assert isinstance(last, nn.Linear)
        nn.init.normal_(last.weight, std=0.01)
        nn.init.zeros_(last.bias)
        start = 0
        for name, size in self.outputs.items():
            if size % 6 == 0 and name.endswith("_pose"):
                last.bias.data[start : start + size : 6] = 1.0
                last.bias.data[start + 3 : start + size : 6] = 1.0
            start += size

    def forward(self, feature: Tensor) -> dict[str, Tensor]:
        """Map features (..., D) to their parameters, each (..., size)."""
        vector = self.layers(feature)
        parts = vector.split(list(self.outputs.values()), dim=-1)
        return dict(zip(self.outputs, parts, strict=True))
