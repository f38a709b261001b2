"""A real small bundle in fewer bits, from the command line to people."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from pixie_export.calibration_crops import calibration_crops
from pixie_export.cli import main
from pixie_export.half_choice import group_costs, groups
from pixie_export.int8_choice import choose_int8
from pixie_export.judging import ImageJudge
from pixie_export.onnx_networks import load_network
from pixie_export.quantised_graph import Range, observed, quantisable
from pixie_export.verification import MeanLimits, Spread, StageReport, Verification
from pixie_runtime.bundle import MANIFEST_NAME, Bundle, embedded_bundle
from pixie_runtime.cli import main as live
from pixie_runtime.errors import BundleError, SourceError
from tests.export.sentences import the_sentence
from tests.export.small_networks import encoder

CALIBRATION = ["--calibrate", "demo", "--pictures", "3"]


@pytest.fixture(scope="module")
def bundle(small_bundle: Path) -> Path:
    return small_bundle


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*arguments: str | Path) -> str:
        with pytest.raises(SystemExit) as stopped:
            main(["precision", *map(str, arguments)])
        assert stopped.value.code in (2, 3, 5)
        return the_sentence(capsys.readouterr().err)

    return run


@pytest.fixture(scope="module")
def int8(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("precision") / "int8"
    main(["precision", str(bundle), "--to", "int8", "--out", str(out), *CALIBRATION])
    return out


@pytest.mark.parametrize(
    ("precision", "options", "of"),
    [
        # Looking for what float16 costs takes half a minute on networks of full depth.
        ("float16", ["--to", "fp16"], "tiny_bundle"),
        (
            "int8 for TensorRT",
            ["--to", "int8", *CALIBRATION, "--for", "tensorrt"],
            "small_bundle",
        ),
    ],
)
def test_a_bundle_in_fewer_bits_is_smaller_and_still_itself(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    precision: str,
    options: list[str],
    of: str,
) -> None:
    bundle: Path = request.getfixturevalue(of)
    out = tmp_path / "out"
    main(["precision", str(bundle), "--out", str(out), *options])
    made = Bundle.open(out).manifest
    assert made.precision == precision
    assert made.provenance["converted_by"] == "pixie-export precision"
    assert "float32 in fuse" in made.provenance
    weights = [(folder / "weights.bin").stat().st_size for folder in (out, bundle)]
    assert weights[0] < weights[1]
    main(["verify", str(out)])
    assert f"within {precision}'s" in capsys.readouterr().out


def test_an_int8_bundle_runs_live(
    int8: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--demo", "--max-frames", "2", "--record", "take.npz", "--quiet"]
    assert live([*options, "--bundle", str(int8), "--engine", "onnxruntime"]) == 0
    with np.load("take.npz") as take:
        assert np.isfinite(take["poses"]).all()


def made_by(bundle: Path, maker: str) -> Path:
    """Say who made a bundle."""
    path = bundle / MANIFEST_NAME
    manifest = json.loads(path.read_text())
    manifest["provenance"]["made_by"] = maker
    path.write_text(json.dumps(manifest))
    return bundle


def test_a_trained_bundle_is_refused_beyond_its_limits_and_nothing_is_written(
    tiny_bundle: Path, tmp_path: Path, refused: Callable[..., str]
) -> None:
    shutil.copytree(tiny_bundle, tmp_path / "tiny")
    trained = made_by(tmp_path / "tiny", "pixie-export official")
    out = tmp_path / "out"
    limits = ["--max-degrees", "1e-7"]
    sentence = refused(trained, "--to", "bf16", "--out", out, *limits)
    assert "degrees in the mean, at most 1e-07 is allowed" in sentence
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


def test_an_untrained_bundle_is_told_what_it_would_be_refused_for(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tiny_bundle, tmp_path / "tiny")
    untrained = made_by(tmp_path / "tiny", "pixie-export untrained")
    out = tmp_path / "out"
    limits = ["--max-degrees", "1e-7"]
    main(["precision", str(untrained), "--to", "bf16", "--out", str(out), *limits])
    assert "the networks are untrained" in capsys.readouterr().out
    assert Bundle.open(out).manifest.precision == "bfloat16"


def test_requests_that_make_no_sense_are_refused_in_one_sentence(
    bundle: Path, tmp_path: Path, refused: Callable[..., str]
) -> None:
    out = tmp_path / "out"
    assert "needs pictures to calibrate on: give --calibrate" in refused(
        bundle, "--to", "int8", "--out", out
    )
    assert "only int8 is calibrated" in refused(
        bundle, "--to", "fp16", "--out", out, "--calibrate", "demo"
    )
    for limit, nothing in (("--max-degrees", "0"), ("--max-millimetres", "nan")):
        assert f"{limit} {nothing}: expected more than 0" in refused(
            bundle, "--to", "fp16", "--out", out, limit, nothing
        )
    assert "is the bundle that is to be converted" in refused(
        bundle, "--to", "fp16", "--out", bundle
    )
    assert "looks at landmarks" in refused(
        embedded_bundle().folder, "--to", "int8", "--out", out, *CALIBRATION
    )
    missing = ["--calibrate", str(tmp_path / "nowhere")]
    assert "nowhere" in refused(bundle, "--to", "int8", "--out", out, *missing)
    assert not out.exists()


def test_what_was_converted_is_not_converted_again(
    int8: Path, tmp_path: Path, refused: Callable[..., str]
) -> None:
    sentence = refused(int8, "--to", "fp16", "--out", tmp_path / "out")
    assert "is already int8; convert the float32 bundle" in sentence


def test_footage_without_people_is_no_calibration(bundle: Path, tmp_path: Path) -> None:
    import cv2

    grey = np.full((240, 320, 3), 128, np.uint8)
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    with pytest.raises(SourceError, match="no body was found in the pictures of"):
        calibration_crops(Bundle.open(bundle), str(tmp_path))


def test_an_operator_that_onnx_does_not_know_is_named(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_bundle, tmp_path / "tiny")
    bundle = Bundle.open(tmp_path / "tiny")
    node = helper.make_node("Sparkle", ["F_b"], ["y"], domain="com.example")
    value = helper.make_tensor_value_info("F_b", TensorProto.FLOAT, [1])
    graph = helper.make_graph([node], "odd", [value], [])
    onnx.save(helper.make_model(graph), bundle.path_of("body"))
    with pytest.raises(BundleError, match=r"operator com\.example\.Sparkle, which can"):
        load_network(bundle, "body")


@pytest.mark.usefixtures("looked_at_demo")
def test_the_trained_landmark_bundle_passes_the_gate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    source = str(embedded_bundle().folder)
    main(["precision", source, "--to", "bf16", "--out", str(out)])
    assert "joint angles" in capsys.readouterr().out
    assert Bundle.open(out).manifest.kind == "landmark"
    main(["verify", str(out)])
    assert "within bfloat16's 0.5 degrees" in capsys.readouterr().out


def test_positions_are_worth_their_float32(bundle: Path) -> None:
    opened = Bundle.open(bundle)
    model = load_network(opened, "skinning")
    with ImageJudge(opened) as judge:
        worth = [group for group in groups(model, "float16") if group.worth]
        costs = list(
            group_costs("skinning", model, "float16", judge, MeanLimits(), worth)
        )
    assert any(cost.kept for cost in costs)
    assert not all(cost.kept for cost in costs)


class OneBadLayer:
    """A judge who dislikes one node in integers, and minds nothing else."""

    stages = ("body",)

    def __init__(self, bad: str) -> None:
        self.bad = bad

    def of(self, stage: str, model: onnx.ModelProto) -> StageReport:
        node = next(node for node in model.graph.node if node.name == self.bad)
        worse = any(name.endswith(".w.dequantised") for name in node.input)
        degrees = 30.0 if worse else 0.1
        return StageReport(stage, (), Spread(degrees, degrees))


def test_only_the_layer_that_costs_too_much_stays_in_float32() -> None:
    model = encoder()
    ranges = dict.fromkeys(observed(model), Range(-2.0, 2.0))
    limits = MeanLimits(degrees=2.0)
    judge = OneBadLayer("down")
    chosen = choose_int8("body", model, ranges, judge, limits, "cpu")
    assert chosen.kept == ("down",)
    assert set(quantisable(model)) > {"down"}
    unmixed = choose_int8("body", model, ranges, judge, limits, "cpu", mixed=False)
    assert unmixed.kept == ()


@pytest.mark.parametrize("mean", [3.0, float("nan")])
def test_a_mean_beyond_the_limit_is_refused(mean: float) -> None:
    report = StageReport("fuse", (), Spread(mean, mean))
    with pytest.raises(BundleError, match=r"fuse: joint angles differ from float32's"):
        Verification((), (report,)).require_mean(MeanLimits(2.0))


def test_only_precisions_of_fewer_bits_have_limits_of_their_own() -> None:
    assert MeanLimits.of("float32") is None
    assert MeanLimits.of("float16 weights, float32 arithmetic") is None
    assert MeanLimits.of("bfloat16") == MeanLimits(0.5)
    assert MeanLimits.of("int8") == MeanLimits(2.0)
