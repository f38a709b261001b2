"""MediaPipe Holistic's Python is the user's: it may be anything."""

import sys
from pathlib import Path

import pytest

from pixie_bench.cli import main
from pixie_bench.clips import clip_frames
from pixie_bench.holistic import run_oracle
from pixie_bench.landmarks_suite import _holistic
from pixie_bench.settings import Settings
from pixie_runtime.errors import EngineError, SourceError
from pixie_runtime.sources.opening import demo_clip


def test_a_python_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    python = tmp_path / "python"
    with pytest.raises(EngineError, match=r"cannot run --oracle-python .*: No such"):
        run_oracle(python, demo_clip())


def test_a_python_that_fails_says_why(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho No module named mediapipe >&2\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(EngineError, match=r"No module named mediapipe; expected a Py"):
        run_oracle(python, demo_clip())


def test_a_program_that_writes_nothing_is_no_such_python() -> None:
    with pytest.raises(EngineError, match="it said nothing; expected a Python with"):
        run_oracle(Path("/bin/true"), demo_clip())


def test_a_peer_that_nobody_named_is_asked_for() -> None:
    with pytest.raises(EngineError, match=r"mediapipe 0\.10\.21 with --oracle-python"):
        _holistic(Settings(), demo_clip())


def test_a_program_that_speaks_otherwise_is_one_sentence() -> None:
    with pytest.raises(EngineError, match=r"said .*, expected JSON"):
        _holistic(Settings(oracle_python=Path("/bin/echo")), demo_clip())


def test_a_clip_that_is_not_there_ends_it_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lacking = str(tmp_path / "clip.mp4")
    clips = [str(demo_clip()), lacking]
    assert main(["holistic", *clips, "--oracle-python", sys.executable]) == 3
    assert capsys.readouterr().err.startswith(
        f"pixie-bench: there is no clip {lacking}"
    )


@pytest.mark.parametrize("name", ["clip.mp4", "clip.png"])
def test_a_clip_that_is_none_is_one_sentence(tmp_path: Path, name: str) -> None:
    clip = tmp_path / name
    clip.write_bytes(b"nothing of the kind")
    with pytest.raises(SourceError, match="expected a video"):
        clip_frames(clip)
