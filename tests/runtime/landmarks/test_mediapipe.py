import importlib.util
import sys

import numpy as np
import pytest

from pixie_runtime.errors import MissingExtraError
from pixie_runtime.landmarks import Landmarker
from pixie_runtime.types import Frame
from tests.runtime.landmarks.footage import frames_of

INSTALLED = importlib.util.find_spec("mediapipe") is not None


def test_missing_package_is_asked_for_by_its_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    monkeypatch.setitem(sys.modules, "mediapipe.python.solutions.holistic", None)
    from pixie_runtime.landmarks.mediapipe import MediapipeLandmarker

    with pytest.raises(MissingExtraError, match=r"pip install .*\[mediapipe\]"):
        MediapipeLandmarker()


@pytest.mark.skipif(not INSTALLED, reason="the extra mediapipe is not installed")
def test_mediapipe_finds_the_astronaut() -> None:
    from pixie_runtime.landmarks.mediapipe import MediapipeLandmarker

    landmarker: Landmarker = MediapipeLandmarker()
    (image,) = frames_of("skimage_astronaut.png")
    for index in range(2):
        found = landmarker.detect(Frame(index, index / 30, 0, image))
    landmarker.reset()
    landmarker.close()
    assert found.pose is not None
    assert found.face is not None
    assert np.ptp(found.face.image[:, 0]) > 50
