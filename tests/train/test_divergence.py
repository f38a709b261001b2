import json
from pathlib import Path

import pytest
import torch

from pixie_runtime.errors import SinkError
from pixie_train.divergence import diverged, not_finite


def no_room(path: Path) -> None:
    raise SinkError(f"cannot write {path}; free space")


def test_terms_are_named_and_their_sum_only_where_no_term_is_to_blame() -> None:
    nan, one = torch.tensor(torch.nan), torch.tensor(1.0)
    assert not_finite({"total": nan, "betas": nan, "jaw": one}) == {"betas": "nan"}
    assert not_finite({"total": -torch.inf * one, "jaw": 1.0}) == {"total": "-inf"}
    assert not_finite({"total": one}) == {}


def test_it_says_which_pictures_and_where_all_of_them_are(tmp_path: Path) -> None:
    kept = list[Path]()
    names = [f"people/{number}" for number in range(5)]
    error = diverged({"jaw": "nan"}, names, 7, tmp_path / "new", kept.append)
    assert "the loss of step 7 is not a number: jaw is nan, with the p" in str(error)
    assert "pictures people/0, people/1, people/2 and 2 more;" in str(error)
    told = json.loads((tmp_path / "new" / "diverged.json").read_text())
    assert told == {"step": 7, "terms": {"jaw": "nan"}, "pictures": names}
    assert kept == [tmp_path / "new" / "diverged.pt"]


@pytest.mark.parametrize("taken", [False, True])
def test_a_full_disk_does_not_hide_what_happened(tmp_path: Path, taken: bool) -> None:
    if taken:
        (tmp_path / "diverged.json").mkdir()
    error = diverged({"gradient": "inf"}, ["a"], 0, tmp_path, no_room)
    assert "gradient of step 0 is not a number: its norm is inf" in str(error)
    assert ("diverged.json cannot be" if taken else "free space") in str(error)
