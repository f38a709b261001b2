from pathlib import Path
from typing import Any

import cv2
import pytest

from pixie_runtime.errors import SourceError, UsageError
from pixie_runtime.sources.images import ImageFolder
from pixie_runtime.sources.opening import demo_clip, open_source
from pixie_runtime.sources.video import VideoFile
from tests.runtime.sources.media import greys, write_video


def test_the_demo_clip_ships_with_its_licence_and_origin() -> None:
    assert demo_clip().is_file()
    folder = demo_clip().parent
    assert "BSD 3-Clause" in (folder / "LICENSE.BSD-3-Clause").read_text()
    assert demo_clip().name in (folder / "README.md").read_text()


def test_a_video_the_demo_and_pictures_are_opened(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", greys(2))
    assert isinstance(open_source(video=path), VideoFile)
    assert open_source(demo=True).description == demo_clip().name
    cv2.imwrite(str(tmp_path / "a.png"), greys(1)[0])
    pictures = open_source(images=tmp_path, fps=5)
    assert isinstance(pictures, ImageFolder)
    assert pictures.fps == 5


@pytest.mark.parametrize(
    "named",
    [{}, {"camera": 0, "demo": True}, {"video": Path("a"), "images": Path("b")}],
)
def test_exactly_one_source_must_be_named(named: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="give exactly one of"):
        open_source(**named)


def test_a_camera_may_be_named_by_a_number_in_text() -> None:
    with pytest.raises(SourceError, match=r"cannot open camera 97\b"):
        open_source(camera="97")
