from pathlib import Path

import pytest

from tests.export.tiny_graphs import write_tiny_bundle


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole image bundle; tests that change it copy it first."""
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny").folder
