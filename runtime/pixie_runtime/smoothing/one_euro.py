"""The One-Euro filter (Casiez et al. 2012) on rotations and on numbers.

A first-order low-pass whose cut-off rises with the speed of the signal. Two things
differ from the paper's code: the smoothing factor is 1 - exp(-2 pi f dt), the exact
step of that low-pass, so that the filter is the same in time at any frame rate; and
rotations are filtered on SO(3), where w = log(q_before^-1 q) / dt is the velocity and
slerp the step, so that nothing depends on the choice of axes or on quaternions' signs.

A `weight` in [0, 1] says how far each item may be trusted: at 0 it stands still, and
where it comes back from there is not mistaken for speed.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations as rot
from pixie_runtime.smoothing.settings import OneEuroSettings
from pixie_runtime.types import Float64

Mask = npt.NDArray[np.bool_]


class Factor(Protocol):
    """How far each of n items goes towards its measurement in a step."""

    def __init__(
        self, settings: Sequence[OneEuroSettings], speed_cutoff_hz: float, axes: int
    ) -> None: ...

    def retune(
        self, settings: Sequence[OneEuroSettings], speed_cutoff_hz: float
    ) -> None:
        """Go on with other settings of as many items."""
        ...

    def restart(self, known: Mask) -> None:
        """Forget all speed; `known` (n,) tells which items have a measurement."""
        ...

    def step(self, moved: Float64, dt_s: float, weight: Float64) -> Float64:
        """Return the factors (n,) in [0, 1].

        Args:
            moved: By how much each measurement differs from its last one, (n, axes).
            dt_s: Seconds since then.
            weight: Trust in each, (n,).
        """
        ...


class AdaptiveFactor:
    """How far each of n items goes towards its measurement, from its speed."""

    def __init__(
        self, settings: Sequence[OneEuroSettings], speed_cutoff_hz: float, axes: int
    ) -> None:
        self.retune(settings, speed_cutoff_hz)
        self._velocity = np.zeros((len(settings), axes))
        self._known = np.zeros(len(settings), bool)

    def retune(
        self, settings: Sequence[OneEuroSettings], speed_cutoff_hz: float
    ) -> None:
        """Go on with other settings of as many items."""
        self._cutoff_hz = np.array([s.cutoff_hz for s in settings])
        self._gain = np.array([s.gain for s in settings])
        self._speed_cutoff_hz = speed_cutoff_hz

    def restart(self, known: Mask) -> None:
        """Forget all speed; `known` (n,) tells which items have a measurement."""
        self._velocity[:] = 0.0
        self._known = known

    def step(self, moved: Float64, dt_s: float, weight: Float64) -> Float64:
        """Return the factors (n,) in [0, 1].

        Args:
            moved: By how much each measurement differs from its last one, (n, axes).
            dt_s: Seconds since then.
            weight: Trust in each, (n,).
        """
        trusted = weight > 0
        velocity = moved * ((self._known & trusted) / dt_s)[:, None]
        follow = low_pass_factor(self._speed_cutoff_hz, dt_s)
        self._velocity += follow * (velocity - self._velocity)
        self._known = trusted
        speed = np.sqrt(np.einsum("na,na->n", self._velocity, self._velocity))
        cutoff_hz = self._cutoff_hz + self._gain * speed
        return np.asarray(weight * -np.expm1(-2 * np.pi * dt_s * cutoff_hz))


class TrustFactor:
    """What is trusted is taken as it is; the less trust, the more slowly it follows.

    At little trust w that is as by One-Euro filters at rest, a cut-off of w times
    theirs; towards full trust it rises without bound, as w / (1 - w).
    """

    def __init__(
        self, settings: Sequence[OneEuroSettings], speed_cutoff_hz: float, axes: int
    ) -> None:
        self.retune(settings, speed_cutoff_hz)

    def retune(
        self, settings: Sequence[OneEuroSettings], speed_cutoff_hz: float
    ) -> None:
        """Go on with other settings of as many items."""
        self._cutoff_hz = np.array([s.cutoff_hz for s in settings])

    def restart(self, known: Mask) -> None:
        """Do nothing: no speed is kept."""

    def step(self, moved: Float64, dt_s: float, weight: Float64) -> Float64:
        """Return the factors (n,) in [0, 1], of the trust `weight` (n,) alone."""
        doubt = np.maximum(1.0 - weight, 1e-9)
        return np.asarray(
            -np.expm1(-2 * np.pi * dt_s * self._cutoff_hz * weight / doubt)
        )


class OneEuroRotations:
    """n rotations, each with settings of its own, filtered together."""

    def __init__(
        self,
        settings: Sequence[OneEuroSettings],
        speed_cutoff_hz: float,
        factor: type[Factor] = AdaptiveFactor,
    ) -> None:
        self._factor = factor(settings, speed_cutoff_hz, axes=3)
        self.retune = self._factor.retune
        self._measured = rot.identity(len(settings)).astype(np.float64)
        self.value: Float64 = self._measured
        """The filtered rotations, unit quaternions wxyz, (n, 4)."""

    def restart(self, q: Float64, known: Mask) -> None:
        """Take `q` (n, 4) as it is; `known` (n,) tells which of it was measured."""
        self.value = self._measured = q
        self._factor.restart(known)

    def step(self, q: Float64, dt_s: float, weight: Float64) -> Float64:
        """Follow unit quaternions `q` (n, 4) for `dt_s` seconds; return `value`."""
        # One pass over both differences: numpy's cost here is per call, not per item.
        before = np.stack([self._measured, self.value])
        moved, ahead = rot.to_rotvec(rot.multiply(rot.inverse(before), q))
        factor = self._factor.step(moved, dt_s, weight)
        self._measured = q
        return self._turn(ahead * factor[:, None])

    def approach(self, q: Float64, factor: Float64) -> Float64:
        """Go the part `factor` (n,) of the way to `q`, unfiltered; return `value`."""
        ahead = rot.to_rotvec(rot.multiply(rot.inverse(self.value), q))
        return self._turn(ahead * factor[:, None])

    def _turn(self, step: Float64) -> Float64:
        turned = rot.multiply(self.value, rot.from_rotvec(step))
        self.value = np.asarray(rot.normalise(turned), np.float64)
        return self.value


class OneEuroNumbers:
    """n numbers, each with settings and a speed of its own, filtered together."""

    def __init__(
        self,
        settings: Sequence[OneEuroSettings],
        speed_cutoff_hz: float,
        factor: type[Factor] = AdaptiveFactor,
    ) -> None:
        self._factor = factor(settings, speed_cutoff_hz, axes=1)
        self.retune = self._factor.retune
        self._measured = np.zeros(len(settings))
        self.value: Float64 = self._measured
        """The filtered numbers, (n,)."""

    def restart(self, x: Float64, known: Mask) -> None:
        """Take `x` (n,) as it is; `known` (n,) tells which of it was measured."""
        self.value = self._measured = x
        self._factor.restart(known)

    def step(self, x: Float64, dt_s: float, weight: Float64) -> Float64:
        """Follow `x` (n,) for `dt_s` seconds; return `value`."""
        factor = self._factor.step((x - self._measured)[:, None], dt_s, weight)
        self._measured = x
        self.value = self.value + factor * (x - self.value)
        return self.value

    def approach(self, x: Float64, factor: Float64) -> Float64:
        """Go the part `factor` (n,) of the way to `x`, unfiltered; return `value`."""
        self.value = self.value + factor * (x - self.value)
        return self.value


def low_pass_factor(cutoff_hz: float, dt_s: float) -> float:
    """Return how far a first-order low-pass goes in `dt_s` seconds, in [0, 1]."""
    return float(-np.expm1(-2 * np.pi * cutoff_hz * dt_s))
