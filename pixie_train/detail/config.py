"""Sizes of the detail network, as frozen dataclasses."""

from dataclasses import dataclass

from pixie_runtime.errors import UsageError
from pixie_train.config import EncoderName

SMALLEST_MAP = 8
"""Side of the map that the decoder begins with."""


@dataclass(frozen=True)
class DetailConfig:
    """The detail network R_d. The defaults are DECA's, which the paper takes over."""

    encoder: EncoderName = "resnet50"
    """Encoder of the head's picture."""
    normalise: bool = True
    """Whether pictures are brought to ImageNet's mean and deviation first, as PIXIE's
    own encoders have it. Nothing that was at hand says it of DECA's."""
    hidden: int = 1024
    """Width of the layer between the encoder's feature and the code."""
    latent: int = 128
    """Length of the detail code."""
    n_jaw: int = 3
    """Numbers that say how the jaw is turned."""
    n_expression: int = 50
    """Expression coefficients that the decoder is told."""
    channels: tuple[int, ...] = (128, 128, 64, 64, 32, 16)
    """Of the decoder's maps: that of 8 x 8, then one for each doubling."""
    common: bool = True
    """Whether a map that all faces have in common is learned beside the decoder. DECA
    has a fixed one instead (fixed_displacement_256.npy)."""
    limit_m: float = 0.01
    """Largest displacement, metres."""

    def __post_init__(self) -> None:
        """Refuse sizes of which there is no network."""
        if len(self.channels) < 2 or min(self.channels) < 1:
            raise UsageError(
                f"channels are {self.channels}; expected two or more positive numbers, "
                "that of the smallest map and one for each doubling"
            )
        if min(self.hidden, self.latent) < 1 or min(self.n_jaw, self.n_expression) < 0:
            raise UsageError(
                f"hidden {self.hidden}, latent {self.latent}, n_jaw {self.n_jaw} and "
                f"n_expression {self.n_expression} were asked for; expected sizes"
            )
        if not 0 < self.limit_m <= 0.1:
            raise UsageError(f"limit_m is {self.limit_m}; expected up to 0.1 metres")

    @property
    def map_size(self) -> int:
        """Side of the displacement map in texels."""
        return int(SMALLEST_MAP * 2 ** (len(self.channels) - 1))
