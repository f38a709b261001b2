from pathlib import Path

import av
import numpy as np
import pytest

from tools.contact_sheet import contact_sheet


@pytest.fixture
def brightening(tmp_path: Path) -> Path:
    path = tmp_path / "brightening.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "bgr0"
        for level in range(0, 250, 50):
            image = np.full((32, 64, 3), level, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_first_and_last_frame_are_on_the_sheet(brightening: Path) -> None:
    sheet = contact_sheet(brightening, frames=3, rows=1, height=16)
    assert sheet.shape == (16, 3 * 32, 3)
    assert [int(sheet[0, x, 0]) for x in (0, 40, 90)] == [0, 100, 200]


def test_rows_are_read_like_text(brightening: Path) -> None:
    sheet = contact_sheet(brightening, frames=4, rows=2, height=32)
    assert sheet.shape == (64, 128, 3)
    assert sheet[0, 0, 0] < sheet[0, 127, 0] < sheet[63, 0, 0] < sheet[63, 127, 0]
