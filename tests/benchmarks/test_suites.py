"""Tiny cases from the command line to the files, with real engines and peers."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from pixie_bench import (
    cases,
    chain_suite,
    engines_suite,
    landmarks_suite,
    outputs_suite,
)
from pixie_bench import skinning_suite as meshes
from pixie_bench.bodies import write_embedded
from pixie_bench.bundles import command
from pixie_bench.cases import BUNDLES, LANDMARKS, LIVE, NETWORKS, SKINNING
from pixie_bench.cli import main
from pixie_bench.peak import measure_peak
from pixie_bench.settings import Settings
from pixie_bench.skinning_subject import SkinningSubject
from pixie_bench.smplx_subject import SmplxSubject
from pixie_runtime.sinks import Tick
from tests.runtime.image_bundle import write_image_bundle

QUICK = ["--rounds", "1", "--runs", "1", "--warm-up", "0", "--threads", "1"]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles")
    write_image_bundle(folder / "pixie")
    return folder


def results(path: Path) -> dict[str, list[dict[str, object]]]:
    """Return the results of a JSON file by case, its layout checked."""
    values = json.loads(path.read_text())
    assert {"machine", "commit", "versions", "results", "left_out"} <= values.keys()
    assert values["machine"]["cores"] >= 1
    by_case: dict[str, list[dict[str, object]]] = {}
    for one in values["results"]:
        assert one.keys() - {"peer", "ratio"} == {"case", "metric", "value", "unit"}
        assert ("peer" in one) == ("ratio" in one)
        by_case.setdefault(one["case"], []).append(one)
    return by_case


def test_the_cases_of_the_goals_are_there() -> None:
    names = [
        *(case.name for case in NETWORKS),
        *(case.name for case in LANDMARKS),
        *(case.name for case in LIVE),
        *(case.name for case in SKINNING),
    ]
    assert set(names) >= {
        "network-int8",
        "network-bf16",
        "network-fp32",
        "network-small",
        "landmarks",
        "live-pixie-int8",
        "skinning",
    }
    assert len(names) == len(set(names))


def test_every_bundle_of_a_case_can_be_made() -> None:
    made = [recipe.name for recipe in BUNDLES]
    assert {case.bundle for case in NETWORKS} <= set(made)
    assert {case.bundle for case in LIVE} - {None} <= set(made)
    for index, recipe in enumerate(BUNDLES):
        assert recipe.base is None or recipe.base in made[:index]
    int8 = next(recipe for recipe in BUNDLES if recipe.name == "pixie-int8")
    assert command(int8, Path("b"))[:2] == ["precision", str(Path("b") / "pixie")]


def test_engines_are_measured_and_what_lacks_is_left_out(
    bundles: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    alone = replace(NETWORKS[0], compared=False)
    gpu = next(case for case in NETWORKS if case.on_gpu)
    monkeypatch.setattr(engines_suite, "NETWORKS", (alone, gpu))
    small = partial(measure_peak, size=64, megabytes=4)
    monkeypatch.setattr(engines_suite, "measure_peak", small)
    path, plot = tmp_path / "bench.json", tmp_path / "roofline.png"
    outputs = ["--json", str(path), "--roofline", str(plot)]
    assert main(["engines", "--bundles", str(bundles), *QUICK, *outputs]) == 0

    found = results(path)
    metrics = {one["metric"] for one in found["network-fp32"]}
    assert {"p50", "p95", "p99", "opened", "floor", "share"} <= metrics
    peaks = {one["metric"]: one["value"] for one in found["machine-peak"]}
    assert peaks.keys() >= {"float32", "bfloat16", "int8", "copy"}
    assert all(isinstance(rate, float) and rate > 0 for rate in peaks.values())
    assert plot.exists()
    (sentence,) = json.loads(path.read_text())["left_out"]
    assert sentence.startswith(gpu.name)
    assert "there is no bundle" in sentence
    assert "network-fp32" in capsys.readouterr().out

    again = ["--only", "nothing", "--compare", str(path), *QUICK]
    assert main(["engines", *again]) == 0
    assert "only before: machine-peak" in capsys.readouterr().out


def test_the_landmark_chain_says_that_it_has_no_peer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = (replace(LANDMARKS[0], engine="onnxruntime"),)
    monkeypatch.setattr(landmarks_suite, "LANDMARKS", quick)
    path = tmp_path / "bench.json"
    assert main(["landmarks", *QUICK, "--json", str(path)]) == 0
    assert {one["metric"] for one in results(path)["landmarks"]} >= {"p50", "p99"}
    assert "--oracle-python" in json.loads(path.read_text())["left_out"][0]


def test_meshes_are_measured_beside_smplx(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = cases.SkinningCase("skinning", "embedded", "numpy", 50, 43)
    monkeypatch.setattr(meshes, "SKINNING", (case,))
    monkeypatch.setattr(meshes, "write_dense", lambda path: None)
    path = tmp_path / "bench.json"
    assert main(["skinning", *QUICK, "--json", str(path)]) == 0
    first = results(path)["skinning"][0]
    assert str(first["peer"]).startswith("smplx")
    assert isinstance(first["ratio"], float)


def test_ours_and_smplx_make_the_same_meshes(tmp_path: Path) -> None:
    body = tmp_path / "SMPLX_EMBEDDED.npz"
    write_embedded(body)
    # More coefficients than the file has are cut on both sides.
    sizes = {"n_betas": 400, "n_expression": 43}
    ours = SkinningSubject(body=str(body), kind="numpy", **sizes)
    peer = SmplxSubject(body=str(body), threads=1, **sizes)
    for _ in range(2):
        np.testing.assert_allclose(ours.vertices(), peer.vertices(), atol=1e-5)


def test_the_whole_program_is_measured_in_fresh_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain_suite, "_ROUNDS", 1)
    quick = replace(LIVE[0], engine="onnxruntime")
    lacking = next(case for case in LIVE if case.bundle is not None)
    monkeypatch.setattr(chain_suite, "LIVE", (quick, lacking))
    path, trace = tmp_path / "bench.json", tmp_path / "trace.json"
    options = ["--seconds", "0.3", "--json", str(path), "--trace", str(trace)]
    assert main(["chain", *QUICK, *options]) == 0
    found = results(path)
    assert {one["metric"] for one in found["live-landmark"]} >= {"fps", "latency_p95"}
    assert found["first-frame"][0]["metric"] == "landmark"
    assert found["memory"][0]["unit"] == "MB"
    assert json.loads(trace.read_text())["traceEvents"]
    assert "pixie-bench bundles" in json.loads(path.read_text())["left_out"][0]


@pytest.fixture(scope="module")
def ticks() -> list[Tick]:
    return outputs_suite._ticks(Settings())


@pytest.mark.parametrize(
    ("only", "found"),
    [
        ("osc", {"output-osc", "output-osc-unheard"}),
        ("websocket-1-", {"output-websocket-1-reading"}),
        ("vmc", {"output-vmc"}),
        ("live-link", {"output-live-link-face"}),
        ("take", {"output-take", "output-take-container"}),
    ],
)
def test_outputs_are_measured(
    ticks: list[Tick],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    only: str,
    found: set[str],
) -> None:
    monkeypatch.setattr(outputs_suite, "_ticks", lambda settings: ticks)
    path = tmp_path / "bench.json"
    assert main(["outputs", *QUICK, "--only", only, "--json", str(path)]) == 0
    assert results(path).keys() == found


def test_numbers_that_make_no_sense_are_one_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["skinning", "--rounds", "0"]) == 2
    assert "expected 1 or more" in capsys.readouterr().err
