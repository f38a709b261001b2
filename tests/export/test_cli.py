import pickle
from pathlib import Path

import numpy as np
import pytest

from pixie_export.cli import main
from pixie_runtime.body import embedded_body_model
from tests.export.sentences import the_sentence
from tests.runtime.body.files import in_smplx_layout, save


def run(*arguments: object) -> int:
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def test_verify_prints_two_tables_and_a_verdict(
    tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("verify", tiny_bundle) == 0
    out = capsys.readouterr().out
    assert "Each network on its recorded input:" in out
    assert "One after the other:" in out
    assert out.endswith(
        "tiny: within 0.05 degrees, 0.1 mm and 0.001 of every result's size\n"
    )


def test_verify_fails_in_one_sentence_beyond_the_limits(
    tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("verify", tiny_bundle, "--relative", "1e-12") == 5
    assert "at most 1e-12 is allowed" in the_sentence(capsys.readouterr().err)


def test_verify_asks_for_engines_where_it_is_told_they_are(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = tmp_path / "nowhere"
    options = ["--engine", "tensorrt", "--engines", nowhere]
    assert run("verify", tiny_bundle, *options) == 2
    assert f"--engines {nowhere}: there is no" in the_sentence(capsys.readouterr().err)


def test_a_folder_that_is_no_bundle_is_said_to_be_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("verify", tmp_path) == 5
    assert "is not a bundle" in capsys.readouterr().err


@pytest.fixture(scope="module")
def body_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded body in SMPL-X's layout, 300 + 100 coefficients wide."""
    arrays = in_smplx_layout(embedded_body_model())
    return save(tmp_path_factory.mktemp("body") / "SMPLX_NEUTRAL_2020.npz", arrays)


def official(
    tmp_path: Path, body_model: Path, checkpoint: Path | None = None, **more: object
) -> int:
    if checkpoint is None:
        checkpoint = tmp_path / "pixie_model.tar"
        checkpoint.write_bytes(b"cut short")
    options = [item for name, value in more.items() for item in (f"--{name}", value)]
    return run(
        "official",
        checkpoint,
        "--body-model",
        body_model,
        "--out",
        tmp_path / "b",
        *options,
    )


def test_a_checkpoint_that_is_cut_short_leaves_no_bundle(
    tmp_path: Path, body_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert official(tmp_path, body_model) == 5
    assert "pixie_model.tar cannot be read as a checkpoint" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


def test_a_checkpoint_that_is_not_there_is_named(
    tmp_path: Path, body_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert official(tmp_path, body_model, tmp_path / "nothing.tar") == 5
    assert "nothing.tar" in capsys.readouterr().err


def test_another_place_than_a_bundle_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.txt").touch()
    assert official(tmp_path, tmp_path / "no_body.npz") == 5
    assert "other things in it" in capsys.readouterr().err


@pytest.mark.parametrize("columns", [20, 26])
def test_a_body_of_few_coefficients_is_refused(
    tmp_path: Path,
    body_model: Path,
    capsys: pytest.CaptureFixture[str],
    columns: int,
) -> None:
    with np.load(body_model) as file:
        arrays = dict(file)
    arrays["shapedirs"] = arrays["shapedirs"][:, :, :columns]
    other = save(tmp_path / "SMPLX_NEUTRAL.npz", arrays)
    assert official(tmp_path, other) == 4
    expected = "has 10 shape and 10 expression" if columns == 20 else "has 26 columns"
    assert expected in the_sentence(capsys.readouterr().err)


def test_a_body_that_lacks_an_array_is_refused(
    tmp_path: Path, body_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with np.load(body_model) as file:
        arrays = {name: array for name, array in file.items() if name != "posedirs"}
    other = save(tmp_path / "SMPLX_NEUTRAL.npz", arrays)
    assert official(tmp_path, other) == 4
    assert '"posedirs"' in capsys.readouterr().err


def test_utilities_that_are_no_folder_are_refused(
    tmp_path: Path, body_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert official(tmp_path, body_model, utilities=tmp_path / "nowhere") == 4
    assert "is not a folder" in capsys.readouterr().err


def test_utilities_of_another_body_are_refused(
    tmp_path: Path, body_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    utilities = tmp_path / "utilities"
    utilities.mkdir()
    regressor = np.zeros((14, 10475), np.float32)
    (utilities / "SMPLX_to_J14.pkl").write_bytes(pickle.dumps(regressor))
    assert official(tmp_path, body_model, utilities=utilities) == 4
    assert "use the files of one download" in capsys.readouterr().err


def test_asking_for_help_names_every_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("--help") == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("landmark", "official", "trace", "verify"))
