"""What the rules make of body and part features."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from pixie_runtime.fusion_rules import FusionRules
from pixie_train.config import CoreConfig
from pixie_train.networks.pixie import Features, PartFeatures, PixieCore, PixieOutput

D, COUNT = 24, 6
CONFIG = CoreConfig(
    feature_dim=D, regressor_width=16, moderator_width=16, n_betas=10, n_texture=5
)


def core(temperature: float = 1.0) -> PixieCore:
    torch.manual_seed(0)
    made = PixieCore(CONFIG).eval()
    made.moderate_head.temperature.data.fill_(temperature)
    made.moderate_hand.temperature.data.fill_(temperature)
    return made


def features(present: float = 1.0) -> Features:
    generator = torch.Generator().manual_seed(1)
    body, head = torch.randn(2, COUNT, D, generator=generator) * 3
    hands = torch.randn(COUNT, 2, D, generator=generator) * 3
    parts = PartFeatures(head, hands)
    return Features(body, parts, torch.full((COUNT, 3), present))


@torch.no_grad()
def fused(
    rules: FusionRules, *, present: float = 1.0, temperature: float = 1.0
) -> PixieOutput:
    rows = torch.from_numpy(rules.row()).expand(COUNT, 4)
    output: PixieOutput = core(temperature)(features(present), rows)
    return output


def test_the_paper_s_rules_are_the_plain_fusion() -> None:
    with torch.no_grad():
        plain = core()(features())
    ruled = fused(FusionRules.paper())
    torch.testing.assert_close(plain.features.hands, ruled.features.hands)
    torch.testing.assert_close(plain.fused.head["exp"], ruled.fused.head["exp"])


def test_pasted_features_are_the_parts_own() -> None:
    output = fused(FusionRules.pasted())
    torch.testing.assert_close(output.features.stacked(), features().parts.stacked())


def test_a_hand_that_is_sure_enough_takes_over_and_a_head_never_does() -> None:
    output = fused(FusionRules.release(), temperature=20.0)
    sure = output.part_weights > 0.7
    assert sure[:, 1:].any()
    assert not sure[:, 1:].all()
    taken = (output.features.stacked() == features().parts.stacked()).all(-1)
    torch.testing.assert_close(taken[:, 1:], sure[:, 1:])
    torch.testing.assert_close(output.features.head, output.mixed.head)
    unsure = ~sure[:, 1:]
    torch.testing.assert_close(
        output.features.hands[unsure], output.mixed.hands[unsure]
    )


def test_the_weights_told_are_the_moderators_whatever_the_rules() -> None:
    told = [
        fused(rules, temperature=20.0).weights
        for rules in (FusionRules.release(), FusionRules.paper(), FusionRules.pasted())
    ]
    torch.testing.assert_close(told[0], told[1])
    torch.testing.assert_close(told[0], told[2])


def test_local_expression_and_fingers_come_from_the_part_experts() -> None:
    output = fused(FusionRules.release())
    own = output.part_only
    torch.testing.assert_close(output.fused.head["exp"], own.head["exp"])
    torch.testing.assert_close(
        output.fused.hands["right_hand_pose"], own.hands["right_hand_pose"]
    )
    mixed = output.regressed
    torch.testing.assert_close(output.fused.head["shape"], mixed.head["shape"])
    torch.testing.assert_close(
        output.fused.hands["right_wrist_pose"], mixed.hands["right_wrist_pose"]
    )


@given(
    paste=st.booleans(),
    takeover=st.none() | st.floats(0, 1),
    local=st.booleans(),
)
def test_a_part_nobody_saw_is_the_body_s_guess_under_any_rules(
    paste: bool, takeover: float | None, local: bool
) -> None:
    output = fused(FusionRules(paste, takeover, local), present=0.0)
    for name, values in output.fused.head.items():
        torch.testing.assert_close(values, output.body_only.head[name])
    for name, values in output.fused.hands.items():
        torch.testing.assert_close(values, output.body_only.hands[name])


def test_the_coarse_person_is_the_one_without_part_experts() -> None:
    with torch.no_grad():
        coarse = core().coarse(features().body)
    naive = fused(FusionRules.release(), present=0.0).fused
    for part, other in (
        (coarse.body, naive.body),
        (coarse.head, naive.head),
        (coarse.hands, naive.hands),
    ):
        for name, values in part.items():
            torch.testing.assert_close(values, other[name])
