"""One optimiser step, as every loop takes it: never along what is no number."""

from typing import Any

import torch
from torch import Tensor, nn

GRADIENT = "gradient"


class Descent:
    """Moves weights down a gradient that was shortened, if it is one."""

    def __init__(
        self,
        optimiser: torch.optim.Optimizer,
        clip: float,
        scaler: torch.amp.GradScaler | None = None,
    ) -> None:
        """Take what moves the weights.

        Args:
            optimiser: of all weights that learn.
            clip: largest norm of the gradient; longer ones are shortened to it.
            scaler: of the loss, in fp16; None: none.
        """
        self.optimiser, self._clip = optimiser, clip
        self._scaler = scaler or torch.amp.GradScaler("cpu", enabled=False)

    def step(self, total: Tensor, rate: float) -> dict[str, str]:
        """Learn from a loss.

        In fp16 a gradient that is too large for its scale is passed over, and the scale
        halved; where there is nothing left to halve the fault is not the scale's.

        Returns:
            What is no finite number, as `divergence.not_finite`; nothing was learned
            then, and weights and moments are as they were.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        weights = [p for group in self.optimiser.param_groups for p in group["params"]]
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(self._scaler.scale(total))
        self._scaler.unscale_(self.optimiser)
        norm = nn.utils.clip_grad_norm_(weights, self._clip)
        # A norm that is no number would make all weights such.
        if not norm.isfinite() and self._scaler.get_scale() <= 1:
            return {GRADIENT: str(float(norm))}
        self._scaler.step(self.optimiser)
        self._scaler.update()
        return {}

    def go_on(self, optimiser: dict[str, Any], scaler: dict[str, Any]) -> None:
        """Take the state of a checkpoint; a scale only where there is one in both."""
        self.optimiser.load_state_dict(optimiser)
        if self._scaler.is_enabled() and scaler:
            self._scaler.load_state_dict(scaler)

    def scale(self) -> dict[str, Any]:
        """Return the scale as a checkpoint keeps it; without fp16 it is empty."""
        return self._scaler.state_dict()
