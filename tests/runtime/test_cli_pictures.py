"""Pictures in a folder as a user has them, through the whole command."""

import json
import re
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from pixie_runtime.cli import main
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.types import UInt8
from tests.runtime.image_bundle import write_image_bundle

FOOTAGE = Path(__file__).parents[1] / "footage"
ASTRONAUT = FOOTAGE / "skimage_astronaut.png"
FACE_PX = (222, 120)
"""The middle of the astronaut's face."""
OBAMA = FOOTAGE / "face_recognition_obama2.jpg"


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


def arrays(path: Path) -> dict[str, npt.NDArray[np.generic]]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def differing(one: Path, other: Path) -> set[str]:
    """Which arrays of two results differ in any bit."""
    a, b = arrays(one), arrays(other)
    assert a.keys() == b.keys()
    return {name for name in a if not np.array_equal(a[name], b[name])}


WHO_AND_WHEN = {"frames", "timestamps_s", "picture"}


def test_every_picture_gets_its_files_and_the_end_tells_of_all(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(ASTRONAUT, photos / "astronaut.png")
    shutil.copy(OBAMA, photos / "obama.jpg")
    cv2.imwrite(str(photos / "wall.png"), np.full((90, 120, 3), 120, np.uint8))
    (photos / "broken.jpg").write_bytes(OBAMA.read_bytes()[:100])
    (photos / "empty.png").touch()

    assert main(["--images", "photos", "--results", "r", "--report", "r.json"]) == 0

    assert {path.name for path in Path("r").iterdir()} == {
        f"{name}.{kind}" for name in ("astronaut", "obama") for kind in ("npz", "jpg")
    }
    assert arrays(Path("r/obama.npz"))["picture"] == "obama.jpg"
    out = capsys.readouterr().out
    assert (
        "results: r (5 pictures: 2 people written, nobody in 1, 2 skipped, unreadable)"
    ) in out.splitlines()
    assert "warning: nobody was found in wall.png: nothing is written" in out
    assert "broken.jpg: it is damaged or of an unknown format" in out
    assert "nor can empty.png" in out
    report = json.loads(Path("r.json").read_text())
    setup = {"bundle": "pixie-landmark", "body_model": "pixie-body"}
    assert report["setup"] == {**setup, "engine": report["setup"]["engine"]}
    assert report["summaries"][0].startswith("results: r (5 pictures")
    assert "smooth" not in report["stages_ms"]


def test_no_picture_knows_of_the_others(photos: Path) -> None:
    shutil.copy(ASTRONAUT, photos / "2.png")
    assert main(["--images", "photos", "--results", "alone", "--quiet"]) == 0
    shutil.copy(OBAMA, photos / "1.jpg")
    shutil.copy(ASTRONAUT, photos / "3.png")
    assert main(["--images", "photos", "--results", "among", "--quiet"]) == 0

    for name in ("2", "3"):
        changed = differing(Path("alone/2.npz"), Path(f"among/{name}.npz"))
        assert changed <= WHO_AND_WHEN
    assert "joints" in differing(Path("among/1.npz"), Path("among/2.npz"))


def encoded(bgr: npt.NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", np.ascontiguousarray(bgr))[1].tobytes()


def stored_plainly(rgb: UInt8) -> bytes:
    return encoded(rgb[..., ::-1])


def stored_with_alpha(rgb: UInt8) -> bytes:
    alpha = np.full((*rgb.shape[:2], 1), 255, np.uint8)
    return encoded(np.concatenate([rgb[..., ::-1], alpha], axis=2))


def stored_as_grey(rgb: UInt8) -> bytes:
    return encoded(rgb[..., 0])


def stored_on_its_side(rgb: UInt8) -> bytes:
    """A quarter turn off, with an EXIF chunk that says so, as a phone does it."""
    data = encoded(np.rot90(rgb)[..., ::-1])
    entry = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)
    chunk = struct.pack(">I", len(entry)) + b"eXIf" + entry
    chunk += struct.pack(">I", zlib.crc32(b"eXIf" + entry))
    behind_header = 33
    return data[:behind_header] + chunk + data[behind_header:]


def stored_in_16_bits(rgb: UInt8) -> bytes:
    return encoded(rgb[..., ::-1].astype(np.uint16) * 257)  # type: ignore[arg-type]


@pytest.mark.parametrize("bundle", ["landmarks", "images"])
@pytest.mark.parametrize(
    ("store", "has_colours"),
    [
        (stored_with_alpha, True),
        (stored_on_its_side, True),
        (stored_in_16_bits, True),
        (stored_as_grey, False),
    ],
)
def test_however_a_picture_is_stored_its_results_are_those_of_what_it_shows(
    photos: Path,
    tmp_path: Path,
    bundle: str,
    store: Callable[[UInt8], bytes],
    has_colours: bool,
) -> None:
    shown = cv2.imread(str(ASTRONAUT))[:, :440, ::-1]  # type: ignore[index]
    if not has_colours:
        shown = np.repeat(shown.mean(axis=2, keepdims=True), 3, axis=2)
    rgb = np.asarray(shown, np.uint8)
    (photos / "1.png").write_bytes(stored_plainly(rgb))
    (photos / "2.png").write_bytes(store(rgb))
    options = ["--images", "photos", "--results", "r", "--quiet"]
    if bundle == "images":
        write_image_bundle(tmp_path / "tiny")
        options += ["--bundle", "tiny", "--attention", "two-pass"]

    assert main(options) == 0

    assert differing(Path("r/1.npz"), Path("r/2.npz")) <= WHO_AND_WHEN
    assert Path("r/1.jpg").read_bytes() == Path("r/2.jpg").read_bytes()


def test_a_picture_of_nothing_but_a_hand_needs_no_landmarks(
    photos: Path, tmp_path: Path
) -> None:
    write_image_bundle(tmp_path / "tiny")
    cv2.imwrite(str(photos / "close.png"), np.full((90, 120, 3), 120, np.uint8))
    options = ["--images", "photos", "--results", "r", "--bundle", "tiny", "--quiet"]

    assert main(options) == 0
    assert list(Path("r").iterdir()) == []

    assert main([*options, "--part", "hand"]) == 0
    assert {path.name for path in Path("r").iterdir()} == {"close.npz", "close.jpg"}
    (confidences,) = arrays(Path("r/close.npz"))["confidences"]
    np.testing.assert_array_equal(confidences, [0, 0, 1, 0])


@pytest.mark.parametrize("source", ["photos", "photos/a.jpg"])
def test_pictures_are_never_replaced_by_their_results(
    photos: Path, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    original = photos / "a.jpg"
    shutil.copy(OBAMA, original)
    for results in ("photos", "photos/.", str(photos)):
        assert main(["--images", source, "--results", results]) == 2
        assert "would replace them; name another folder" in capsys.readouterr().err
    assert original.read_bytes() == OBAMA.read_bytes()
    assert main(["--images", source, "--results", "photos/r", "--quiet"]) == 0


def test_results_that_cannot_be_written_end_the_run_and_say_where(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(ASTRONAUT, photos / "a.png")
    Path("taken").touch()
    assert main(["--images", "photos", "--results", "taken"]) == 6
    assert "cannot write results to taken: it is a file" in capsys.readouterr().err
    assert main(["--images", "photos", "--results", "no/where"]) == 6
    assert "there is no folder no; make it first" in capsys.readouterr().err


def test_a_run_that_ends_early_tells_of_what_it_did(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        shutil.copy(ASTRONAUT, photos / f"{number}.png")
    arguments = ["--images", "photos", "--results", "r", "--max-frames", "2"]
    assert main(arguments) == 0
    assert "results: r (2 pictures: 2 people written)" in capsys.readouterr().out
    assert len(list(Path("r").iterdir())) == 4


def test_the_python_in_the_document_says_where_joints_are_in_the_picture(
    photos: Path,
) -> None:
    shutil.copy(ASTRONAUT, photos / "portrait.png")
    arguments = ["--images", "photos/portrait.png", "--results", "results", "--quiet"]
    assert main(arguments) == 0
    assert {path.stem for path in Path("results").iterdir()} == {"portrait"}
    text = (FOOTAGE.parents[1] / "docs/pictures.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, npt.NDArray[np.float32]] = {}
    exec(program, names)
    head = names["pixels"][JOINT_INDEX["head"]]
    np.testing.assert_allclose(head, FACE_PX, atol=40)
