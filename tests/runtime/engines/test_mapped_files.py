"""Pages that a library keeps mapped go, and come back when they are looked at."""

import mmap
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pixie_runtime.engines.mapped_files import put_away

SIZE = 1 << 22

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux is asked")


def resident_kb(file: Path) -> int:
    """Return how much of a mapped file is in this process's memory."""
    text = Path("/proc/self/smaps").read_text()
    _, _, after = text.partition(f"{file}\n")
    line = next(line for line in after.splitlines() if line.startswith("Rss:"))
    return int(line.split()[1])


@pytest.fixture
def on_disk() -> Iterator[Path]:
    """A folder of a file system that is none in memory, as /tmp may be."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        yield Path(folder)


def test_what_is_mapped_from_a_folder_is_put_away_and_keeps_its_contents(
    on_disk: Path,
) -> None:
    content = np.random.default_rng(0).bytes(SIZE)
    (on_disk / "other").mkdir()
    files = [on_disk / "network.blob", on_disk / "other" / "network.blob"]
    maps = []
    for file in files:
        file.write_bytes(content)
        with file.open("rb") as opened:
            maps.append(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
        assert maps[-1][:] == content
    before = [resident_kb(file) for file in files]
    assert min(before) > SIZE // 2048
    put_away([on_disk])
    after = [resident_kb(file) for file in files]
    assert after[0] < before[0] // 2
    assert after[1] == before[1]
    assert maps[0][:] == content
    for mapped in maps:
        mapped.close()
