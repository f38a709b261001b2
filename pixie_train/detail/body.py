"""What of a body the detail branch needs."""

from copy import deepcopy
from dataclasses import dataclass, replace

import torch

from pixie_runtime.body import BodyModel
from pixie_train.detail.coarse import CoarseNetwork, TrueFaces
from pixie_train.detail.drawing import DetailRenderer
from pixie_train.detail.run_config import DetailRun
from pixie_train.detail.surface import DetailSurface


@dataclass(frozen=True, eq=False)
class DetailBody:
    """What of a body a run needs."""

    model: BodyModel
    surface: DetailSurface
    renderer: DetailRenderer
    coarse: CoarseNetwork
    coarse_name: str = "truth"
    """The SHA-256 of the coarse network's file."""

    @classmethod
    def of(
        cls,
        run: DetailRun,
        model: BodyModel,
        coarse: CoarseNetwork | None = None,
        coarse_name: str = "truth",
    ) -> "DetailBody":
        """Prepare a body; without a coarse network faces are where they truly are."""
        surface = DetailSurface(model, size=run.network.map_size)
        renderer = DetailRenderer(model, surface, colour_blur=run.colour_blur)
        return cls(model, surface, renderer, coarse or TrueFaces(model), coarse_name)

    def on(self, device: torch.device) -> "DetailBody":
        """Return it with what draws detail on `device`; the coarse network stays."""
        renderer = deepcopy(self.renderer).to(device)
        return replace(self, surface=renderer.surface, renderer=renderer)
