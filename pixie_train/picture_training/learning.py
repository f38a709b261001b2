"""A network on its way through a stage: one step, and what is saved of it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pixie_train.batch import Batch, CropKind
from pixie_train.config import ImageConfig
from pixie_train.descent import Descent
from pixie_train.divergence import not_finite
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.picture_training.average import copy_of, follow
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.config import Optimisation, StageRun
from pixie_train.picture_training.loading import draws
from pixie_train.picture_training.machine import autocast
from pixie_train.picture_training.passes import FaceTerms, StagePass, trained
from pixie_train.picture_training.state import RunState
from pixie_train.processes import Processes


class Learning:
    """Weights, their optimiser and their average; the same in every process."""

    def __init__(
        self,
        run: StageRun,
        network: ImagePixie,
        body: TrainingBody,
        faces: FaceTerms | None,
        device: torch.device,
        processes: Processes,
    ) -> None:
        """Begin with the weights that `network` has, and train it in place.

        Raises:
            UsageError: the run asks for something that the network has not.
        """
        passes = StagePass(run, network, body, faces, processes)
        passes.to_device(device)
        parts = trained(run, network)
        _only(network, parts)
        how = run.optimisation
        self.run = run
        self.body_model = body.model
        self._device = device
        self._network, self._processes = network, processes
        self._descent = descent(how, [p for m in parts for p in m.parameters()], device)
        self._passes: nn.Module = passes
        self._average = copy_of(network)
        self.done = 0
        """Steps done."""

    @property
    def network(self) -> ImageConfig:
        """The network's encoders and sizes."""
        return self._network.config

    def go_on(self, saved: RunState) -> None:
        """Take everything from a checkpoint."""
        self._network.load_state_dict(saved.weights)
        self._average.load_state_dict(saved.average)
        self._descent.go_on(saved.optimiser, saved.scaler)
        self.done = saved.step

    def share(self) -> None:
        """From now on average gradients over processes; all of them must call it."""
        if self._processes.world > 1:
            # The graph is the same in every step, but terms without a weight may
            # leave a regressor out of it.
            self._passes = nn.parallel.DistributedDataParallel(
                self._passes, static_graph=True
            )

    def step(
        self, seen: Mapping[CropKind, Batch]
    ) -> tuple[dict[str, Tensor], dict[str, str]]:
        """Learn from this process's part of a batch.

        Returns:
            What all of the batch costs by term, detached, and which of them, or the
            gradient, are no finite numbers; where there are any, nothing was learned.
        """
        run, how, processes = self.run, self.run.optimisation, self._processes
        chance = draws(run.seed, self.done, run.batch)[
            processes.rank :: processes.world
        ]
        there = {kind: batch.to(self._device) for kind, batch in seen.items()}
        with autocast(self._device, how.precision):
            own = self._passes(there, chance)
        cost = processes.means(own)
        if terms := not_finite(cost):
            return cost, terms
        rate = learning_rate(how, self.done, run.steps)
        if terms := self._descent.step(own["total"], rate):
            return cost, terms
        decay = min(how.ema_decay, (self.done + 1) / (self.done + 10))
        follow(self._average, self._network, decay)
        self.done += 1
        return cost, {}

    def state(self, **said: Any) -> RunState:
        """Return what a checkpoint holds; `said` are its fields about the run."""
        return RunState(
            run=self.run,
            network=self._network.config,
            body_model_sha256=self.body_model.sha256,
            step=self.done,
            weights=self._network.state_dict(),
            average=self._average.state_dict(),
            optimiser=self._descent.optimiser.state_dict(),
            scaler=self._descent.scale(),
            **said,
        )


def descent(
    how: Optimisation, weights: Sequence[nn.Parameter], device: torch.device
) -> Descent:
    """Return what moves weights of image networks."""
    return Descent(
        torch.optim.AdamW(weights, how.learning_rate, weight_decay=how.weight_decay),
        how.clip,
        torch.amp.GradScaler(device.type, enabled=how.precision == "fp16"),
    )


def learning_rate(how: Optimisation, step: int, steps: int) -> float:
    """Return the rate of a step: a linear rise, then half a cosine down to zero."""
    warm = min(1.0, (step + 1) / max(how.warm_up_steps, 1))
    return how.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / steps))


def _only(network: nn.Module, parts: Sequence[nn.Module]) -> None:
    """Let only these parts learn; the others keep their running statistics too."""
    network.eval().requires_grad_(False)
    for part in parts:
        part.train().requires_grad_(True)
