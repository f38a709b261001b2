from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial import procrustes
from torch import Tensor

from pixie_runtime.body import BodyModel
from pixie_train import rotations
from pixie_train.ablation.crops import upright
from pixie_train.ablation.scores import Ruler, aligned
from pixie_train.batch import Targets
from pixie_train.networks.decoding import DecodedParams

COUNT = 3


@pytest.fixture(scope="module")
def ruler(model: BodyModel) -> Ruler:
    return Ruler(model, n_betas=12, n_expression=6)


@pytest.fixture(scope="module")
def known(model: BodyModel) -> Targets:
    """Return people whose later coefficients are zero, so that 12 say all of them."""
    generator = torch.Generator().manual_seed(4)
    nobody = Targets.unknown(
        COUNT, n_betas=model.n_betas, n_expression=model.n_expression
    )
    six = torch.randn(COUNT, 55, 6, generator=generator) * 0.2
    six[..., 0] += 1
    six[..., 3] += 1
    nobody.betas[:, :12] = torch.randn(COUNT, 12, generator=generator)
    nobody.expression[:, :6] = torch.randn(COUNT, 6, generator=generator)
    return replace(nobody, rotations=rotations.matrix_from_6d(six))


def said(known: Targets) -> DecodedParams:
    """Return the truth as a network would say it."""
    return DecodedParams(
        rotations=known.rotations.clone(),
        absolute=known.absolute,
        head_unchecked=known.absolute[:, 0],
        betas=known.betas[:, :12],
        expression=known.expression[:, :6],
        camera=torch.zeros(COUNT, 3),
    )


def rotated(R: Tensor, joint: int) -> Tensor:
    changed = R.clone()
    quarter = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    changed[:, joint] = changed[:, joint] @ quarter
    return changed


def test_the_truth_has_no_error(ruler: Ruler, known: Targets) -> None:
    for name, error in ruler.errors(said(known), known).items():
        assert error.max() < 2e-3, name


def test_a_turned_wrist_is_seen_by_tr_and_not_by_pa(
    ruler: Ruler, known: Targets
) -> None:
    params = said(known)
    params = replace(params, rotations=rotated(params.rotations, 20))
    found = ruler.errors(params, known)
    assert found["left_hand_tr"].min() > 20
    # The wrist's own skin bends: most of the hand is rigid.
    assert found["left_hand_pa"].max() < found["left_hand_tr"].min() / 4
    assert found["right_hand_tr"].max() < 2e-3


def test_a_turned_person_keeps_pa_and_shape(ruler: Ruler, known: Targets) -> None:
    params = said(known)
    params = replace(params, rotations=rotated(params.rotations, 0))
    found = ruler.errors(params, known)
    assert found["all_tr"].min() > 100
    assert max(found["all_pa"].max(), found["shape"].max()) < 2e-2


def test_shape_is_in_millimetres_and_its_scaled_one_forgives_height(
    ruler: Ruler, known: Targets
) -> None:
    taller = known.betas[:, :12].clone()
    taller[:, 0] += 2
    found = ruler.shape_errors(taller, known.betas)
    assert (found["shape"] > found["shape_scaled"]).all()
    assert 5 < found["shape"].mean() < 300


def test_alignment_is_that_of_scipy() -> None:
    generator = torch.Generator().manual_seed(1)
    a, b = torch.randn(2, 4, 30, 3, generator=generator, dtype=torch.float64)
    moved = aligned(a, b)
    for ours, point, target in zip(moved, a, b, strict=True):
        # SciPy brings both to unit size and lets reflections in: compare where it has
        # none, by the disparity.
        _, _, disparity = procrustes(target.numpy(), point.numpy())
        centred = target - target.mean(0)
        share = float((ours - target).square().sum() / centred.square().sum())
        assert share >= disparity - 1e-9
        if share < disparity + 1e-6:
            return
    pytest.fail("in none of four cases is the alignment as good as SciPy's")


def test_alignment_finds_a_similarity_again_and_makes_no_mirror_images() -> None:
    generator = torch.Generator().manual_seed(2)
    points = torch.randn(2, 40, 3, generator=generator, dtype=torch.float64)
    R = rotations.matrix_from_euler_xyz(torch.tensor([[0.3, 2.0, -1.0]]).double())
    target = 2.5 * points @ R[0] + torch.tensor([1.0, -4.0, 2.0])
    np.testing.assert_allclose(aligned(points, target), target, atol=1e-9)
    mirrored = points * torch.tensor([-1.0, 1.0, 1.0])
    assert (aligned(mirrored, points) - points).norm(dim=-1).mean() > 0.1


def test_upright_people_are_those_who_stand_and_face_the_camera() -> None:
    facing = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    away = torch.diag(torch.tensor([-1.0, -1.0, 1.0]))
    upside_down = torch.diag(torch.tensor([-1.0, 1.0, -1.0]))
    people = torch.stack([facing, away, upside_down])
    assert upright(people).tolist() == [True, False, False]
