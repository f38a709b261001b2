"""ARKit's weights as the expressions of VRM avatars, by the formulas of `docs/face.md`.

An avatar's vowels each open and shape the whole mouth, its emotions change the whole
face: within a group the weights are shares that add up to at most 1, so that nothing is
applied twice.
"""

import numpy as np

from pixie_runtime.face.arkit import ARKIT_INDEX
from pixie_runtime.types import Float32

_WIDE_OPEN = 0.7
"""`jawOpen` at which a speaking mouth is as open as it gets: the avatar's `aa`."""

VRM0_NAMES: dict[str, str] = {
    "Joy": "happy",
    "Angry": "angry",
    "Sorrow": "sad",
    "Fun": "relaxed",
    "A": "aa",
    "I": "ih",
    "U": "ou",
    "E": "ee",
    "O": "oh",
    "Blink": "blink",
    "Blink_L": "blinkLeft",
    "Blink_R": "blinkRight",
    "LookUp": "lookUp",
    "LookDown": "lookDown",
    "LookLeft": "lookLeft",
    "LookRight": "lookRight",
}
"""VRM 0's presets and what they are called in VRM 1, which alone has `surprised`."""


def vrm0(weights: Float32) -> dict[str, float]:
    """Return VRM 0's presets from ARKit's weights (52,), each in [0, 1]."""
    expressions = vrm1(weights)
    return {old: expressions[new] for old, new in VRM0_NAMES.items()}


def vrm1(weights: Float32) -> dict[str, float]:
    """Return VRM 1's presets from ARKit's weights (52,), each in [0, 1]."""
    face = _Face(weights)
    return {**_emotions(face), **_vowels(face), **_blinks(face), **_looks(face)}


class _Face:
    """Weights by name."""

    def __init__(self, weights: Float32) -> None:
        self._weights = np.clip(weights, 0.0, 1.0).tolist()

    def __getitem__(self, name: str) -> float:
        return float(self._weights[ARKIT_INDEX[name]])

    def both(self, stem: str) -> float:
        """Return the mean of a unit's left and right."""
        return (self[f"{stem}Left"] + self[f"{stem}Right"]) / 2


def _vowels(face: _Face) -> dict[str, float]:
    """Return shares of the mouth shapes; what is missing to 1 is the closed mouth."""
    opened = min(max(face["jawOpen"] - face["mouthClose"], 0.0) / _WIDE_OPEN, 1.0)
    rounded = min(face["mouthPucker"] + face["mouthFunnel"], 1.0)
    spread = min(face.both("mouthStretch") + face.both("mouthSmile"), 1.0)
    parted = min(face.both("mouthLowerDown") + face.both("mouthUpperUp"), 1.0)
    unrounded = 1.0 - rounded
    return {
        "aa": opened * unrounded * (1.0 - spread),
        "ih": (1.0 - opened) * unrounded * spread * parted,
        "ou": (1.0 - opened) * rounded,
        "ee": opened * unrounded * spread,
        "oh": opened * rounded,
    }


def _emotions(face: _Face) -> dict[str, float]:
    """Return shares of the emotions; what is missing to 1 is the neutral face."""
    smile = _ramp(face.both("mouthSmile"), 0.2, 0.8)
    narrowed = _ramp(face.both("eyeSquint"), 0.2, 0.8)
    lowered = _ramp(face.both("browDown"), 0.2, 0.8)
    drooping = _ramp(max(face.both("mouthFrown"), face["browInnerUp"]), 0.3, 0.9)
    raised = (face["browInnerUp"] + face.both("browOuterUp")) / 2
    startled = _ramp(min(raised, max(face.both("eyeWide"), face["jawOpen"])), 0.2, 0.7)
    shares = {
        "happy": smile * (1.0 - narrowed),
        "relaxed": smile * narrowed,
        "angry": lowered * (1.0 - smile),
        "sad": drooping * (1.0 - smile) * (1.0 - startled),
        "surprised": startled,
    }
    total = max(sum(shares.values()), 1.0)
    return {name: share / total for name, share in shares.items()}


def _blinks(face: _Face) -> dict[str, float]:
    """Return what both eyes share, and what one of them is closed further."""
    left, right = face["eyeBlinkLeft"], face["eyeBlinkRight"]
    both = min(left, right)
    return {"blink": both, "blinkLeft": left - both, "blinkRight": right - both}


def _looks(face: _Face) -> dict[str, float]:
    """Return where both eyes together look."""
    left = (face["eyeLookOutLeft"] + face["eyeLookInRight"]) / 2
    right = (face["eyeLookInLeft"] + face["eyeLookOutRight"]) / 2
    return {
        "lookUp": face.both("eyeLookUp"),
        "lookDown": face.both("eyeLookDown"),
        "lookLeft": left,
        "lookRight": right,
    }


def _ramp(value: float, start: float, end: float) -> float:
    return min(max((value - start) / (end - start), 0.0), 1.0)
