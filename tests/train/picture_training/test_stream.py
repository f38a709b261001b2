from collections import Counter

import pytest
import torch

from pixie_runtime.errors import SourceError, UsageError
from pixie_train.batch import Batch, CropKind
from pixie_train.picture_training.loading import Share, batches
from pixie_train.picture_training.stream import Stream
from tests.train.picture_training.small import Noise


def test_every_sample_comes_once_before_any_comes_again() -> None:
    stream = Stream([7], [1.0], seed=3)
    rounds = [[stream[7 * n + i] for i in range(7)] for n in range(300)]
    for number, keys in enumerate(rounds):
        assert sorted(key.index for key in keys) == list(range(7))
        assert {key.epoch for key in keys} == {number}
    assert len({tuple(key.index for key in keys) for keys in rounds}) > 200


def test_data_sets_are_drawn_from_by_their_shares_at_any_time() -> None:
    stream = Stream([5, 10, 1000], [1.0, 2.0, 7.0], seed=0)
    for start in (0, 990, 123_456):
        counts = Counter(stream[start + i].source for i in range(200))
        assert [counts[n] / 200 for n in range(3)] == pytest.approx(
            [0.1, 0.2, 0.7], abs=0.011
        )
    seen = Counter(
        (k.source, k.epoch, k.index) for k in map(stream.__getitem__, range(5000))
    )
    assert set(seen.values()) == {1}


def test_processes_share_a_batch_without_a_gap() -> None:
    stream = Stream([50], [1.0], seed=1)
    whole = stream.batch(3, 8, rank=0, world=1)
    halves = [stream.batch(3, 8, rank=rank, world=2) for rank in (0, 1)]
    assert [key for pair in zip(*halves, strict=True) for key in pair] == whole


def test_empty_data_and_shares_of_nothing_are_refused() -> None:
    for sizes, shares in (([0], [1.0]), ([3], [0.0]), ([3], [float("nan")])):
        with pytest.raises(
            UsageError, match="expected at least one sample and a share"
        ):
            Stream(sizes, shares, seed=0)


def test_worker_processes_change_nothing() -> None:
    data = [Share(Noise(CropKind.HAND, 5)), Share(Noise(CropKind.HAND, 3), 2.0)]
    here, there = (
        list(batches(data, 4, range(2, 6), seed=2, workers=workers))
        for workers in (0, 1)
    )
    for one, other in zip(here, there, strict=True):
        assert one.batch.names == other.batch.names
        assert torch.equal(one.batch.pictures.image, other.batch.pictures.image)


class Torn(Noise):
    """Its samples 2 and 3 cannot be read."""

    def __getitem__(self, index: int) -> Batch:
        if index in (2, 3):
            raise SourceError(f"the picture {index} of noise does not decode")
        return super().__getitem__(index)


def test_pictures_that_cannot_be_read_are_passed_over_and_told_of() -> None:
    drawn = next(batches([Share(Torn(CropKind.HEAD))], 6, range(1), seed=0))
    assert sorted(drawn.skipped) == [
        "the picture 2 of noise does not decode",
        "the picture 3 of noise does not decode",
        "the picture 3 of noise does not decode",
    ]
    assert len(drawn.batch) == 6
    assert Counter(drawn.batch.names)["noise/head/4"] == 3


class Lost(Noise):
    """None of its samples can be read."""

    def __getitem__(self, index: int) -> Batch:
        raise SourceError(f"there is no picture {index}")


def test_data_of_which_nothing_can_be_read_end_in_one_sentence() -> None:
    with pytest.raises(SourceError, match="20 samples of a data set in a row cannot"):
        next(batches([Share(Lost(CropKind.HEAD))], 2, range(1), seed=0))
