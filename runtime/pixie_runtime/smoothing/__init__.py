"""Calm motion, little lag: One-Euro filters on rotations, positions and expressions.

smoother = PersonSmoother(SmoothingSettings())   # one per person
person = smoother.smooth(person, model)
"""

from pixie_runtime.smoothing.person import PersonSmoother
from pixie_runtime.smoothing.settings import (
    OneEuroSettings,
    Quickness,
    SmoothingSettings,
)

__all__ = ["OneEuroSettings", "PersonSmoother", "Quickness", "SmoothingSettings"]
