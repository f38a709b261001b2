"""Regressors' vectors of two random people."""

import torch
from torch import Tensor

from pixie_train.networks.pixie import RawParams
from pixie_train.rotations import matrix_to_6d
from tests.train.losses.samples import N_BETAS, N_EXPRESSION, turns


def raw_people(seed: int = 0) -> RawParams:
    """Return whole people as the regressors would have them."""
    g = torch.Generator().manual_seed(seed)
    return RawParams(
        body={
            "body_cam": torch.rand(2, 3, generator=g) + 0.5,
            "global_pose": _six(g, 2, 1),
            "partbody_pose": _six(g, 2, 17),
            "neck_pose": _six(g, 2, 1),
        },
        head={
            "shape": torch.randn(2, N_BETAS, generator=g),
            "exp": torch.randn(2, N_EXPRESSION, generator=g),
            "head_pose": _six(g, 2, 1),
            "jaw_pose": 0.2 * torch.randn(2, 3, generator=g),
        },
        hands={
            "right_wrist_pose": _six(g, 2, 2, 1),
            "right_hand_pose": _six(g, 2, 2, 15),
        },
    )


def head_own(seed: int = 0) -> dict[str, Tensor]:
    """Return camera, texture and light of two heads."""
    g = torch.Generator().manual_seed(seed)
    return {
        "head_cam": torch.rand(2, 3, generator=g) + 0.5,
        "tex": torch.randn(2, 5, generator=g),
        "light": torch.randn(2, 27, generator=g),
    }


def _six(generator: torch.Generator, *shape: int) -> Tensor:
    return matrix_to_6d(turns(generator, *shape)).flatten(-2)
