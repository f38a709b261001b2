from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from pixie_runtime.errors import SinkError
from pixie_train.output_files import made_folder, write_figure, write_png


def test_a_folder_below_a_file_is_one_sentence_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = r"cannot make the folder .*file/run: Not a directory; give another --out"
    with pytest.raises(SinkError, match=said):
        made_folder(tmp_path / "file" / "run", "give another --out")
    assert made_folder(tmp_path / "a" / "b", "no") == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b").is_dir()


def test_plots_and_pictures_without_a_place_are_one_sentence(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    with pytest.raises(SinkError, match=r"cannot write .*plot\.png"):
        write_figure(Figure(), nowhere / "plot.png")
    with pytest.raises(SinkError, match=r"cannot write .*picture\.png"):
        write_png(np.zeros((2, 3, 3), np.uint8), nowhere / "picture.png")


def test_a_picture_is_written_pixel_by_pixel(tmp_path: Path) -> None:
    picture = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    write_png(picture, tmp_path / "picture.png")
    found = cv2.imread(str(tmp_path / "picture.png"))
    assert found is not None
    np.testing.assert_array_equal(found[..., ::-1], picture)
