import time
from pathlib import Path

import numpy as np
import pytest

from pixie_bench import eager
from pixie_bench.cli import main
from pixie_bench.eager import Cost, EagerResult, Stopwatch, largest_angle
from pixie_runtime.rotations import from_rotvec, to_matrix
from tests.runtime.image_bundle import write_image_bundle


@pytest.mark.parametrize("degrees", [0.0, 0.01, 30.0, 150.0])
def test_the_largest_angle_is_that_of_the_most_turned_joint(degrees: float) -> None:
    vectors = np.random.default_rng(0).normal(size=(1, 55, 3))
    R = to_matrix(from_rotvec(vectors)).astype(np.float32)
    turn = to_matrix(from_rotvec(np.radians([0.0, 0.0, degrees])))
    turned = R.copy()
    turned[0, 20] = turn @ turned[0, 20]
    assert largest_angle(R, turned) == pytest.approx(degrees, abs=1e-4)


def test_the_table_tells_how_many_times_as_long_the_others_take() -> None:
    result = EagerResult(
        "here",
        engine=(Cost(100.0, 110.0), Cost(200.0, 220.0), Cost(300.0, 330.0)),
        eager={"released": (Cost(500.0, 880.0),), "lean": (Cost(300.0, 440.0),)},
        degrees=0.00014,
    )
    table = list(result.lines())
    assert table[2].split()[-5:] == ["200.0", "290.0", "1.00", "220.0", "1.00"]
    assert table[3].split()[-5:] == ["500.0", "500.0", "2.50", "880.0", "4.00"]
    assert table[4].split()[-5:] == ["300.0", "300.0", "1.50", "440.0", "2.00"]
    assert "0.00014 degrees" in table[5]
    assert table[6] == "here"


def test_waiting_costs_time_but_no_work() -> None:
    stopwatch = Stopwatch()
    time.sleep(0.2)
    cost = stopwatch.cost()
    assert cost.clock >= 200
    assert cost.cpu < 100


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("eager") / "bundle"
    write_image_bundle(folder, with_body_file=True)
    return folder


def test_what_pytorch_finds_wrong_with_a_file_is_one_sentence_here(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["eager", str(bundle), str(tmp_path / "nowhere.tar")]
    assert main([*arguments, "--engine", "onnxruntime"]) == 5
    error = capsys.readouterr().err
    assert "there is no checkpoint" in error
    assert error.count("\n") == 1


def test_without_pytorch_the_extra_is_named(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(eager, "find_spec", lambda name: None)
    assert main(["eager", str(bundle), "checkpoint.tar"]) == 7
    assert "pixie-live[export]" in capsys.readouterr().err


def test_a_bundle_without_a_body_model_was_made_of_no_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image_bundle(tmp_path / "bundle")
    assert main(["eager", str(tmp_path / "bundle"), "checkpoint.tar"]) == 5
    assert "pixie-export official" in capsys.readouterr().err


def test_no_rounds_is_one_sentence(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eager", str(bundle), "checkpoint.tar", "--rounds", "0"]) == 2
    assert "expected 1 or more" in capsys.readouterr().err
