from dataclasses import replace

import pytest
import torch

from pixie_train.batch import (
    NO_IDENTITY,
    Batch,
    CropKind,
    Pictures,
    Targets,
    join,
    unit_range,
)
from pixie_train.gender import Gender
from tests.train.losses.samples import batch


def test_nothing_is_known_of_unknown_people() -> None:
    targets = Targets.unknown(2, n_betas=10, n_expression=5)
    for confidence in (targets.xy_confidence, targets.xyz_confidence):
        assert (confidence == 0).all()
    for known in (
        targets.rotations_known,
        targets.absolute_known,
        targets.betas_known,
        targets.expression_known,
    ):
        assert not known.any()
    assert targets.gender.tolist() == [Gender.UNKNOWN] * 2
    assert targets.identity.tolist() == [NO_IDENTITY] * 2


def test_joined_batches_are_in_order_and_keep_their_names() -> None:
    one, other = batch(count=1, seed=1), batch(count=2, seed=2)
    both = join([one, other])
    assert len(both) == 3
    assert both.names == one.names + other.names
    assert torch.equal(both.pictures.image[1:], other.pictures.image)
    assert torch.equal(both.targets.xyz[:1], one.targets.xyz)


def test_what_only_some_have_is_filled_with_what_it_means_to_lack_it() -> None:
    masked = batch(CropKind.HEAD, 1)
    plain = batch(CropKind.HEAD, 1, known=False)
    hidden = torch.tensor([[True, False, True]])
    masked = replace(masked, pictures=replace(masked.pictures, parts_seen=hidden))
    both = join([plain, masked])
    assert both.targets.face_mask is not None
    assert both.targets.face_mask.flatten(1).any(1).tolist() == [False, True]
    assert both.pictures.parts_seen is not None
    assert both.pictures.parts_seen.tolist() == [[True] * 3, [True, False, True]]
    assert join([plain, plain]).targets.face_mask is None


def test_kinds_and_part_boxes_do_not_mix() -> None:
    with pytest.raises(ValueError, match=r"of one kind, found \['body', 'hand'\]"):
        join([batch(CropKind.BODY), batch(CropKind.HAND)])
    boxed = batch(count=1)
    boxes = torch.zeros(1, 3, 3)
    boxed = replace(boxed, pictures=replace(boxed.pictures, part_boxes=boxes))
    with pytest.raises(ValueError, match="1 of 2 samples have a part_boxes"):
        join([boxed, batch(count=1)])


def test_shapes_that_do_not_fit_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"image has shape \(2, 3, 100, 224\), exp"):
        Pictures(torch.zeros(2, 3, 100, 224, dtype=torch.uint8))
    targets = Targets.unknown(2, n_betas=10, n_expression=5)
    with pytest.raises(ValueError, match="betas_known has shape"):
        replace(targets, betas=torch.zeros(2, 11))
    pictures = Pictures(torch.zeros(1, 3, 224, 224, dtype=torch.uint8))
    with pytest.raises(ValueError, match="targets has 2 samples, but 1 are named"):
        Batch(CropKind.BODY, pictures, targets, ("a",))


def test_a_batch_moves_whole() -> None:
    moved = batch().to("meta")
    assert moved.pictures.image.device.type == "meta"
    assert moved.targets.betas.device.type == "meta"
    assert moved.names == batch().names


def test_pictures_are_between_nought_and_one() -> None:
    picture = torch.tensor([0, 51, 255], dtype=torch.uint8)
    assert unit_range(picture).tolist() == pytest.approx([0.0, 0.2, 1.0])
