from collections.abc import Iterator
from pathlib import Path

import pytest

from pixie_train.faces.finding import FaceFinder

FOOTAGE = Path(__file__).parents[2] / "footage"


@pytest.fixture(scope="package")
def finder() -> Iterator[FaceFinder]:
    with FaceFinder() as finder:
        yield finder
