import json
from pathlib import Path

import pytest

from pixie_bench import image
from pixie_bench.cli import main
from pixie_bench.image import STAGES, ImageResult, Measured, stage_milliseconds
from pixie_bench.timing import Run
from pixie_runtime.engines import choosing
from pixie_runtime.resampling import Resampler
from pixie_runtime.types import StageTimes
from tests.runtime.image_bundle import write_image_bundle

MS = 1_000_000


def runs(*parts: tuple[str, int, int]) -> tuple[Run, ...]:
    return tuple(Run(name, begin * MS, end * MS) for name, begin, end in parts)


def test_what_lies_between_networks_is_named_after_what_is_done_there() -> None:
    frame = runs(
        ("landmarks", 10, 30),
        ("body", 33, 133),
        ("coarse", 134, 140),
        ("head", 145, 165),
        ("hand", 166, 206),
        ("fuse", 207, 214),
    )
    spent = stage_milliseconds(
        frame, StageTimes(9 * MS, 31 * MS, estimated_ns=216 * MS, smoothed_ns=217 * MS)
    )
    assert spent == {
        "landmarks": 20,
        "body crop": 3,
        "body": 100,
        "coarse": 6,
        "part crops": 1 + 5 + 1 + 1,
        "head": 20,
        "hands": 40,
        "fuse": 7,
        "placement": 2,
        "smoothing": 1,
        "total": 207,
        "outside networks": 14,
    }


def test_the_stages_add_up_to_the_total() -> None:
    frame = runs(("landmarks", 0, 20), ("body", 23, 123), ("fuse", 124, 131))
    spent = stage_milliseconds(frame, StageTimes(0, 21 * MS, estimated_ns=133 * MS))
    total, outside = spent.pop("total"), spent.pop("outside networks")
    assert sum(spent.values()) == total == 133
    assert outside == 133 - 20 - 100 - 7


def test_the_table_has_a_row_for_every_stage() -> None:
    measured = Measured()
    measured.frames, measured.seconds = 3, 1.5
    for stage in STAGES:
        measured.stages_ms[stage] += [1.0, 2.0, 9.0]
    table = list(ImageResult("here", {"tracked": measured}).lines())
    assert [line.split("  ")[0] for line in table[2:-3]] == list(STAGES)
    assert table[2].split()[1:] == ["2.00", "8.30"]
    assert table[-3].split() == ["frames", "a", "second", "2.00"]
    assert table[-1] == "here"


def test_nobody_in_the_clip_is_a_table_of_zeros() -> None:
    lines = list(ImageResult("here", {"two-pass": Measured()}).lines())
    assert lines[2].split() == ["landmarks", "0.00", "0.00"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench") / "bundle"
    write_image_bundle(folder)
    return folder


def test_a_bundle_is_measured_in_both_ways(
    bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(choosing, "multiplies_bytes", lambda: True)
    # Compiling what draws crops takes longer than all the rest.
    monkeypatch.setattr(image, "open_resampler", Resampler)
    path = tmp_path / "image.json"
    options = ["--frames", "2", "--rounds", "2", "--warm-up", "1", "--json", str(path)]
    assert main(["image", str(bundle), *options, "--engine", "onnxruntime"]) == 0

    table = capsys.readouterr().out
    assert "two-pass" in table
    assert "landmarks ONNX Runtime" in table, "int8, unlike the bundle's networks"
    measured = json.loads(path.read_text())["measured"]
    assert measured.keys() == {"tracked", "two-pass"}
    for name, one in measured.items():
        assert one["frames"] == len(one["stages_ms"]["total"]) == 4
        assert one["seconds"] > 0
        assert min(one["stages_ms"]["body"]) > 0
        assert (max(one["stages_ms"]["coarse"]) > 0) == (name == "two-pass")


def test_a_folder_that_is_no_bundle_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["image", str(tmp_path)]) != 0
    assert capsys.readouterr().err.count("\n") == 1


def test_no_frames_is_one_sentence(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["image", str(bundle), "--frames", "0"]) != 0
    assert "expected 1 or more" in capsys.readouterr().err
