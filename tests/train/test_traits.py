"""What people of a body model are like, as chance draws it."""

from dataclasses import replace

import torch

from pixie_runtime.body import BodyModel
from pixie_train.data.sampling import Dice
from pixie_train.data.traits import Traits

COUNT = 4000


def test_expressions_without_arkit_s_units_are_standard_normal(
    model: BodyModel,
) -> None:
    licensed = replace(model, arkit_names=None, arkit_to_expression=None)
    drawn = Traits(licensed, n_betas=5).expressions(Dice(3), COUNT)
    assert drawn.shape == (COUNT, model.n_expression)
    torch.testing.assert_close(
        torch.cov(drawn.T), torch.eye(model.n_expression), atol=0.1, rtol=0
    )
    assert drawn.mean(0).abs().max() < 0.1


def test_jaws_open_whether_expressions_have_units_or_not(model: BodyModel) -> None:
    licensed = replace(model, arkit_names=None, arkit_to_expression=None)
    ours, theirs = (
        Traits(body, n_betas=5).jaws(Dice(3), COUNT) for body in (model, licensed)
    )
    assert torch.equal(ours, theirs)
    # About x, chin down: what lies before the jaw goes down with it.
    down = -(ours[:, 0] @ torch.tensor([0.0, 0, 1]))[:, 1]
    assert (down > 0.2).float().mean() > 0.2
    assert down.min() > -0.1
