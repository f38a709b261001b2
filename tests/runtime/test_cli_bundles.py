"""Bundles that look at images, through the whole command."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pixie_runtime.bundle import embedded_bundle
from pixie_runtime.cli import main
from tests.runtime.image_bundle import NETWORKS, write_image_bundle

FOOTAGE = Path(__file__).parents[1] / "footage"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_image_bundle(tmp_path / "tiny")
    return tmp_path


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", "attention tracked, fusion release, head check soft"),
        ("--attention two-pass", "attention two-pass, fusion release, head check soft"),
        ("--fusion paper", "attention tracked, fusion paper, head check release"),
        ("--part hand", "part hand"),
    ],
)
def test_an_image_bundle_runs_like_any_other_and_says_how(
    here: Path, capsys: pytest.CaptureFixture[str], options: str, said: str
) -> None:
    words = "--demo --max-frames 3 --bundle tiny --record t.npz --report r.json"
    assert main([*words.split(), *options.split()]) == 0

    setup = f"bundle tiny, body model pixie-body, networks float32, {said}"
    written = capsys.readouterr()
    heading = written.err.splitlines()[0]
    assert heading.startswith(f"{setup}, engine ")
    assert f"with {heading}" in written.out.splitlines()
    report = json.loads(Path("r.json").read_text())
    assert (
        ", ".join(
            f"{name.replace('_', ' ')} {what}" for name, what in report["setup"].items()
        )
        == heading
    )
    with np.load("t.npz", allow_pickle=False) as take:
        assert take["betas_per_frame"].shape == (3, 10)
        assert np.isfinite(take["joints"]).all()
        assert take["joints"][..., 2].min() > 0, "in front of the camera"


def test_a_head_alone_is_looked_for_and_found(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = here / "photos"
    photos.mkdir()
    shutil.copy(FOOTAGE / "face_recognition_biden.jpg", photos)
    words = "--images photos --bundle tiny --part head --record t.npz"
    assert main(words.split()) == 0
    assert "model pixie-body, networks float32, part head" in capsys.readouterr().out
    with np.load("t.npz", allow_pickle=False) as take:
        body, left, right, face = take["confidences"][0]
        assert (body, left, right) == (0, 0, 0)
        assert face > 0.5


def test_a_clip_without_a_face_has_no_head(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "--demo --max-frames 3 --bundle tiny --part head"
    assert main(words.split()) == 0
    assert "somebody in 0%" in capsys.readouterr().out


def test_what_an_image_bundle_lacks_is_named(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image_bundle(here / "no_experts", networks=[*NETWORKS][:6])
    assert main(["--demo", "--bundle", "no_experts", "--part", "hand"]) == 5
    assert "has no network 'hand_alone'" in capsys.readouterr().err


def test_options_for_images_on_a_landmark_bundle_are_one_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = str(embedded_bundle().folder)
    assert main(["--demo", "--bundle", folder, "--attention", "two-pass"]) == 2
    assert capsys.readouterr().err == (
        "pixie-live: --attention: only for bundles that look at images, but bundle "
        "pixie-landmark looks at landmarks\n"
    )
