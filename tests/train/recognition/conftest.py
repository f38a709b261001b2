from pathlib import Path

import pytest

from tests.train.recognition import face_api_file


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a network of made-up numbers in face-api's layout."""
    return face_api_file.write(tmp_path_factory.mktemp("face-api"))
