"""What would spoil a run at its end is one sentence at its beginning."""

from pathlib import Path

import pytest

from pixie_bench import cli
from pixie_bench.cli import main
from pixie_bench.preflight import require_writable


@pytest.fixture(autouse=True)
def nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*given: object, **named: object) -> None:
        raise AssertionError("this was to be refused before")

    monkeypatch.setattr(cli, "run_suites", never)


@pytest.mark.parametrize("option", ["--json", "--markdown", "--roofline", "--trace"])
@pytest.mark.parametrize("command", ["all", "engines"])
def test_a_file_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, option: str
) -> None:
    path = tmp_path / "nowhere" / "file"
    assert main([command, option, str(path)]) == 6
    said = capsys.readouterr().err
    assert said.startswith(f"pixie-bench: cannot write {path}: No such file")
    assert said.count("\n") == 1


def test_numbers_of_one_run_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A folder: nobody writes to one, root neither.
    for arguments in (["live"], ["image", str(tmp_path)]):
        assert main([*arguments, "--json", str(tmp_path)]) == 6
        assert "cannot write" in capsys.readouterr().err


def test_files_are_tried_and_left_as_they_are(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text("older numbers")
    require_writable(old, None, new)
    assert old.read_text() == "older numbers"
    assert not new.exists()


def test_a_clip_and_a_body_that_are_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lacking = str(tmp_path / "lacking")
    assert main(["all", "--video", lacking]) == 3
    assert main(["all", "--body-model", lacking]) == 4
    assert capsys.readouterr().err.count("\n") == 2


def test_bundles_where_no_folder_can_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert main(["bundles", str(file)]) == 6
    assert "cannot make the folder" in capsys.readouterr().err
