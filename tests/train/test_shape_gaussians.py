import sys
from pathlib import Path

import numpy as np
import pytest

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import ModelFileError, SinkError, UsageError
from pixie_train import cli
from pixie_train.gender import Gender
from pixie_train.shape_command import ShapeGaussiansOptions, run_shape_gaussians
from pixie_train.shape_estimation import estimate
from pixie_train.shape_file import (
    ShapeSamples,
    gaussians_for,
    read_gaussians,
    read_samples,
    write_gaussians,
)
from pixie_train.shape_gaussians import ShapeGaussian, ShapeGaussians
from tools.bake_body import people

FEMALE, MALE, NON_BINARY, UNKNOWN = Gender
DISTRIBUTIONS = ("female", "male", "everyone")
SAMPLES = Path(__file__).parents[1] / "golden" / "shape_samples.npz"


def assert_close(one: ShapeGaussians, other: ShapeGaussians, atol: float) -> None:
    for name in DISTRIBUTIONS:
        ours, theirs = getattr(one, name), getattr(other, name)
        np.testing.assert_allclose(ours.mean, theirs.mean, atol=atol)
        np.testing.assert_allclose(ours.covariance, theirs.covariance, atol=atol)


def test_women_men_and_everybody_by_hand() -> None:
    betas = np.array([[0.0, 0], [2, 2], [4, 2], [9, 9], [7, 9], [7, 7], [1, 1]])
    genders = (FEMALE, FEMALE, FEMALE, MALE, MALE, MALE, NON_BINARY)
    found = estimate(ShapeSamples(betas, genders))
    assert found.female.mean.tolist() == pytest.approx([2, 4 / 3])
    assert found.female.covariance.tolist() == [
        pytest.approx([4, 2]),
        pytest.approx([2, 4 / 3]),
    ]
    assert found.male.mean.tolist() == pytest.approx([23 / 3, 25 / 3])
    assert found.everyone.mean.tolist() == pytest.approx([30 / 7, 30 / 7])


def test_shrinkage_moves_towards_the_diagonal_and_leaves_it() -> None:
    g = np.random.default_rng(0)
    samples = ShapeSamples(g.normal(size=(40, 3)), (FEMALE, MALE) * 20)
    plain, half, whole = (estimate(samples, shrinkage=s) for s in (0, 0.5, 1))
    covariance = plain.male.covariance
    assert np.array_equal(whole.male.covariance, np.diag(np.diag(covariance)))
    expected = (covariance + whole.male.covariance) / 2
    np.testing.assert_allclose(half.male.covariance, expected)


def test_too_few_people_are_refused_with_a_way_out() -> None:
    g = np.random.default_rng(0)
    few = ShapeSamples(g.normal(size=(8, 5)), (FEMALE,) * 6 + (MALE, MALE))
    with pytest.raises(UsageError, match="have 2 men, but a covariance of 5 betas"):
        estimate(few)
    assert estimate(few, shrinkage=0.5).male.is_distribution()
    still = ShapeSamples(np.ones((9, 2)), (FEMALE,) * 9)
    with pytest.raises(UsageError, match="of the 9 women do not vary"):
        estimate(still)
    with pytest.raises(UsageError, match=r"the shrinkage is 2; expected"):
        estimate(few, shrinkage=2)


def test_strangers_are_spread_as_the_embedded_body_says(
    model: BodyModel, strangers: ShapeSamples
) -> None:
    """Where betas have most to say; 150 people tell a variance to about a tenth."""
    stored = ShapeGaussians.of_model(model, 5)
    found = estimate(strangers.first(5))
    for name in DISTRIBUTIONS:
        ours, theirs = getattr(found, name), getattr(stored, name)
        sd = np.sqrt(np.diag(theirs.covariance))
        assert (np.abs(ours.mean - theirs.mean) < 0.35 * sd).all(), name
        ratio = np.diag(ours.covariance) / np.diag(theirs.covariance)
        assert (np.abs(np.log(ratio)) < 0.5).all(), name
    assert stored.female.mean[0] < -0.5
    assert stored.male.mean[0] > 0.5


def test_all_people_are_standard_normal_as_principal_components_are(
    model: BodyModel,
) -> None:
    """The women and men whom the embedded body was baked of, put together.

    What is left off the diagonal is that its components count mirror images as well,
    its two Gaussians do not.
    """
    both = ShapeGaussians.of_model(model, model.n_betas)
    drawn = people.draw_phenotypes(np.random.default_rng(0), 1500)
    share = float((drawn[:, people.LABELS.index("gender")] > 0.5).mean())
    gap = both.female.mean - both.male.mean
    mean = share * both.female.mean + (1 - share) * both.male.mean
    within = share * both.female.covariance + (1 - share) * both.male.covariance
    mixed = within + share * (1 - share) * np.outer(gap, gap)
    np.testing.assert_allclose(mean, both.everyone.mean, atol=0.02)
    np.testing.assert_allclose(np.diag(mixed), 1, atol=2e-3)
    np.testing.assert_allclose(mixed, both.everyone.covariance, atol=0.06)


def test_fewer_coefficients_are_the_marginal_and_missing_ones_standard() -> None:
    whole = ShapeGaussian(np.array([1.0, 2.0]), np.array([[2.0, 1.0], [1.0, 3.0]]))
    assert whole.first(1).covariance.tolist() == [[2.0]]
    longer = whole.first(3)
    assert longer.mean.tolist() == [1, 2, 0]
    assert longer.covariance.tolist() == [[2, 1, 0], [1, 3, 0], [0, 0, 1]]


def test_a_model_that_does_not_say_it_is_told_what_to_do(
    official_model: BodyModel,
) -> None:
    with pytest.raises(ModelFileError, match="pixie-train shape-gaussians"):
        ShapeGaussians.of_model(official_model, 10)


def test_training_takes_the_file_then_the_model_then_everybody(
    model: BodyModel, official_model: BodyModel, tmp_path: Path
) -> None:
    path = tmp_path / "g.npz"
    moved = ShapeGaussian(np.ones(3), np.eye(3))
    write_gaussians(path, ShapeGaussians(moved, moved, moved), model)
    of_file, note = gaussians_for(model, path, 2)
    assert note is None
    assert of_file.male.mean.tolist() == [1, 1]
    of_body, note = gaussians_for(model, None, 2)
    assert note is None
    assert_close(of_body, ShapeGaussians.of_model(model, 2), 0)
    of_nobody, note = gaussians_for(official_model, None, 2)
    assert note is not None
    assert "all shapes are compared with all people's" in note
    assert_close(of_nobody, ShapeGaussians.ungendered(2), 0)


def test_the_command_writes_what_training_reads(
    model: BodyModel,
    strangers: ShapeSamples,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "g.npz"
    command = ["pixie-train", "shape-gaussians", str(SAMPLES), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", [*command, "--betas", "12"])
    cli.main()
    assert "12 betas of 153 women, 147 men and 300 people" in capsys.readouterr().out
    assert_close(read_gaussians(out, model), estimate(strangers.first(12)), 1e-12)
    monkeypatch.setattr(sys, "argv", [*command, "--betas", "51"])
    with pytest.raises(SystemExit, match="2"):
        cli.main()
    assert "51 betas were asked for, but the samples have 50" in capsys.readouterr().err


def test_files_that_are_not_what_they_should_be_are_refused(
    model: BodyModel, official_model: BodyModel, tmp_path: Path
) -> None:
    path = tmp_path / "g.npz"
    standard = ShapeGaussian.standard(3)
    write_gaussians(path, ShapeGaussians(standard, standard, standard), model)
    with pytest.raises(ModelFileError, match="computed for another body model"):
        read_gaussians(path, official_model)
    flat = ShapeGaussian(np.zeros(2), np.ones((2, 2)))
    write_gaussians(path, ShapeGaussians(flat, flat, flat), model)
    with pytest.raises(ModelFileError, match=r'"betas_cov_female" of .* no covariance'):
        read_gaussians(path, model)
    with pytest.raises(ModelFileError, match='"betas" of the file of shape samples'):
        read_samples(path)
    with pytest.raises(ModelFileError, match='"format" of the file of shape Gaussians'):
        read_gaussians(SAMPLES, model)
    np.savez(path, betas=np.full((4, 2), np.nan), gender=np.array(["f"] * 4))
    with pytest.raises(ModelFileError, match="not finite numbers"):
        read_samples(path)
    np.savez(path, betas=np.zeros((4, 2)), gender=np.array(["f"] * 3))
    with pytest.raises(ModelFileError, match=r"has shape \(3,\) instead of \(4\)"):
        read_samples(path)
    path.write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"expected an \.npz with numbers"):
        read_samples(path)


def test_a_result_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="cannot write"):
        run_shape_gaussians(ShapeGaussiansOptions(SAMPLES, tmp_path / "no" / "g.npz"))
