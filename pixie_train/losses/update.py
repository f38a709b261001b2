"""Equation (17): body-derived features learn from fused ones."""

from torch import Tensor

from pixie_train.losses.choices import Elements
from pixie_train.losses.reduction import Cost, gap, over_elements
from pixie_train.predictions import FeaturePairs


def update(
    features: FeaturePairs, elements: Elements = "mean", *, detach_fused: bool = False
) -> Cost:
    """Equation (17): L1 between body-derived and fused features.

        sum over parts p of |e_p - fused_p|_1,  e_p = L_p(F_b)

    The paper does not say whether the fused feature is held still: as printed it is
    not, and moderators may lower the loss by trusting the body.

    Args:
        features: of head, left hand and right hand; parts that were not seen do not
            count.
        elements: sum over parts and features; or mean over features, and over the
            parts that were seen.
        detach_fused: hold the fused feature still.
    """
    fused: Tensor = features.fused.detach() if detach_fused else features.fused
    known = features.present > 0
    distance = gap(features.body, fused, known).abs()
    cost = distance.mean(-1) if elements == "mean" else distance.sum(-1)
    return over_elements(cost, known, elements)
