"""How much each term counts, by stage of training.

The paper's main text has no numbers, and its supplement was not at hand. Defaults are
ours, but follow what is published of the released runs' names (spec: pixie-network,
section 13): points in the picture count 5 for bodies, 1 for heads and hands; shape is
held by the prior (0.001) and not by fits' betas (0); eyes 1, lips 0.5; expression and
shape 1e-4 and albedo 5e-5 where heads are trained alone.
"""

from dataclasses import dataclass, field, fields, replace

from pixie_runtime.errors import UsageError
from pixie_train.batch import CropKind
from pixie_train.losses.terms import TERMS


@dataclass(frozen=True)
class TermWeights:
    """The weight of each term; 0 leaves it out. A term's name is its field's."""

    body_2d: float = 0.0
    """(4): body points in the picture, half sides of the crop."""
    body_3d: float = 0.0
    """(5): body points about the pelvis, metres."""
    body_pose: float = 0.0
    """(6): body joints' rotations against their parents."""
    root_pose: float = 0.0
    """(6): the body's absolute rotation."""
    betas: float = 0.0
    """(6): shape coefficients of fits."""
    hand_2d: float = 0.0
    """(7): hand points in the picture."""
    hand_3d: float = 0.0
    """(7): hand points about the wrist, metres."""
    wrist_pose: float = 0.0
    """(7): wrists' absolute rotations."""
    finger_pose: float = 0.0
    """(7): finger joints' rotations."""
    face_2d: float = 0.0
    """(9): 68 landmarks in the picture."""
    eyelids: float = 0.0
    """(10): openings of the eyes."""
    lips: float = 0.0
    """(10): opening of the mouth."""
    head_pose: float = 0.0
    """(8): the head's absolute rotation."""
    jaw_pose: float = 0.0
    """(8): the jaw's rotation."""
    expression: float = 0.0
    """(8): expression coefficients of fits."""
    photometric: float = 0.0
    """(11): the rendered face; takes a renderer."""
    identity: float = 0.0
    """(12): who the rendered face is; takes a face recognition network as well."""
    expression_prior: float = 0.0
    """(13)."""
    jaw_prior: float = 0.0
    """(14), squared radians."""
    yaw_prior: float = 0.0
    """(15), squared radians."""
    shape_prior: float = 0.0
    """(16): squared Mahalanobis distance under the person's gender."""
    texture_prior: float = 0.0
    """Albedo coefficients, squared."""
    light_prior: float = 0.0
    """Colour of the light."""
    update: float = 0.0
    """(17): body-derived against fused features."""

    def __post_init__(self) -> None:
        """Refuse weights that turn a loss round."""
        for entry in fields(self):
            weight = getattr(self, entry.name)
            if not 0 <= weight < float("inf"):
                raise UsageError(
                    f"the loss weight {entry.name} is {weight}; expected 0 or more"
                )


BODY_WEIGHTS = TermWeights(
    body_2d=5.0,
    body_3d=5.0,
    body_pose=1.0,
    root_pose=1.0,
    hand_2d=1.0,
    hand_3d=5.0,
    wrist_pose=0.5,
    finger_pose=0.1,
    face_2d=1.0,
    head_pose=0.5,
    jaw_pose=0.1,
    expression_prior=1e-4,
    jaw_prior=0.1,
    shape_prior=1e-3,
)
"""The body expert alone, on whole bodies: everything from the body's feature."""
HEAD_WEIGHTS = TermWeights(
    face_2d=1.0,
    eyelids=1.0,
    lips=0.5,
    head_pose=0.5,
    jaw_pose=0.5,
    expression=0.01,
    expression_prior=1e-4,
    jaw_prior=0.1,
    yaw_prior=1.0,
    shape_prior=1e-4,
    texture_prior=5e-5,
    light_prior=1.0,
)
"""The head's expert alone. `photometric` (2 in the nearest published run) is switched
on where there is a renderer, `identity` (0.2) where there is a recognition network."""
HAND_WEIGHTS = TermWeights(
    hand_2d=1.0,
    hand_3d=10.0,
    wrist_pose=1.0,
    finger_pose=1.0,
)
"""The hands' expert alone."""
WHOLE_WEIGHTS = replace(
    BODY_WEIGHTS,
    hand_3d=10.0,
    wrist_pose=1.0,
    finger_pose=1.0,
    eyelids=1.0,
    lips=0.5,
    head_pose=1.0,
    jaw_pose=0.5,
    expression=0.01,
    update=0.1,
)
"""End to end on whole bodies, fused: the parts' experts have more to say of them."""


STAGE_KINDS = {
    "body": CropKind.BODY,
    "head": CropKind.HEAD,
    "hand": CropKind.HAND,
    "whole": CropKind.BODY,
}
"""What each stage of `StageWeights` is given."""


@dataclass(frozen=True)
class StageWeights:
    """The weights of every kind of pass that training makes."""

    body: TermWeights = field(default_factory=lambda: BODY_WEIGHTS)
    """Whole bodies by the body's expert alone."""
    head: TermWeights = field(default_factory=lambda: HEAD_WEIGHTS)
    """Head crops by the head's expert alone."""
    hand: TermWeights = field(default_factory=lambda: HAND_WEIGHTS)
    """Hand crops by the hands' expert alone."""
    whole: TermWeights = field(default_factory=lambda: WHOLE_WEIGHTS)
    """Whole bodies end to end."""

    def __post_init__(self) -> None:
        """Refuse weights of terms that a pass does not have."""
        for stage, kind in STAGE_KINDS.items():
            weights: TermWeights = getattr(self, stage)
            for entry in fields(TermWeights):
                weight = getattr(weights, entry.name)
                if weight and kind not in TERMS[entry.name].kinds:
                    raise UsageError(
                        f"the loss weight {stage}.{entry.name} is {weight}, but "
                        f"{kind.value} crops have no such term; leave it at 0"
                    )
