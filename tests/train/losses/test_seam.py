"""Networks' vectors through predictions to the loss and back."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from pixie_runtime.body import BodyModel
from pixie_train.batch import CROP_SIZE, Batch, CropKind, Pictures, Targets
from pixie_train.body_model import TorchSurface
from pixie_train.camera import project
from pixie_train.key_points import KeyPoints
from pixie_train.losses.photometric import with_faces
from pixie_train.losses.stage import StageLosses
from pixie_train.losses.weights import HEAD_WEIGHTS, StageWeights, TermWeights
from pixie_train.networks.pixie import RawParams
from pixie_train.predictions import Predictions, RenderedFace, of_head, of_person
from pixie_train.shape_gaussians import ShapeGaussians
from tests.train.losses.samples import N_BETAS, N_EXPRESSION
from tests.train.raw_people import head_own, raw_people


@pytest.fixture(scope="module")
def gaussians(model: BodyModel) -> ShapeGaussians:
    return ShapeGaussians.of_model(model, N_BETAS)


def labelled(said: Predictions, kind: CropKind) -> Batch:
    """Return a batch in which everything is known and is what was said."""
    count = len(said.betas)
    targets = Targets.unknown(count, n_betas=N_BETAS, n_expression=N_EXPRESSION)
    ones = torch.ones(count, 145)
    targets = replace(
        targets,
        xy=said.points_2d,
        xy_confidence=ones,
        xyz=said.points_3d + 3,
        xyz_confidence=ones,
        rotations=said.rotations,
        rotations_known=torch.ones(count, 55, dtype=torch.bool),
        absolute=said.absolute,
        absolute_known=torch.ones(count, 3, dtype=torch.bool),
        betas=said.betas,
        betas_known=torch.ones_like(said.betas, dtype=torch.bool),
        expression=said.expression,
        expression_known=torch.ones_like(said.expression, dtype=torch.bool),
    )
    pictures = Pictures(torch.zeros(count, 3, CROP_SIZE, CROP_SIZE, dtype=torch.uint8))
    return Batch(kind, pictures, targets, ("said",) * count)


def supervised(weights: TermWeights) -> TermWeights:
    return replace(
        weights,
        expression_prior=0,
        jaw_prior=0,
        yaw_prior=0,
        shape_prior=0,
        texture_prior=0,
        light_prior=0,
        update=0,
    )


def misplaced(said: Predictions, truth: Predictions) -> float:
    """Return how far key points are from the truth's about the pelvis, metres."""
    ours, theirs = (p.points_3d - p.points_3d[:, :1] for p in (said, truth))
    return float((ours - theirs).detach().norm(dim=-1).mean())


def test_descending_the_whole_loss_brings_bodies_to_where_they_should_be(
    key_points: KeyPoints, gaussians: ShapeGaussians
) -> None:
    truth = of_person(raw_people(), key_points)
    losses = StageLosses(supervised(StageWeights().whole), gaussians)
    known, raw = labelled(truth, CropKind.BODY), raw_people()
    g = torch.Generator().manual_seed(1)
    leaves = [v for part in (raw.body, raw.head, raw.hands) for v in part.values()]
    for leaf in leaves:
        leaf += 0.3 * torch.randn(leaf.shape, generator=g)
        leaf.requires_grad_()
    before = misplaced(of_person(raw, key_points), truth)
    optimiser = torch.optim.Adam(leaves, 0.03)
    for _ in range(60):
        cost = losses(of_person(raw, key_points), known)
        optimiser.zero_grad()
        cost.total.backward()
        optimiser.step()
    after = misplaced(of_person(raw, key_points), truth)
    assert before > 0.15
    assert after < 0.4 * before


def test_the_truth_itself_costs_nothing(
    key_points: KeyPoints, gaussians: ShapeGaussians
) -> None:
    person = of_person(raw_people(), key_points)
    head = of_head(raw_people().head, head_own(), key_points)
    for said, kind, weights in (
        (person, CropKind.BODY, StageWeights().whole),
        (head, CropKind.HEAD, HEAD_WEIGHTS),
        (person, CropKind.HAND, StageWeights().hand),
    ):
        losses = StageLosses(supervised(weights), gaussians)
        cost = losses(said, labelled(said, kind)).total.item()
        assert cost == pytest.approx(0, abs=2e-5)


def test_autocasting_does_not_reach_geometry(
    key_points: KeyPoints, gaussians: ShapeGaussians
) -> None:
    losses = StageLosses(StageWeights().body, gaussians)
    raw = raw_people(seed=0)
    known = labelled(of_person(raw_people(seed=1), key_points), CropKind.BODY)

    def cost() -> tuple[Predictions, Tensor]:
        said = of_person(raw, key_points)
        return said, losses(said, known).total

    plain, expected = cost()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        said, found = cost()
    assert torch.equal(said.points_3d, plain.points_3d)
    assert torch.equal(found, expected)


def test_everything_is_computed_where_the_batch_is(
    model: BodyModel, gaussians: ShapeGaussians, key_points: KeyPoints
) -> None:
    """On a device that computes nothing: a tensor of another one would be refused."""

    def away(values: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: value.to("meta") for name, value in values.items()}

    raw = raw_people()
    there = RawParams(away(raw.body), away(raw.head), away(raw.hands))
    points = deepcopy(key_points).to("meta")
    losses = StageLosses(StageWeights().whole, gaussians).to("meta")
    known = labelled(of_person(raw, key_points), CropKind.BODY).to("meta")
    assert losses(of_person(there, points), known).total.device.type == "meta"
    head = of_head(there.head, away(head_own()), points)
    losses = StageLosses(HEAD_WEIGHTS, gaussians).to("meta")
    known = replace(known, kind=CropKind.HEAD)
    assert losses(head, known).total.device.type == "meta"


class Dots:
    """Draws faces as one dot at the mean of the vertices, coloured by the texture."""

    def __call__(
        self, vertices: Tensor, camera: Tensor, texture: Tensor, light: Tensor
    ) -> RenderedFace:
        centre = project(vertices, camera)[..., :2].mean(1)
        axis = torch.linspace(-1, 1, CROP_SIZE)
        distance = (axis - centre[:, :1]).square()[:, None] + (
            axis - centre[:, 1:]
        ).square()[..., None]
        colour = texture[:, :3] + light[:, 0]
        image = torch.exp(-distance)[:, None] * colour[..., None, None]
        return RenderedFace(image, (distance < 1)[:, None].float().detach())


def test_faces_are_drawn_from_what_was_said_and_teach_it(
    model: BodyModel, key_points: KeyPoints, gaussians: ShapeGaussians
) -> None:
    shared, own = raw_people().head, head_own()
    for value in (*shared.values(), *own.values()):
        value.requires_grad_()
    surface = TorchSurface(model, n_betas=N_BETAS, n_expression=N_EXPRESSION)
    said = with_faces(of_head(shared, own, key_points), surface, Dots())
    known = labelled(said, CropKind.HEAD)
    skin = torch.ones(len(said.betas), 1, CROP_SIZE, CROP_SIZE, dtype=torch.bool)
    known = replace(known, targets=replace(known.targets, face_mask=skin))
    losses = StageLosses(TermWeights(photometric=1.0), gaussians)
    losses(said, known).total.backward()
    for name in ("shape", "exp", "head_pose"):
        gradient = shared[name].grad
        assert gradient is not None
        assert gradient.abs().sum() > 0
    for name, value in own.items():
        assert value.grad is not None, name
        assert value.grad.abs().sum() > 0
    person = of_person(raw_people(), key_points)
    with pytest.raises(ValueError, match="only heads have the texture"):
        with_faces(person, surface, Dots())
