"""Calm motion, little lag: One-Euro filters on rotations, positions and expressions.

smoother = PersonSmoother(SmoothingSettings())   # one per person
person = smoother.smooth(person, model)

Where frames can wait, a `HindsightSmoother` looks at what comes next and has no lag.
"""

from pixie_runtime.smoothing.hindsight import HindsightSmoother
from pixie_runtime.smoothing.person import PersonSmoother
from pixie_runtime.smoothing.settings import (
    OneEuroSettings,
    Quickness,
    SmoothingSettings,
)

__all__ = [
    "HindsightSmoother",
    "OneEuroSettings",
    "PersonSmoother",
    "Quickness",
    "SmoothingSettings",
]
