"""A take for all tests of the folder: the demo clip, recorded by the command itself."""

import pytest

from pixie_runtime.cli import main
from pixie_runtime.takes import Take, load_take


@pytest.fixture(scope="session")
def demo_take(tmp_path_factory: pytest.TempPathFactory) -> Take:
    path = tmp_path_factory.mktemp("take") / "demo.npz"
    assert main(["--demo", "--quiet", "--record", str(path)]) == 0
    return load_take(path)
