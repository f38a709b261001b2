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
