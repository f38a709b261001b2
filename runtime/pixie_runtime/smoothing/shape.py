"""One shape for one person: a mean that settles."""

import numpy as np

from pixie_runtime.types import Float32, Float64


class ShapeMean:
    """The mean of a person's betas, weighted by confidence, fixed once it is good.

    A body has one shape; what changes from frame to frame is error. The mean stops
    after `frames` frames of full confidence, so that nothing swells or shrinks later.
    """

    def __init__(self, frames: float) -> None:
        self._frames = frames
        self._sum: Float64 | None = None
        self._weight = 0.0

    @property
    def locked(self) -> bool:
        """Whether the shape stays as it is."""
        return self._weight >= self._frames

    def update(self, betas: Float32, weight: float) -> Float32:
        """Add one frame's betas (n,); return the mean so far.

        Before any frame could be trusted the betas themselves are returned, or the
        mean body in place of what is not finite.
        """
        good = weight > 0 and bool(np.isfinite(betas).all())
        if good and not self.locked:
            weighted = np.asarray(betas * weight, np.float64)
            self._sum = weighted if self._sum is None else self._sum + weighted
            self._weight += weight
        if self._sum is None:
            return np.nan_to_num(betas, posinf=0.0, neginf=0.0)
        return np.asarray(self._sum / self._weight, np.float32)
