"""What was read survives whatever the command is told to write."""

from pathlib import Path

import pytest

from pixie_runtime.cli import main


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files that someone would miss."""
    monkeypatch.chdir(tmp_path)
    for name in ("clip.mp4", "body.npz", "pictures/a.png"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(name.encode())
    Path("link.mp4").symlink_to("clip.mp4")
    Path("hard.mp4").hardlink_to("clip.mp4")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            "--video clip.mp4 --overlay clip.mp4",
            "the overlay video clip.mp4 would replace what --video reads",
        ),
        ("--video clip.mp4 --overlay link.mp4", "link.mp4 would replace"),
        ("--video clip.mp4 --overlay hard.mp4", "hard.mp4 would replace"),
        ("--video link.mp4 --overlay pictures/../clip.mp4", "would replace"),
        ("--video clip.mp4 --report clip.mp4", "the report clip.mp4 would replace"),
        ("--images pictures --report pictures/a.png", "replace what --images reads"),
        ("--demo --body-model body.npz --record body.npz", "what --body-model reads"),
        (
            "--demo --record r.mcap --report r.mcap",
            "the take r.mcap and the report r.mcap would be one file",
        ),
        ("--demo --record r.npz --report r.mcap", "the recording r.mcap would be one"),
        ("--demo --overlay o.mp4 --report ./o.mp4", "would be one file"),
    ],
)
def test_an_output_that_would_destroy_something_is_refused(
    arguments: str, sentence: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    assert main(arguments.split()) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert sentence in line
    assert before == {
        path: path.read_bytes() for path in here.rglob("*") if path.is_file()
    }
