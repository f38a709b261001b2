import subprocess
import sys

import pytest

HIDE = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name == "torch" else find(name, *a)
from pixie_runtime import launch
sys.exit(launch.{command}())
"""


@pytest.mark.parametrize("command", ["train", "export"])
def test_a_command_whose_extra_is_missing_says_which_in_one_sentence(
    command: str,
) -> None:
    result = subprocess.run(
        [sys.executable, "-c", HIDE.format(command=command)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 7
    assert len(result.stderr.splitlines()) == 1
    assert f'pip install "pixie-live[{command}]"' in result.stderr


def test_a_reader_of_our_help_that_went_away_is_no_error() -> None:
    started = subprocess.Popen(
        [sys.executable, "-m", "pixie_train", "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert started.stdout is not None
    started.stdout.close()
    _, said = started.communicate()
    assert said == b""
