"""Takes for all tests of the folder: the demo clip, recorded by the command itself."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pixie_runtime.body import embedded_body_model
from pixie_runtime.cli import main
from pixie_runtime.takes import Take, load_take


@pytest.fixture(scope="session")
def demo_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the recording; the npz that was made of it in the end lies beside."""
    path = tmp_path_factory.mktemp("take") / "demo.npz"
    assert main(["--demo", "--quiet", "--record", str(path)]) == 0
    return path.with_suffix(".mcap")


@pytest.fixture(scope="session")
def demo_take(demo_recording: Path) -> Take:
    return load_take(demo_recording.with_suffix(".npz"))


@pytest.fixture(scope="session")
def expressive_take(demo_take: Take) -> Take:
    """Return the same with a face that moves: the clip's is hidden by its makers."""
    to_expression = embedded_body_model().arkit_to_expression
    assert to_expression is not None
    random = np.random.default_rng(0)
    pace, start = random.uniform(0.02, 0.3, (2, len(to_expression)))
    turns = start * 20 + np.arange(len(demo_take))[:, None] * pace
    scores = np.maximum(np.sin(turns), 0) * random.uniform(0.2, 1, len(to_expression))
    expression = np.asarray(scores @ to_expression, np.float32)
    return replace(demo_take, expression=expression)
