import re
from pathlib import Path

import cv2
import pytest

from pixie_runtime.takes.conversion import write_as
from tests.runtime.takes.test_foot_lock import walker, wavering
from tools import foot_paths


def test_paths_are_drawn_and_said_in_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    take, picture = tmp_path / "walk.npz", tmp_path / "paths.png"
    walk = walker(depth=wavering())
    write_as(walk, "npz", take, fps=None, model=None, mesh=False)
    monkeypatch.setattr("sys.argv", ["foot_paths", str(take), str(picture)])
    foot_paths.main()
    found = re.search(r"slides at ([\d.]+) and ([\d.]+) cm/s", capsys.readouterr().out)
    assert found is not None
    assert float(found[1]) > 30 > 2 > float(found[2])
    drawn = cv2.imread(str(picture))
    assert drawn is not None
    assert drawn.std() > 5
