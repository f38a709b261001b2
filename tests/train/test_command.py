"""The list of commands, which imports none of them."""

import inspect
import subprocess
import sys

import pytest

from pixie_train import cli


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_a_command_says_in_the_list_what_its_options_say(name: str) -> None:
    command = cli.COMMANDS[name]
    told = inspect.getdoc(command.options())
    assert told is not None
    assert " ".join(told.split("\n\n")[0].split()) == command.summary


def test_the_list_of_commands_loads_nothing_heavy() -> None:
    program = (
        "import sys; from pixie_train import cli; sys.argv = ['pixie-train', '-h']\n"
        "try: cli.main()\n"
        "finally: assert not {'torch', 'trimesh', 'cv2', 'scipy'} & set(sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert all(f"\n  {name} " in run.stdout for name in cli.COMMANDS)


def test_an_unknown_command_is_said_and_the_known_ones_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["pixie-train", "evalute"], ["pixie-train"]):
        monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert stopped.value.code == 2
        assert "expected one of\n  landmark" in capsys.readouterr().err
