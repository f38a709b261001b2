import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixie_runtime.errors import SinkError, SourceError
from pixie_runtime.rotations import angle_between
from pixie_runtime.takes import load_take
from pixie_runtime.takes.conversion import TARGETS, writer_of
from pixie_runtime.takes.npz import write_npz
from pixie_runtime.takes.track import Track
from tests.runtime.full_disk import file_size_limit
from tests.runtime.people import CAMERA, make_person
from tests.runtime.takes.recordings import person_at, record


@pytest.fixture
def take_path(tmp_path: Path) -> Path:
    return record(tmp_path / "take.npz", 10, track_ids=(3,))


def rewritten(path: Path, **changes: Any) -> Path:
    """Write the take with some arrays replaced, or left out if None."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files} | changes
    kept = {name: array for name, array in arrays.items() if array is not None}
    other = path.with_name("other.npz")
    np.savez(other, **kept)
    return other


def test_path_may_be_text(take_path: Path, tmp_path: Path) -> None:
    take = load_take(str(take_path))
    for target in TARGETS:
        path = f"{tmp_path}/again.{target}"
        writer_of(target, mesh=False)(take, path)
        assert Path(path).stat().st_size > 0


def test_person_read_back_is_the_person_recorded(take_path: Path) -> None:
    take = load_take(take_path)
    assert len(take) == 10
    assert take.camera == CAMERA
    for row in range(10):
        recorded = person_at(row, track_id=3)
        read = take.person(row)
        assert (read.track_id, read.frame_index) == (3, row)
        assert read.timestamp_s == recorded.timestamp_s
        assert read.confidence.face == pytest.approx(recorded.confidence.face)
        np.testing.assert_array_equal(read.joints, recorded.joints)
        np.testing.assert_array_equal(read.params.betas, recorded.params.betas)
        np.testing.assert_allclose(
            read.params.transl, recorded.params.transl, atol=1e-5
        )
        turned = angle_between(read.params.rotations, recorded.params.rotations)
        assert turned.max() < 2e-3  # single-precision arc cosine


def test_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot read .*No such file"):
        load_take(tmp_path / "none.npz")


@pytest.mark.parametrize("keep", [0, 3, 100, 5000, -100, -1])
def test_truncated_file_is_one_sentence(take_path: Path, keep: int) -> None:
    take_path.write_bytes(take_path.read_bytes()[:keep])
    with pytest.raises(SourceError, match=r"truncated|damaged"):
        load_take(take_path)


def test_flipped_bit_is_found(take_path: Path) -> None:
    data = bytearray(take_path.read_bytes())
    data[len(data) // 2] ^= 16
    take_path.write_bytes(data)
    with pytest.raises(SourceError, match="damaged"):
        load_take(take_path)


class Bomb:
    """Leaves a trace if it is ever unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, ("unpickled", "w"))


def test_pickle_is_never_loaded(
    take_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(take_path.parent)
    poses = np.empty((), object)
    poses[()] = Bomb()
    with pytest.raises(SourceError, match="pickled"):
        load_take(rewritten(take_path, poses=poses))
    take_path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(SourceError, match="of another kind"):
        load_take(take_path)
    assert not Path("unpickled").exists()


def test_single_array_is_no_take(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(SourceError, match="is no take"):
        load_take(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"joints": None, "camera": None}, "no take of pixie-live: camera, joints"),
        ({"poses": np.zeros((10, 66))}, r"poses is float64 \(10, 66\); .*\(10, 165\)"),
        ({"trans": np.zeros((9, 3))}, r"trans is float64 \(9, 3\); .*\(10, 3\)"),
        ({"fps": np.array("30")}, r"fps is <U2 \(\); expected numbers \(\)"),
        ({"trans": np.full((10, 3), np.nan)}, r"trans holds .*\(NaN\)"),
        ({"poses": np.full((10, 165), np.inf)}, "poses holds infinite numbers"),
        ({"fps": np.array(0.0)}, "fps is 0; expected a rate above 0"),
        ({"mocap_frame_rate": np.array(-30)}, "mocap_frame_rate is -30"),
        ({"format_version": np.array(2)}, "format version 2; this release reads 1"),
    ],
)
def test_foreign_file_is_named_with_what_is_wrong(
    take_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SourceError, match=sentence):
        load_take(rewritten(take_path, **changes))


def test_take_without_frames_is_refused(take_path: Path) -> None:
    with np.load(take_path) as file:
        empty = {
            name: file[name][:0] for name in file.files if file[name].shape[:1] == (10,)
        }
    with pytest.raises(SourceError, match="without frames"):
        load_take(rewritten(take_path, **empty))


def test_read_by_numpy_alone_it_has_the_keys_of_amass(tmp_path: Path) -> None:
    people = [make_person(i, frame_index=3 * i, timestamp_s=i / 30) for i in range(6)]
    write_npz(Track.of(people).take(), tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        shapes = {name: file[name].shape for name in file.files}
        assert str(file["gender"]) == "neutral"
        assert str(file["surface_model_type"]) == "smplx"
        assert file["mocap_frame_rate"] == 30
        assert file["fps"] == pytest.approx(30)
        assert file["frames"].tolist() == [0, 3, 6, 9, 12, 15]
        assert file["confidence_names"].tolist() == [
            "body",
            "left_hand",
            "right_hand",
            "face",
        ]
    assert shapes["poses"] == (6, 165)
    assert shapes["trans"] == (6, 3)
    assert shapes["betas"] == (50,)
    assert shapes["betas_per_frame"] == (6, 50)
    assert shapes["expression"] == (6, 43)
    assert shapes["joints"] == (6, 55, 3)
    assert shapes["confidences"] == (6, 4)
    assert shapes["camera"] == (5,)


def test_every_key_is_documented(tmp_path: Path) -> None:
    write_npz(Track.of([make_person(0)]).take(), tmp_path / "a.npz")
    document = Path(__file__).parents[3] / "docs" / "takes.md"
    documented = set(re.findall(r"^\| `(\w+)`", document.read_text(), re.M))
    with np.load(tmp_path / "a.npz") as file:
        assert set(file.files) == documented


def test_file_in_the_way_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    take = Track.of([make_person(0)]).take()
    write_npz(take, path)
    before = path.read_bytes()
    with (
        file_size_limit(2000),
        pytest.raises(SinkError, match=r"cannot write .*a\.npz: File too large"),
    ):
        write_npz(take, path)
    assert path.read_bytes() == before
    assert not path.with_name("a.npz.tmp").exists()
