"""Where a run begins: upright people, or what experts have learned."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from pixie_runtime.errors import UsageError
from pixie_runtime.smplx import JOINT_COUNT
from pixie_train.key_points import FACE_POINTS, RIGHT_HAND_POINTS
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.networks.pixie import PixieCore
from pixie_train.networks.regressors import Regressor
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.state import load

_SCALE = 0.9
"""Half sides of the crop per metre: a standing person fills it."""
_PARTS = {
    "body": (
        "encode_body",
        "core.extract_head",
        "core.extract_left_hand",
        "core.extract_right_hand",
        "core.regress_body",
        "core.regress_head",
        "core.regress_hand",
    ),
    "head": ("encode_head", "core.regress_head", "core.regress_head_own"),
    "hand": ("encode_hand", "core.regress_hand", "core.regress_hand_own"),
}


@dataclass(frozen=True)
class Experts:
    """Runs to begin from; their averaged weights are taken.

    Body and parts share regressors: those of the parts' runs are taken where there are
    any, because their experts see more of a part.
    """

    body: Path | None = None
    """Run of the body's expert."""
    head: Path | None = None
    """Run of the head's."""
    hand: Path | None = None
    """Run of the hands'."""


@torch.no_grad()
def begin_upright(core: PixieCore, body: TrainingBody | None = None) -> None:
    """Let regressions begin at people who stand upright and look into the camera.

    Regressors begin at the identity, which in camera axes is upside down and looks away
    (y points down there).

    Args:
        core: whose regressors' last biases are set.
        body: what coefficients mean, where heads and hands are to begin in the middle
            of their crops: about the pelvis they are out of the picture, and a face
            that is not in it has no photometric loss. None: let them begin out there.
    """
    for regressor, turned in (
        (core.regress_body, "global_pose"),
        (core.regress_head, "head_pose"),
        (core.regress_hand, "right_wrist_pose"),
    ):
        _bias(regressor, turned)[3] = -1.0
    _bias(core.regress_body, "body_cam")[0] = _SCALE
    if core.config.n_texture:
        _bias(core.regress_head_own, "head_cam")[0] = 6 * _SCALE
        _bias(core.regress_hand_own, "hand_cam")[0] = 6 * _SCALE
    if core.config.n_texture and body is not None:
        at = _standing(body)
        for own, camera, points in (
            (core.regress_head_own, "head_cam", FACE_POINTS),
            (core.regress_hand_own, "hand_cam", RIGHT_HAND_POINTS),
        ):
            _bias(own, camera)[1:3] = -at[points, :2].mean(0)


def _standing(body: TrainingBody) -> torch.Tensor:
    """Return the key points (145, 3) of the mean body, upright before the camera."""
    skeleton = body.key_points.surface.skeleton
    R = torch.eye(3).repeat(1, JOINT_COUNT, 1, 1)
    R[:, 0] = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    nothing = (torch.zeros(1, n) for n in (skeleton.n_betas, skeleton.n_expression))
    points: torch.Tensor = body.key_points(*nothing, R)
    return points[0]


def begin_from(network: ImagePixie, experts: Experts, body: TrainingBody) -> None:
    """Put the experts' weights in, body first.

    Raises:
        BundleError: a run cannot be read.
        UsageError: it is for another body model, or of other encoders or sizes.
    """
    for expert, names in _PARTS.items():
        path: Path | None = getattr(experts, expert)
        if path is None:
            continue
        state = load(path)
        if state.body_model_sha256 != body.model.sha256:
            raise UsageError(
                f"--experts.{expert} {path} was trained for another body model than "
                f"{body.model.name}; give the same --body-model"
            )
        theirs = state.network_with_average()
        for name in names:
            try:
                network.get_submodule(name).load_state_dict(
                    theirs.get_submodule(name).state_dict()
                )
            except (RuntimeError, AttributeError):
                raise UsageError(
                    f"{name} of --experts.{expert} {path} is of another kind or size "
                    f"(encoders {state.network.body_encoder}, "
                    f"{state.network.head_encoder}, {state.network.hand_encoder}, "
                    f"features of {state.network.core.feature_dim}); give the same "
                    "--network options"
                ) from None


def _bias(regressor: Regressor, name: str) -> torch.Tensor:
    """Return the part of the last layer's bias that one parameter begins at."""
    last = regressor.layers[-1]
    assert isinstance(last, nn.Linear)
    names = list(regressor.outputs)
    start = sum(regressor.outputs[n] for n in names[: names.index(name)])
    bias: torch.Tensor = last.bias.data
    return bias[start : start + regressor.outputs[name]]
