from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pixie_runtime.errors import BundleError, SinkError
from pixie_train.picture_training.described import from_values
from pixie_train.picture_training.state import RunState, load, load_image_run, save
from tests.runtime.full_disk import file_size_limit
from tests.train.picture_training.small import CONFIG, RUN, network


def state(step: int) -> RunState:
    weights = network().state_dict()
    return RunState(RUN, CONFIG, "abc", step, weights, weights, {}, {}, [{"step": 1.0}])


def test_a_checkpoint_says_what_it_was_given(tmp_path: Path) -> None:
    save(state(3), tmp_path / "last.pt")
    found = load(tmp_path)
    assert (found.run, found.network, found.step) == (RUN, CONFIG, 3)
    assert found.history == [{"step": 1.0}]


def test_the_one_before_is_kept(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        save(state(step), tmp_path / "last.pt")
    assert load(tmp_path).step == 3
    assert load(tmp_path / "previous.pt").step == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["last.pt", "previous.pt"]


def test_a_full_disk_costs_no_checkpoint_that_there_was(tmp_path: Path) -> None:
    save(state(1), tmp_path / "last.pt")
    with (
        file_size_limit(1_000_000),
        pytest.raises(SinkError, match=r"cannot write the checkpoint .*File too large"),
    ):
        save(state(2), tmp_path / "last.pt")
    assert load(tmp_path).step == 1
    assert [p.name for p in tmp_path.iterdir()] == ["last.pt"]


def test_a_damaged_checkpoint_is_refused_and_the_one_before_is_named(
    tmp_path: Path,
) -> None:
    path = tmp_path / "last.pt"
    for step in (1, 2):
        save(state(step), path)
    whole = path.read_bytes()
    for damaged in (b"", b"not a checkpoint", b"\x80\x04K\x01.", whole[: 1 << 20]):
        path.unlink()
        path.write_bytes(damaged)
        with pytest.raises(
            BundleError, match=r"last\.pt is not a .*previous\.pt: copy"
        ):
            load(tmp_path)
    assert load(tmp_path / "previous.pt").step == 1


def test_files_of_other_kinds_are_refused(tmp_path: Path) -> None:
    torch.save({"format": "another"}, tmp_path / "last.pt")
    with pytest.raises(
        BundleError, match="not a checkpoint of this kind; expected one"
    ):
        load(tmp_path)
    with pytest.raises(BundleError, match="there is no checkpoint"):
        load(tmp_path / "none.pt")
    weights = dict(list(network().state_dict().items())[:-1])
    save(replace(state(1), average=weights), tmp_path / "last.pt")
    with pytest.raises(BundleError, match="are not those of the network"):
        load_image_run(tmp_path)


def test_configurations_of_older_files_get_the_defaults_of_what_is_new() -> None:
    assert from_values(type(RUN), {"stage": "head"}) == replace(
        type(RUN)(), stage="head"
    )
    with pytest.raises(TypeError, match="has no colour"):
        from_values(type(RUN), {"colour": 1})
