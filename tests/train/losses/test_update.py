import pytest
import torch
from torch import Tensor

from pixie_train.losses.update import update
from pixie_train.networks.pixie import Features, PartFeatures, PixieCore
from pixie_train.predictions import FeaturePairs
from tests.train.tiny import TINY_CORE


def pairs(present: list[float]) -> FeaturePairs:
    body = torch.zeros(1, 3, 2)
    fused = torch.tensor([[[1.0, 3.0], [5.0, 5.0], [0.0, -2.0]]])
    return FeaturePairs(body, fused, torch.tensor([present]))


def test_features_differ_by_hand() -> None:
    seen = pairs([1, 0, 1])
    assert update(seen).value.item() == pytest.approx((2 + 1) / 2)
    assert update(seen, "sum").value.item() == pytest.approx(4 + 2)
    assert not update(pairs([0, 0, 0])).known.any()


def test_the_fused_feature_is_held_still_only_if_asked_for() -> None:
    for detach in (False, True):
        body, fused = (torch.randn(2, 3, 4, requires_grad=True) for _ in range(2))
        features = FeaturePairs(body, fused, torch.ones(2, 3))
        cost = update(features, detach_fused=detach).value.sum()
        ours, theirs = torch.autograd.grad(cost, (body, fused), allow_unused=True)
        assert ours.abs().sum() > 0
        assert (theirs is None) == detach


def test_under_autocasting_features_are_compared_in_float32() -> None:
    core = PixieCore(TINY_CORE)
    F = torch.randn(4, 4, TINY_CORE.feature_dim, dtype=torch.bfloat16)
    parts = PartFeatures(F[:, 1], F[:, 2:])
    features = Features(F[:, 0], parts, torch.ones(4, 3))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        said = core(features)
        cost = update(FeaturePairs.of(said, features.present)).value
    e, fused = said.extracted.stacked(), said.features.stacked()
    assert e.dtype == fused.dtype == torch.bfloat16
    exact = (e.double() - fused.double()).abs().mean((1, 2))
    torch.testing.assert_close(cost, exact.float(), rtol=1e-6, atol=0)


def test_gradients_are_those_of_finite_differences() -> None:
    g = torch.Generator().manual_seed(0)
    body, fused = torch.randn(2, 2, 3, 4, generator=g, dtype=torch.float64)
    present = torch.tensor([[1.0, 0, 1], [1, 1, 1]])

    def cost(body: Tensor, fused: Tensor) -> Tensor:
        return update(FeaturePairs(body, fused, present)).value

    assert torch.autograd.gradcheck(
        cost, (body.requires_grad_(), fused.requires_grad_())
    )


def test_it_is_the_networks_own_where_all_parts_are_seen() -> None:
    """The landmark variant takes the mean that `PixieOutput.update` holds."""
    core = PixieCore(TINY_CORE)
    D = TINY_CORE.feature_dim
    parts = PartFeatures(torch.randn(2, D), torch.randn(2, 2, D))
    features = Features(torch.randn(2, D), parts, torch.ones(2, 3))
    output = core(features)
    cost = update(FeaturePairs.of(output, features.present))
    torch.testing.assert_close(cost.over("all"), output.update)
