from dataclasses import fields, replace

import pytest
import torch
from torch import Tensor

from pixie_runtime.errors import UsageError
from pixie_train.batch import Batch, CropKind, Targets, join
from pixie_train.divergence import not_finite
from pixie_train.losses.choices import Choices, Samples
from pixie_train.losses.stage import Loss, StageLosses
from pixie_train.losses.terms import TERMS
from pixie_train.losses.weights import StageWeights, TermWeights
from pixie_train.predictions import FeaturePairs, Predictions
from pixie_train.shape_gaussians import ShapeGaussians
from tests.train.losses.samples import N_BETAS, batch, predictions

PEOPLE = ShapeGaussians.ungendered(N_BETAS)
EVERYTHING = TermWeights(**{field.name: 1.0 for field in fields(TermWeights)})


def embed(picture: Tensor, _: Tensor) -> Tensor:
    """Recognise faces by the mean of each of their quarters."""
    return torch.nn.functional.adaptive_avg_pool2d(picture, 2).flatten(1)


def loss(
    said: Predictions,
    known: Batch,
    weights: TermWeights = EVERYTHING,
    choices: Choices | None = None,
) -> Loss:
    losses = StageLosses(weights, PEOPLE, choices=choices, embed=embed)
    result: Loss = losses(said, known)
    return result


def gradients(said: Predictions, cost: Loss) -> dict[str, Tensor | None]:
    inputs = {
        field.name: getattr(said, field.name)
        for field in fields(Predictions)
        if isinstance(getattr(said, field.name), Tensor)
    }
    found = torch.autograd.grad(cost.total, list(inputs.values()), allow_unused=True)
    return dict(zip(inputs, found, strict=True))


def test_every_weight_is_a_terms_and_every_term_has_a_weight() -> None:
    assert {field.name for field in fields(TermWeights)} == set(TERMS)


@pytest.mark.parametrize("kind", CropKind)
def test_the_terms_add_up_to_the_total(kind: CropKind) -> None:
    cost = loss(predictions(), batch(kind))
    assert set(cost.terms) == {n for n, term in TERMS.items() if kind in term.kinds}
    torch.testing.assert_close(torch.stack(list(cost.terms.values())).sum(), cost.total)
    assert all(value > 0 for value in cost.figures().values())


def test_a_weight_scales_its_term_and_no_other() -> None:
    said, known = predictions(), batch()
    once = loss(said, known).figures()
    thrice = loss(said, known, replace(EVERYTHING, body_2d=3.0)).figures()
    assert thrice.pop("body_2d") == pytest.approx(3 * once.pop("body_2d"))
    assert thrice == once


@pytest.mark.parametrize("samples", ["all", "known"])
@pytest.mark.parametrize("kind", CropKind)
def test_samples_of_which_nothing_is_known_change_nothing(
    kind: CropKind, samples: Samples
) -> None:
    """Not even if what stands in their place is no number."""
    labels = EVERYTHING
    for field in fields(TermWeights):
        if field.name.endswith("_prior") or field.name == "update":
            labels = replace(labels, **{field.name: 0.0})
    choices = Choices(samples=samples)
    said = predictions(5)
    known = batch(kind, 3)
    empty = batch(kind, 2, seed=9, known=False)
    nonsense = {
        field.name: torch.full_like(getattr(empty.targets, field.name), torch.nan)
        for field in fields(Targets)
        if field.name in {"xy", "xyz", "rotations", "absolute", "betas", "expression"}
    }
    empty = replace(empty, targets=replace(empty.targets, **nonsense))
    alone = loss(predictions_of(said, slice(0, 3)), known, labels, choices)
    together = loss(said, join([known, empty]), labels, choices)

    scale = 3 / 5 if samples == "all" else 1.0
    torch.testing.assert_close(together.total, scale * alone.total)
    for name, gradient in gradients(said, together).items():
        if gradient is not None:
            assert (gradient[3:] == 0).all(), name


def predictions_of(said: Predictions, people: slice) -> Predictions:
    assert said.rendered is not None
    assert said.features is not None
    cut = {
        field.name: getattr(said, field.name)[people]
        for field in fields(Predictions)
        if isinstance(getattr(said, field.name), Tensor)
    }
    rendered = replace(
        said.rendered,
        image=said.rendered.image[people],
        mask=said.rendered.mask[people],
    )
    features = FeaturePairs(
        said.features.body[people],
        said.features.fused[people],
        said.features.present[people],
    )
    return replace(said, **cut, rendered=rendered, features=features)


def test_no_stage_takes_a_weight_for_what_its_crops_do_not_have() -> None:
    with pytest.raises(UsageError, match=r"head\.body_2d is 1\.0, but head crops have"):
        StageWeights(head=TermWeights(body_2d=1.0))
    for stage in fields(StageWeights):
        weights = getattr(StageWeights(), stage.name)
        assert any(getattr(weights, term) for term in TERMS)


def test_a_batch_without_any_label_still_has_a_gradient_of_nothing() -> None:
    weights = TermWeights(body_2d=1.0)
    said = predictions()
    cost = loss(said, batch(known=False), weights)
    assert cost.total == 0
    found = gradients(said, cost)["points_2d"]
    assert found is not None
    assert (found == 0).all()


def test_halves_of_a_batch_add_up_to_the_whole_where_labels_are_uneven() -> None:
    """So that two processes train to what one does."""
    said = predictions(4)
    known = join([batch(count=3), batch(count=1, seed=5, known=False)])
    whole = loss(said, known).total
    cut = [
        loss(predictions_of(said, slice(0, 2)), batch_of(known, slice(0, 2))).total,
        loss(predictions_of(said, slice(2, 4)), batch_of(known, slice(2, 4))).total,
    ]
    torch.testing.assert_close(torch.stack(cut).mean(), whole)


def batch_of(known: Batch, people: slice) -> Batch:
    targets = {
        field.name: getattr(known.targets, field.name)[people]
        for field in fields(Targets)
        if getattr(known.targets, field.name) is not None
    }
    return Batch(
        known.kind,
        replace(known.pictures, image=known.pictures.image[people], parts_seen=None),
        replace(known.targets, **targets),
        known.names[people],
    )


def test_a_term_that_is_no_number_is_named() -> None:
    said = predictions()
    spoilt = replace(said, betas=torch.full_like(said.betas, torch.nan))
    cost = loss(spoilt, batch())
    assert list(not_finite({"total": cost.total, **cost.terms})) == [
        "betas",
        "shape_prior",
    ]
    assert not_finite(loss(said, batch()).terms) == {}


def test_a_weight_for_faces_asks_for_a_renderer_and_a_recognition_network() -> None:
    said, known = predictions(), batch(CropKind.HEAD)
    with pytest.raises(UsageError, match=r"identity is 1\.0, but there is no face rec"):
        StageLosses(TermWeights(identity=1.0), PEOPLE)
    with pytest.raises(UsageError, match=r"photometric is 2\.0, but no face was"):
        loss(replace(said, rendered=None), known, TermWeights(photometric=2.0))


def test_weights_that_make_no_sense_are_refused() -> None:
    for weight in (-1.0, float("inf"), float("nan")):
        with pytest.raises(UsageError, match="the loss weight lips is"):
            TermWeights(lips=weight)
    with pytest.raises(UsageError, match="all loss weights that hand crops have are 0"):
        loss(predictions(), batch(CropKind.HAND), TermWeights(lips=1.0))


def test_choices_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UsageError, match="lip_pairs has 68; expected pairs of land"):
        Choices(lip_pairs=((61, 68),))
    with pytest.raises(UsageError, match="eyelid_pairs has nothing"):
        Choices(eyelid_pairs=())
    with pytest.raises(
        UsageError, match=r"largest_yaw_deg is -1\.0; expected 0 to 180"
    ):
        Choices(largest_yaw_deg=-1.0)
