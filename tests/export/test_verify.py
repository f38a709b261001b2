import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixie_export import verify_command
from pixie_export.cli import main
from pixie_export.reference import REFERENCE_NAME, Reference
from pixie_export.verification import (
    Limits,
    Spread,
    StageReport,
    Verification,
    angles_between,
    millimetres_between,
    table,
)
from pixie_export.verify import verify
from pixie_runtime.bundle import Bundle, embedded_bundle
from pixie_runtime.engines import AnyArray
from pixie_runtime.engines.onnxruntime_engine import (
    OnnxRuntimeEngine,
    OnnxRuntimeMaker,
)
from pixie_runtime.errors import BundleError
from tests.export.sentences import the_sentence
from tests.export.tiny_graphs import samples


def about_x(degrees: float) -> AnyArray:
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])


@pytest.mark.parametrize("degrees", [0.0, 1e-4, 0.05, 1.0, 90.0, 179.9])
def test_an_angle_between_rotations_is_exact_however_small(degrees: float) -> None:
    pair = about_x(31.0 + degrees), about_x(31.0)
    assert angles_between(*pair) == pytest.approx(degrees, rel=1e-6, abs=1e-9)


def test_distances_are_in_millimetres() -> None:
    points = np.array([[0.0, 0.003, 0.004]], np.float32)
    assert millimetres_between(points, np.zeros((1, 3), np.float32)) == pytest.approx(5)


def test_an_engine_on_this_machine_computes_what_torch_did(tiny_bundle: Path) -> None:
    found = verify(Bundle.open(tiny_bundle))
    found.require(Limits())
    stages = [report.stage for report in found.alone]
    assert stages == [report.stage for report in found.chained]
    assert {"body", "fuse", "whole", "skinning"} <= set(stages)
    fused = next(report for report in found.alone if report.stage == "fuse")
    assert fused.angles is not None
    assert fused.vertices is not None
    assert 0 <= fused.angles.mean <= fused.angles.largest < 1e-3
    assert 0 <= fused.vertices.largest < 0.1


class Turned(OnnxRuntimeEngine):
    """An engine that turns everybody's pelvis a little."""

    degrees = 1.0

    def infer(self, inputs: Mapping[str, AnyArray]) -> dict[str, Any]:
        outputs = super().infer(inputs)
        if "rotations" in outputs:
            turned = outputs["rotations"][:, 0] @ about_x(self.degrees)
            outputs["rotations"][:, 0] = turned
        return outputs


def test_what_is_wrong_is_told_in_degrees_and_millimetres(tiny_bundle: Path) -> None:
    found = verify(Bundle.open(tiny_bundle), open_engine=Turned)
    fused = next(report for report in found.alone if report.stage == "fuse")
    assert fused.angles is not None
    assert fused.angles.largest == pytest.approx(1.0, rel=1e-3)
    assert fused.angles.mean == pytest.approx(1.0 / 55, rel=1e-2)
    with pytest.raises(BundleError, match=r"joint angles differ .* by 1 degrees, at m"):
        found.require(Limits())
    found.require(Limits(degrees=1.1, millimetres=1e4, relative=1.0))
    assert any("joint angles" in line for line in table(found.alone))


def test_what_goes_wrong_early_is_seen_in_what_comes_after(tiny_bundle: Path) -> None:
    class Dim(OnnxRuntimeEngine):
        def infer(self, inputs: Mapping[str, AnyArray]) -> dict[str, Any]:
            dimmed = {n: a * 0.9 if n == "image" else a for n, a in inputs.items()}
            return super().infer(dimmed)

    found = verify(Bundle.open(tiny_bundle), open_engine=Dim)
    alone, chained = (
        next(report for report in reports if report.stage == "fuse")
        for reports in (found.alone, found.chained)
    )
    assert alone.angles is not None
    assert chained.angles is not None
    assert alone.angles.largest < 1e-3 < 0.05 < chained.angles.largest


def test_no_number_at_all_is_beyond_every_limit() -> None:
    nothing = Spread(float("nan"), float("nan"))
    found = Verification((StageReport("fuse", (), angles=nothing),), ())
    with pytest.raises(BundleError, match="joint angles differ"):
        found.require(Limits(degrees=1e9))


@pytest.mark.usefixtures("looked_at_demo")
def test_the_landmark_bundle_that_ships_is_compared_with_onnx_runtime(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["verify"])
    shown = capsys.readouterr().out
    assert shown.count("ONNX Runtime") == 2, "it is its own standard"
    assert shown.count("joint angles") == 1, "one network, one table"
    assert "pixie-landmark: within 0.05 degrees, 0.1 mm" in shown


@pytest.mark.usefixtures("looked_at_demo")
def test_fewer_bits_that_are_asked_for_have_their_own_limits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    class Inexact(OnnxRuntimeMaker):
        description = "an engine that computes in bfloat16, which few processors do"

        def open(self, model: Path | bytes, *, threads: int | None = None) -> Turned:
            return Turned(model)

    def choose(
        engine: str, *, precision: str, threads: int, engines: Path | None
    ) -> OnnxRuntimeMaker:
        asked.append((engine, precision))
        return Inexact() if engine == "openvino" else OnnxRuntimeMaker()

    monkeypatch.setattr(verify_command, "choose", choose)
    main(["verify", "--engine", "openvino", "--precision", "bfloat16"])
    assert asked[0] == ("openvino", "bfloat16")
    assert "within bfloat16's 0.5 degrees in the mean" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["verify", "--engine", "openvino"])
    assert "differ from the reference by 1 degrees" in capsys.readouterr().err


def test_arithmetic_that_an_engine_lacks_is_one_sentence(
    tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["verify", str(tiny_bundle), "--precision", "bfloat16"])
    assert stopped.value.code == 2
    assert "only OpenVINO computes in it" in the_sentence(capsys.readouterr().err)


def test_a_landmark_bundle_holds_nothing_recorded() -> None:
    with pytest.raises(BundleError, match="of kind landmark and holds no recorded"):
        verify(embedded_bundle())


def copied(bundle: Path, folder: Path) -> Path:
    shutil.copytree(bundle, folder)
    return folder


def open_as_it_is(folder: Path) -> Bundle:
    """Open a bundle whose record was changed by someone who knows its manifest."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    content = (folder / REFERENCE_NAME).read_bytes()
    manifest["sha256"][REFERENCE_NAME] = hashlib.sha256(content).hexdigest()
    path.write_text(json.dumps(manifest))
    return Bundle.open(folder)


def test_a_bundle_without_a_record_is_refused(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    bundle = Bundle.open(copied(tiny_bundle, tmp_path / "b"))
    del bundle.manifest.sha256[REFERENCE_NAME]
    with pytest.raises(BundleError, match=r"no recorded results \(reference\.npz\)"):
        verify(bundle)


@pytest.mark.parametrize("content", [b"", b"PK not a zip", b"x" * 1000])
def test_a_damaged_record_is_refused(
    tiny_bundle: Path, tmp_path: Path, content: bytes
) -> None:
    folder = copied(tiny_bundle, tmp_path / "b")
    (folder / REFERENCE_NAME).write_bytes(content)
    with pytest.raises(BundleError, match="is no record of a network's results"):
        verify(open_as_it_is(folder))


def test_a_record_of_other_sizes_is_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    folder = copied(tiny_bundle, tmp_path / "b")
    record = Reference.load(folder / REFERENCE_NAME)
    cut = {name: array[..., :1] for name, array in record.results.items()}
    Reference(record.samples, cut).save(folder / REFERENCE_NAME)
    with pytest.raises(BundleError, match=r"network body gives \(4, 16\) for F_b"):
        verify(open_as_it_is(folder))
    Reference(record.samples, {}).save(folder / REFERENCE_NAME)
    with pytest.raises(BundleError, match="lacks F_b of network body"):
        verify(open_as_it_is(folder))


def test_a_record_is_read_as_it_was_written_and_always_the_same(tmp_path: Path) -> None:
    results = {"body.F_b": np.arange(6, dtype=np.float32).reshape(2, 3)}
    record = Reference(samples(2), results)
    for name in ("a.npz", "b.npz"):
        record.save(tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    read = Reference.load(tmp_path / "a.npz")
    for name, array in record.values().items():
        np.testing.assert_array_equal(read.values()[name], array)
