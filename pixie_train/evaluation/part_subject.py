"""A network's head or hand expert alone as what is evaluated: NoW, FreiHAND.

As the expert is trained on pictures of parts: a square about the part's points, or
about the benchmark's box, and the expert's own camera. Joints of which it says nothing
are at rest; a hand is the mean body's.
"""

import numpy as np
import torch

from pixie_runtime.body import BodyModel
from pixie_runtime.crops import Square, projected_span, square_crop
from pixie_runtime.errors import UsageError
from pixie_runtime.part_estimator import Expert
from pixie_runtime.smplx import (
    JAW,
    JOINT_INDEX,
    LEFT_EYE,
    RIGHT_EYE,
    RIGHT_HAND_JOINTS,
)
from pixie_runtime.types import Camera, UInt8
from pixie_runtime.weak_perspective import WeakCamera
from pixie_train.evaluation.cases import Case, Estimate
from pixie_train.evaluation.subjects import standing
from pixie_train.key_points import KeyPoints
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.predictions import Predictions, of_hand, of_head
from pixie_train.utilities import read_utilities

_JOINTS: dict[Expert, tuple[int, ...]] = {
    "head": (JOINT_INDEX["head"], JAW, LEFT_EYE, RIGHT_EYE),
    "hand": (JOINT_INDEX["right_wrist"], *RIGHT_HAND_JOINTS),
}
"""Those whose mean depth an expert's camera is about."""


class PartSubject:
    """Runs one expert of an image network on one picture at a time."""

    def __init__(
        self,
        network: ImagePixie,
        model: BodyModel,
        name: str,
        part: Expert,
        *,
        size: int,
        scale: float,
        field_of_view: float = 60.0,
    ) -> None:
        """Take a network, in evaluation mode, and the body that it was trained for.

        Args:
            network: whose expert is looked at.
            model: the body.
            name: what it is called in reports.
            part: which expert; the hands' sees right hands.
            size: side of its crops in pixels.
            scale: side of a crop's square over the part's extent.
            field_of_view: degrees along the longer side, where a benchmark does not say
                its camera.

        Raises:
            UsageError: the experts have no cameras of their own.
            ModelFileError: the body has fewer coefficients, or no face landmarks.
        """
        core = network.config.core
        if not core.n_texture:
            raise UsageError(
                f"the network has no regressor of its own for the {part}, which gives "
                "its crop's camera; give one whose n_texture is not 0"
            )
        tables, _ = read_utilities(None, model)
        self._key_points = KeyPoints(
            model, tables, n_betas=core.n_betas, n_expression=core.n_expression
        )
        self._network, self.model, self.name = network, model, name
        self._part, self._size, self._scale = part, size, scale
        self._field_of_view = field_of_view

    @torch.no_grad()
    def estimate(self, case: Case, picture: UInt8) -> Estimate | None:
        """Return whose part is in the box, or in the picture where there is none."""
        square = self._square(case, picture)
        if square is None:
            return None
        height, width = picture.shape[:2]
        camera = case.camera or Camera.with_field_of_view(
            width, height, self._field_of_view
        )
        crop = square_crop(picture, square, self._size)
        said = self._said(torch.from_numpy(crop.image)[None])
        weak = WeakCamera(said.camera[0].numpy(), projected_span(square, self._size))
        return standing(
            self.model,
            said.rotations[0].numpy(),
            said.betas[0].numpy(),
            said.expression[0].numpy(),
            weak,
            camera,
            joints=_JOINTS[self._part],
        )

    def close(self) -> None:
        """Nothing is held."""

    def _square(self, case: Case, picture: UInt8) -> Square | None:
        height, width = picture.shape[:2]
        box = case.extent or case.box
        if box is None:
            return Square(width / 2, height / 2, max(width - 1, height - 1, 1))
        low = np.clip(box[:2], 0, (width, height))
        high = np.clip(box[2:], 0, (width, height))
        if (high - low).min() < 2:
            return None
        return Square.around(np.array(box).reshape(2, 2), self._scale)

    def _said(self, image: torch.Tensor) -> Predictions:
        network, core = self._network, self._network.core
        if self._part == "head":
            F_f = network.encode_head(image)
            own = core.regress_head_own(F_f)
            return of_head(core.regress_head(F_f), own, self._key_points)
        F_h = network.encode_hand(image)
        own = core.regress_hand_own(F_h)
        return of_hand(core.regress_hand(F_h), own, self._key_points)
