"""Tiny cases from the command line to the files, with real engines and peers."""

import itertools
import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import get_args

import numpy as np
import pytest

from pixie_bench import (
    cases,
    chain_suite,
    engines_suite,
    gpu,
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
from pixie_runtime.engines import cuda_driver
from pixie_runtime.sinks import Tick
from pixie_runtime.skinning.device_skinner import Launcher
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


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_driver, "gpu_fault", lambda: "there is no NVIDIA driver")


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(
    ("suite", "run", "work", "only"),
    [
        # In all their names, and not in the processor's machine-peak.
        (engines_suite, "run_engines", "NETWORKS", "r"),
        (chain_suite, "run_chain", "LIVE", ""),
        (meshes, "run_skinning", "SKINNING", ""),
    ],
)
def test_every_case_for_a_gpu_is_left_out_in_a_sentence_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, suite: ModuleType, run: str, work: str, only: str
) -> None:
    on_gpu = tuple(case for case in getattr(cases, work) if case.on_gpu)
    monkeypatch.setattr(suite, work, on_gpu)
    monkeypatch.setattr(meshes, "write_dense", lambda path: None)
    monkeypatch.setattr(meshes, "write_embedded", lambda path: None)
    found = getattr(suite, run)(Settings(only=only))
    assert found.results == ()
    assert found.left_out == tuple(
        f"{case.name}: needs an NVIDIA GPU, but there is no NVIDIA driver"
        for case in on_gpu
    )


def test_all_that_is_made_for_a_gpu_has_a_case() -> None:
    networks = [case for case in NETWORKS if case.on_gpu]
    assert {case.engine for case in networks} == gpu.ENGINES
    chained = {(case.engine, case.chained) for case in networks}
    wanted = itertools.product(("tensorrt", "tensorrt-rtx"), ("parameters", "mesh"))
    assert chained >= set(wanted)
    assert {c.kind for c in SKINNING if c.on_gpu} == set(get_args(Launcher))
    assert {c.engine for c in LIVE if c.on_gpu} == {"tensorrt", "tensorrt-rtx"}


def test_engines_are_measured_and_what_lacks_is_left_out(
    bundles: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    alone = replace(NETWORKS[0], compared=False)
    lacking = next(case for case in NETWORKS if case.bundle == "small-int8")
    monkeypatch.setattr(engines_suite, "NETWORKS", (alone, lacking))
    small = partial(measure_peak, size=64, megabytes=4)
    monkeypatch.setattr(engines_suite, "measure_peak", small)
    monkeypatch.setattr(cuda_driver, "gpu_fault", lambda: "there is no driver")
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
    bundle, card = json.loads(path.read_text())["left_out"]
    assert bundle.startswith(lacking.name)
    assert "there is no bundle" in bundle
    assert card == "machine-peak-gpu: needs an NVIDIA GPU, but there is no driver"
    assert "network-fp32" in capsys.readouterr().out

    again = ["--only", "nothing", "--compare", str(path), *QUICK]
    assert main(["engines", *again]) == 0
    assert "only before: machine-peak" in capsys.readouterr().out


def test_the_landmark_chain_is_measured_whatever_its_peer_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = (replace(LANDMARKS[0], engine="onnxruntime"),)
    monkeypatch.setattr(landmarks_suite, "LANDMARKS", quick)
    path = tmp_path / "bench.json"
    nobody = ["--oracle-python", str(tmp_path / "python")]
    assert main(["landmarks", *QUICK, *nobody, "--json", str(path)]) == 0
    assert {one["metric"] for one in results(path)["landmarks"]} >= {"p50", "p99"}
    (sentence,) = json.loads(path.read_text())["left_out"]
    assert sentence.startswith("landmarks has no peer: MediaPipe Holistic: cannot run")


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


def test_a_timeline_that_cannot_be_written_costs_no_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spread = {"p50": 1.0, "p95": 2.0, "p99": 3.0}
    run = {"fps": 30.0, "latency_ms": spread, "stages_ms": {}, "engine": "here"}
    sizes = {"first_frame_s": 1.0, "resident_mb": None, "peak_resident_mb": None}
    monkeypatch.setattr(chain_suite, "LIVE", LIVE[:1])
    monkeypatch.setattr(chain_suite, "_live", lambda case, settings: run | sizes)
    monkeypatch.setattr(chain_suite, "chain_tracks", lambda options, threads: {})
    found = chain_suite.run_chain(Settings(), trace=tmp_path / "nowhere" / "t.json")
    assert found.results[0].value == 30.0
    (sentence,) = found.left_out
    assert sentence.startswith("trace: cannot write")


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
