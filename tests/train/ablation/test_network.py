"""Encoders of what was seen: how much chance they are trained with."""

import torch

from pixie_train.ablation.network import SightEncoder
from pixie_train.ablation.plan import AblationPlan


def test_pixels_are_shaken_more_than_landmarks_and_only_in_training() -> None:
    plan = AblationPlan(noise=0.1, shown_noise=0.7)
    encoder = SightEncoder(40, plan, shown=60)
    taken: list[torch.Tensor] = []
    encoder.encoder.register_forward_pre_hook(lambda _, given: taken.append(given[0]))
    seen = torch.randn(200, 100)
    encoder.know(seen)
    encoder.eval()(seen)
    encoder.eval()(seen)
    encoder.train()(seen)
    still, again, shaken = taken
    torch.testing.assert_close(still, again, rtol=0, atol=0)
    moved = (shaken - still).std(0)
    torch.testing.assert_close(moved[:40].mean().item(), 0.1, rtol=0.1, atol=0)
    torch.testing.assert_close(moved[40:].mean().item(), 0.7, rtol=0.1, atol=0)
