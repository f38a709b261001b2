"""The detail network on its way: one step, and what is saved of it."""

import math

import torch
from torch import Tensor, nn

from pixie_train.batch import unit_range
from pixie_train.descent import Descent
from pixie_train.detail import losses
from pixie_train.detail.body import DetailBody
from pixie_train.detail.network import DetailNetwork
from pixie_train.detail.run_config import DetailRun
from pixie_train.detail.seen_heads import SeenFaces
from pixie_train.detail.state import DetailState
from pixie_train.divergence import not_finite
from pixie_train.losses.reduction import Cost
from pixie_train.picture_training.average import copy_of, follow
from pixie_train.picture_training.config import Precision
from pixie_train.picture_training.machine import autocast


class Learning:
    """Weights, their optimiser and their average."""

    def __init__(self, run: DetailRun, body: DetailBody, device: torch.device) -> None:
        """Begin with random weights.

        Args:
            run: the run.
            body: whose face it is.
            device: where is learned; faces are given there.
        """
        torch.manual_seed(run.seed)
        self.run, self.body = run, body.on(device)
        self._network = DetailNetwork(run.network).to(device).train()
        self.average = copy_of(self._network)
        """What is compared and used."""
        self._descent = Descent(
            torch.optim.Adam(self._network.parameters(), run.learning_rate),
            run.clip,
            torch.amp.GradScaler(device.type, enabled=run.precision == "fp16"),
        )
        self.done = 0
        """Steps done."""

    def go_on(self, saved: DetailState) -> None:
        """Take everything from a checkpoint."""
        self._network.load_state_dict(saved.weights)
        self.average.load_state_dict(saved.average)
        self._descent.go_on(saved.optimiser, saved.scaler)
        self.done = saved.step

    def step(self, faces: SeenFaces) -> tuple[dict[str, Tensor], dict[str, str]]:
        """Learn from a batch.

        Returns:
            What it costs, `total` and by term, detached, and which of them, or the
            gradient, are no finite numbers; where there are any, nothing was learned.
        """
        terms = _costs(self.run, self.body, self._network, faces)
        total = torch.stack(list(terms.values())).sum()
        cost = {n: c.detach() for n, c in {"total": total, **terms}.items()}
        wrong = not_finite(cost) or self._descent.step(
            total, _rate(self.run, self.done)
        )
        if not wrong:
            decay = min(self.run.ema_decay, (self.done + 1) / (self.done + 10))
            follow(self.average, self._network, decay)
            self.done += 1
        return cost, wrong

    def state(self, history: list[dict[str, float]]) -> DetailState:
        """Return what a checkpoint holds."""
        return DetailState(
            run=self.run,
            body_model_sha256=self.body.model.sha256,
            coarse=self.body.coarse_name,
            step=self.done,
            weights=self._network.state_dict(),
            average=self.average.state_dict(),
            optimiser=self._descent.optimiser.state_dict(),
            scaler=self._descent.scale(),
            history=history,
        )


def _costs(
    run: DetailRun, body: DetailBody, network: nn.Module, faces: SeenFaces
) -> dict[str, Tensor]:
    """Return the weighted terms of a step."""
    displacement = displacement_of(network, faces, run.precision)
    weights, share = run.weights, body.surface.share
    in_units = displacement / weights.unit_m
    terms = {
        "photometric": photometric(body, faces, displacement),
        "symmetry": losses.soft_symmetry(in_units, share),
        "size": losses.smallness(in_units, share),
    }
    return {
        f"detail/{n}": getattr(weights, n) * cost.over("all")
        for n, cost in terms.items()
    }


def displacement_of(
    network: nn.Module, faces: SeenFaces, precision: Precision = "no"
) -> Tensor:
    """Return what a network says of faces, (B, 1, S, S), metres."""
    picture = unit_range(faces.batch.pictures.image)
    with autocast(picture.device, precision):
        displacement: Tensor = network(picture, faces.jaw, faces.expression)
    return displacement.float()


def photometric(body: DetailBody, faces: SeenFaces, displacement: Tensor) -> Cost:
    """Return what faces with such a displacement differ by from their pictures."""
    drawn = body.renderer(faces.lit, displacement)
    picture = unit_range(faces.batch.pictures.image)
    return losses.photometric_detail(drawn, picture, faces.lit.mask)


def _rate(run: DetailRun, step: int) -> float:
    return run.learning_rate * 0.5 * (1 + math.cos(math.pi * step / run.steps))
