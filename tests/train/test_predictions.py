import pytest
import torch
from torch import Tensor

from pixie_runtime.smplx import (
    JAW,
    JOINT_INDEX,
    LEFT_EYE,
    RIGHT_EYE,
    RIGHT_HAND_JOINTS,
)
from pixie_train.camera import project
from pixie_train.key_points import KeyPoints
from pixie_train.networks.pixie import RawParams
from pixie_train.predictions import of_hand, of_head, of_person
from tests.train.losses.samples import N_BETAS
from tests.train.raw_people import head_own, raw_people

HEAD, WRIST = JOINT_INDEX["head"], JOINT_INDEX["right_wrist"]


@pytest.fixture(scope="module")
def raw() -> RawParams:
    return raw_people()


def test_a_person_is_projected_by_the_bodys_camera(
    raw: RawParams, key_points: KeyPoints
) -> None:
    said = of_person(raw, key_points)
    expected = project(said.points_3d, raw.body["body_cam"])[..., :2]
    assert torch.equal(said.points_2d, expected)
    assert said.points_3d.shape == (2, 145, 3)
    assert said.texture is None


def test_a_head_alone_holds_what_the_same_head_on_a_body_does(
    raw: RawParams, key_points: KeyPoints
) -> None:
    """Jaw and eyes lie where they do on the person, seen from the head joint."""
    own = head_own()
    person, head = of_person(raw, key_points), of_head(raw.head, own, key_points)
    assert head.light is not None
    assert torch.equal(head.light.flatten(1), own["light"])
    torch.testing.assert_close(head.absolute[:, 0], person.absolute[:, 0])
    face = [JAW, LEFT_EYE, RIGHT_EYE]
    ours, theirs = (
        said.points_3d[:, face] - said.points_3d[:, [HEAD]] for said in (head, person)
    )
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_a_hand_alone_holds_what_the_same_hand_on_a_body_does(
    raw: RawParams, key_points: KeyPoints
) -> None:
    right = {name: values[:, 1] for name, values in raw.hands.items()}
    own = {"hand_cam": torch.ones(2, 3)}
    person = of_person(raw, key_points)
    hand = of_hand(right, own, key_points, betas=raw.head["shape"])
    torch.testing.assert_close(hand.absolute[:, 2], person.absolute[:, 2])
    fingers = list(RIGHT_HAND_JOINTS)
    ours, theirs = (
        said.points_3d[:, fingers] - said.points_3d[:, [WRIST]]
        for said in (hand, person)
    )
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    assert torch.equal(of_hand(right, own, key_points).betas, torch.zeros(2, N_BETAS))


def test_what_a_network_says_in_half_precision_is_compared_in_single(
    raw: RawParams, key_points: KeyPoints
) -> None:
    def halved(values: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: value.bfloat16() for name, value in values.items()}

    half = RawParams(halved(raw.body), halved(raw.head), halved(raw.hands))
    said = of_person(half, key_points)
    assert said.points_2d.dtype == torch.float32
    torch.testing.assert_close(
        said.points_3d, of_person(raw, key_points).points_3d, atol=0.1, rtol=0
    )
