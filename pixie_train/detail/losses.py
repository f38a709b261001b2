"""What the detail branch is trained with, a term a function.

Of DECA's terms (Feng et al. 2021) two are left out. The implicit diversified Markov
random field compares features of an ImageNet-trained VGG-19, whose weights cannot be
shipped; what it adds is the texture of the smallest wrinkles. Detail consistency
exchanges the codes of several pictures of one person, and the loop draws heads singly.
"""

from dataclasses import dataclass

from torch import Tensor

from pixie_runtime.errors import UsageError
from pixie_train.losses.choices import Elements
from pixie_train.losses.reduction import Cost, gap, over_elements


@dataclass(frozen=True)
class DetailWeights:
    """Weights of the terms.

    The first two are DECA's proportion. Size has four times as much: shading seen
    through smoothing asks for deeper furrows than there are.
    """

    photometric: float = 2.0
    """The picture against the face drawn with its detail."""
    symmetry: float = 5e-3
    """Left against right."""
    size: float = 0.02
    """No more displacement than is needed."""
    unit_m: float = 1e-3
    """In which displacements are measured: a millimetre. DECA's maps are in metres,
    where these two terms have next to no influence."""

    def __post_init__(self) -> None:
        """Refuse what cannot be minimised."""
        weights = (self.photometric, self.symmetry, self.size)
        if min(weights) < 0 or self.photometric == 0 or self.unit_m <= 0:
            raise UsageError(
                f"photometric {self.photometric}, symmetry {self.symmetry}, size "
                f"{self.size} and unit_m {self.unit_m} were asked for; expected no "
                "negative weight, a photometric one, and a unit"
            )


def photometric_detail(
    drawn: Tensor, picture: Tensor, mask: Tensor, elements: Elements = "mean"
) -> Cost:
    """The face drawn with detail against the picture: |M * (I - I_d)|_1,1.

    DECA's equation of the detail stage, (11) of PIXIE with the detailed normals.

    Args:
        drawn: (B, C, H, W), in [0, 1].
        picture: the same of the picture.
        mask: M, (B, 1, H, W), above one half where both show the face's skin.
        elements: sum over pixels, or mean over those in M; channels are averaged.
    """
    known = mask.flatten(1) > 0.5
    ours, theirs = drawn.flatten(2).mT, picture.flatten(2).mT
    return over_elements(gap(ours, theirs, known).abs().mean(-1), known, elements)


def soft_symmetry(
    displacement: Tensor, visible: Tensor, elements: Elements = "mean"
) -> Cost:
    """Left and right of a face are alike: |V * (D - flip(D))|_1,1.

    It fills in the side that a picture does not show. The chart, like FLAME's texture
    space, has a face's middle in its own middle.

    Args:
        displacement: D, (B, 1, S, S).
        visible: V, the face's skin in the map, (B or 1, 1, S, S), 0 to 1.
        elements: sum over texels, or mean over those in V.
    """
    share = (visible * visible.flip(-1)).expand_as(displacement).flatten(1)
    apart = (displacement - displacement.flip(-1)).flatten(1).abs()
    return over_elements(share * apart, share > 0, elements)


def smallness(
    displacement: Tensor, visible: Tensor, elements: Elements = "mean"
) -> Cost:
    """What a picture says nothing of stays smooth: |D|_1,1.

    Args:
        displacement: D, (B, 1, S, S).
        visible: the face's skin in the map, (B or 1, 1, S, S), 0 to 1.
        elements: sum over texels, or mean over those that are visible.
    """
    share = visible.expand_as(displacement).flatten(1)
    return over_elements(share * displacement.flatten(1).abs(), share > 0, elements)
