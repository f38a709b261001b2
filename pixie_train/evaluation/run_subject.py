"""A network in training as what is evaluated, before it is exported.

As in training: the body's square, head and hands where the body's own expert has them
(the paper's body-driven attention), the paper's plain fusion. No landmarks are looked
for; the benchmark's box says where the person is. Crops are the runtime's, so that an
exported bundle sees the same pixels.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pixie_runtime.body import BodyModel
from pixie_runtime.bundle import CropSpec
from pixie_runtime.crops import BodyView, Box, Square, body_square
from pixie_runtime.errors import BundleError, UsageError
from pixie_runtime.types import Camera, UInt8
from pixie_runtime.weak_perspective import WeakCamera
from pixie_train.camera import project
from pixie_train.evaluation.cases import Case, Estimate
from pixie_train.evaluation.part_subject import PartSubject
from pixie_train.evaluation.subjects import Part, standing
from pixie_train.key_points import KeyPoints
from pixie_train.networks.decoding import DecodedParams, decode
from pixie_train.networks.image_pixie import ImageCrops, ImagePixie
from pixie_train.networks.pixie import Features, PartFeatures, PixieOutput
from pixie_train.part_boxes import part_boxes
from pixie_train.picture_training.config import Stage
from pixie_train.picture_training.state import RunState, load
from pixie_train.utilities import read_utilities

_KNOWS: dict[Stage, tuple[Part, ...]] = {
    "body": ("whole",),
    "head": ("head",),
    "hand": ("hand",),
    "whole": ("whole", "head", "hand"),
}
"""What a stage has taught to look; the rest of its network is as it began."""
_SHOWN: dict[Part, str] = {"whole": "whole people", "head": "heads", "hand": "hands"}


@dataclass(frozen=True)
class RunSight:
    """How a network in training looks at pictures: as its data set showed them."""

    body: CropSpec = field(default_factory=CropSpec)
    """Of the body's crop."""
    part_size: int | None = None
    """Side of head's and hands' crops; None: the body's."""
    parts: bool = True
    """Whether head and hands are looked at; else the body's expert says all, the
    paper's "naive body"."""
    field_of_view: float = 60.0
    """Degrees along the longer side, where a benchmark does not say its camera."""


def recorded_sight(
    state: RunState, *, crop_size: int | None = None, field_of_view: float = 60.0
) -> RunSight:
    """Return how a run has looked at pictures, by its own record.

    Args:
        state: the run.
        crop_size: instead of the recorded side of the body's crop.
        field_of_view: degrees, where a benchmark does not say its camera.

    Raises:
        UsageError: the record does not say it, and neither do the arguments.
    """
    said = state.data.get("--crop-size")
    if crop_size is None and said is None:
        raise UsageError(
            "the run does not say what crops it was trained with, as older ones did "
            "not; expected --crop-size"
        )
    parts = state.run.parts
    spec = CropSpec(
        size=crop_size or int(said or 0),
        hd_size=int(state.data.get("--hd-size", 512)),
        head_scale=parts.head_scale,
        hand_scale=parts.hand_scale,
    )
    return RunSight(
        spec,
        part_size=parts.size,
        parts=state.run.stage == "whole",
        field_of_view=field_of_view,
    )


def open_run(
    path: Path,
    model: BodyModel,
    sight: RunSight | None = None,
    *,
    part: Part = "whole",
    crop_size: int | None = None,
    field_of_view: float = 60.0,
) -> "RunSubject | PartSubject":
    """Open the averaged weights of a run of `pixie-train expert` or `whole`.

    Args:
        path: the run's folder, or a checkpoint.
        model: the body that it was trained for.
        sight: how it looks; None: as it recorded, with what follows.
        part: whether one part's expert looks alone.
        crop_size: see `recorded_sight`.
        field_of_view: likewise.

    Raises:
        BundleError: it is missing, damaged, or was trained for another body.
        UsageError: it does not say how it looks, or has not learned to look at that.
    """
    state = load(path)
    known = _KNOWS[state.run.stage]
    if part not in known:
        raise UsageError(
            f"the run {path} is of the stage {state.run.stage}, which has learned to "
            f"look at {_SHOWN[known[0]]}, not at {_SHOWN[part]}; give a benchmark of "
            f"{_SHOWN[known[0]]}, or a run of `pixie-train whole`"
        )
    if sight is None:
        sight = recorded_sight(state, crop_size=crop_size, field_of_view=field_of_view)
    if state.body_model_sha256 != model.sha256:
        raise BundleError(
            f"the run {path} was trained for another body model than {model.name}; "
            "name its own with --body-model"
        )
    network = state.network_with_average()
    if part == "whole":
        return RunSubject(network, model, path.name, sight)
    spec = sight.body
    return PartSubject(
        network,
        model,
        path.name,
        part,
        size=crop_size or sight.part_size or spec.size,
        scale=spec.head_scale if part == "head" else spec.hand_scale,
        field_of_view=sight.field_of_view,
    )


class RunSubject:
    """Runs a network of the image kind on one picture at a time."""

    def __init__(
        self,
        network: ImagePixie,
        model: BodyModel,
        name: str,
        sight: RunSight | None = None,
    ) -> None:
        """Take a network, in evaluation mode, and the body that it was trained for.

        Raises:
            ModelFileError: the body has fewer coefficients, or no face landmarks.
        """
        core = network.config.core
        tables, _ = read_utilities(None, model)
        self._key_points = KeyPoints(
            model, tables, n_betas=core.n_betas, n_expression=core.n_expression
        )
        self._network, self.model, self.name = network, model, name
        self._sight = sight or RunSight()

    @torch.no_grad()
    def estimate(self, case: Case, picture: UInt8) -> Estimate | None:
        """Return who is in the box, or in the picture where there is none."""
        height, width = picture.shape[:2]
        camera = case.camera or Camera.with_field_of_view(
            width, height, self._sight.field_of_view
        )
        box = case.box or (0.0, 0.0, float(width), float(height))
        low = np.clip(box[:2], 0, (width, height))
        high = np.clip(box[2:], 0, (width, height))
        if (high - low).min() < 2:
            return None
        spec = self._sight.body
        square = body_square(Box(*low.tolist(), *high.tolist()), spec.body_scale)
        view = BodyView(square, spec)
        said = self._said(view, picture)
        return standing(
            self.model,
            said.rotations[0].numpy(),
            said.betas[0].numpy(),
            said.expression[0].numpy(),
            WeakCamera(said.camera[0].numpy(), view.projected),
            camera,
        )

    @torch.no_grad()
    def head_weights(self, picture: UInt8, box: Box) -> Tensor:
        """Return the head moderator's weights of body and face expert, (1, 2)."""
        spec = self._sight.body
        view = BodyView(body_square(box, spec.body_scale), spec)
        image = torch.from_numpy(view.body(picture).image)[None]
        F_b = self._network.encode_body(image)
        return self._moderated(view, picture, image, F_b).weights[:, 0]

    def close(self) -> None:
        """Nothing is held."""

    def _said(self, view: BodyView, picture: UInt8) -> DecodedParams:
        """Return the fused regression of who is in a square of the picture."""
        network = self._network
        image = torch.from_numpy(view.body(picture).image)[None]
        F_b = network.encode_body(image)
        if not self._sight.parts:
            return decode(network.core.coarse(F_b))
        return decode(self._moderated(view, picture, image, F_b).fused)

    def _moderated(
        self, view: BodyView, picture: UInt8, image: Tensor, F_b: Tensor
    ) -> PixieOutput:
        """Look at the parts where the body's feature has them, and fuse."""
        network = self._network
        boxes = self._boxes(decode(network.core.coarse(F_b)))
        crops = self._crops(view, picture, image, boxes)
        hands = network.encode_hand(crops.hands.flatten(0, 1))
        parts = PartFeatures(network.encode_head(crops.head), hands[None])
        said: PixieOutput = network.core(Features(F_b, parts, crops.present))
        return said

    def _boxes(self, coarse: DecodedParams) -> Tensor:
        """Return the parts' squares in pixels of the finer picture, (3, 3)."""
        spec = self._sight.body
        points = self._key_points(coarse.betas, coarse.expression, coarse.rotations)
        return part_boxes(
            project(points, coarse.camera)[..., :2],
            hd_size=spec.hd_size,
            head_scale=spec.head_scale,
            hand_scale=spec.hand_scale,
        )[0]

    def _crops(
        self, view: BodyView, picture: UInt8, image: Tensor, boxes: Tensor
    ) -> ImageCrops:
        size = self._sight.part_size or view.spec.size
        view = replace(view, spec=replace(view.spec, size=size))
        cut = [
            torch.from_numpy(
                # A network that knows nothing yet may have a part of no size.
                view.part(
                    picture, Square(x, y, max(side, 1.0)), mirrored=k == 1
                ).image.copy()
            )
            for k, (x, y, side) in enumerate(boxes.tolist())
        ]
        hands = torch.stack(cut[1:])[None]
        return ImageCrops(image, cut[0][None], hands, torch.ones(1, 3))
