import torch

from pixie_runtime.smplx import PARENTS
from pixie_train import rotations
from pixie_train.config import CoreConfig
from pixie_train.networks.decoding import decode
from pixie_train.networks.moderator import Moderator
from pixie_train.networks.pixie import Features, PartFeatures, PixieCore, RawParams
from pixie_train.networks.regressors import BODY_OUTPUTS, Regressor

D = 24


def core() -> PixieCore:
    torch.manual_seed(0)
    return PixieCore(
        CoreConfig(
            feature_dim=D,
            regressor_width=16,
            moderator_width=8,
            n_betas=10,
            n_expression=12,
            n_texture=5,
        )
    )


def features(seed: int = 0, present: float = 1.0) -> Features:
    generator = torch.Generator().manual_seed(seed)
    body, head, left, right = torch.randn(4, 3, D, generator=generator)
    parts = PartFeatures(head, torch.stack([left, right], dim=1))
    return Features(body, parts, torch.full((3, 3), present))


def random_raw(seed: int) -> RawParams:
    generator = torch.Generator().manual_seed(seed)

    def vector(size: int) -> torch.Tensor:
        return torch.randn(2, size, generator=generator)

    sizes = {"right_wrist_pose": 6, "right_hand_pose": 90}
    return RawParams(
        body={name: vector(size) for name, size in BODY_OUTPUTS.items()},
        head={
            "shape": vector(10),
            "exp": vector(12),
            "head_pose": vector(6),
            "jaw_pose": vector(3) * 0.2,
        },
        hands={
            name: torch.stack([vector(size), vector(size)], dim=1)
            for name, size in sizes.items()
        },
    )


def test_an_expert_that_saw_nothing_is_given_no_weight() -> None:
    weights = Moderator(D, 8)(*torch.randn(2, 5, D), torch.zeros(5))
    assert weights[:, 1].max() < 1e-6


def test_fused_features_lie_between_the_two_by_the_weights_told() -> None:
    output, seen = core()(features()), features()
    torch.testing.assert_close(output.weights.sum(-1), torch.ones(3, 3))
    body, part = output.weights[..., :1], output.weights[..., 1:]
    expected = body * output.extracted.stacked() + part * seen.parts.stacked()
    torch.testing.assert_close(output.features.stacked(), expected)


def test_a_higher_temperature_makes_the_moderator_surer() -> None:
    moderator = Moderator(D, 8)
    e, F = torch.randn(2, 5, D)
    mild = moderator(e, F, torch.ones(5))
    moderator.temperature.data.fill_(4.0)
    sure = moderator(e, F, torch.ones(5))
    assert ((sure - 0.5).abs() >= (mild - 0.5).abs()).all()


def test_absent_parts_make_the_fused_person_the_body_only_person() -> None:
    output = core()(features(present=0.0))
    for name, value in output.fused.head.items():
        torch.testing.assert_close(value, output.body_only.head[name])
    assert output.update == 0


def test_regressors_begin_at_rest() -> None:
    out = Regressor(D, [16], BODY_OUTPUTS)(torch.zeros(1, D))
    R = rotations.matrix_from_6d(out["partbody_pose"].reshape(17, 6))
    torch.testing.assert_close(R, torch.eye(3).expand(17, 3, 3), atol=0.1, rtol=0)


def test_head_and_wrists_end_up_where_they_were_regressed() -> None:
    raw = random_raw(1)
    decoded = decode(raw)
    absolute: list[torch.Tensor] = []
    for joint, parent in enumerate(PARENTS):
        local = decoded.rotations[:, joint]
        absolute.append(local if parent < 0 else absolute[parent] @ local)
    head = rotations.matrix_from_6d(raw.head["head_pose"])
    mirrored, right = rotations.matrix_from_6d(raw.hands["right_wrist_pose"]).unbind(1)
    left = rotations.mirror(mirrored)
    for joint, expected in ((15, head), (20, left), (21, right)):
        torch.testing.assert_close(absolute[joint], expected, atol=1e-4, rtol=0)


def test_swapped_hands_decode_to_a_mirror_image() -> None:
    raw = random_raw(2)
    hands = {name: values.flip(1) for name, values in raw.hands.items()}
    swapped = RawParams(raw.body, raw.head, hands)
    fingers = decode(raw).rotations[:, 25:40]
    torch.testing.assert_close(
        rotations.mirror(fingers), decode(swapped).rotations[:, 40:55]
    )


def test_wrist_errors_do_not_bend_the_spine() -> None:
    raw = random_raw(3)
    for vector in raw.body.values():
        vector.requires_grad_()
    decoded = decode(raw)
    torch.autograd.backward(decoded.rotations[:, 21].sum())
    pose = raw.body["partbody_pose"]
    assert pose.grad is None or pose.grad.abs().max() == 0
