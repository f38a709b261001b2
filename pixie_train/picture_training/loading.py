"""Batches in the order of a stream, made here or by worker processes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch.utils.data import DataLoader, Dataset

from pixie_runtime.errors import SourceError
from pixie_train.batch import Batch, CropKind, join
from pixie_train.picture_training.stream import Key, Steps, Stream

_TRIES = 20
"""Samples tried one after the other where pictures cannot be read."""


class PictureData(Protocol):
    """A data set of batches of one: `PictureDataset` and whatever is like it."""

    def __len__(self) -> int:
        """Return how many samples there are."""
        ...

    def __getitem__(self, index: int) -> Batch:
        """Return one as a batch of one."""
        ...

    def set_epoch(self, epoch: int) -> None:
        """Augment otherwise from now on."""
        ...


@dataclass(frozen=True)
class Share:
    """A data set and how often it is drawn from."""

    data: PictureData
    share: float = 1.0
    """In proportion to the others' of its kind."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A batch, and what could not be read on the way to it."""

    batch: Batch
    skipped: tuple[str, ...]
    """A sentence for each sample that another was taken for."""


class _Keyed(Dataset[Drawn]):
    """Several data sets as one, by `Key`."""

    def __init__(self, sources: Sequence[PictureData]) -> None:
        self._sources = sources

    def __getitem__(self, key: Key) -> Drawn:
        """Return a sample, or the next one that can be read."""
        data, skipped = self._sources[key.source], []
        data.set_epoch(key.epoch)
        for further in range(_TRIES):
            try:
                batch = data[(key.index + further) % len(data)]
            except SourceError as error:
                skipped.append(str(error))
                continue
            return Drawn(batch, tuple(skipped))
        raise SourceError(
            f"{_TRIES} samples of a data set in a row cannot be read, the last because "
            f"{skipped[-1]}"
        )


def _joined(drawn: Sequence[Drawn]) -> Drawn:
    skipped = tuple(name for one in drawn for name in one.skipped)
    return Drawn(join([one.batch for one in drawn]), skipped)


def batches(
    sources: Sequence[Share],
    size: int,
    steps: range,
    *,
    seed: int,
    workers: int = 0,
    rank: int = 0,
    world: int = 1,
) -> Iterator[Drawn]:
    """Yield the batches of `steps`; which samples depends on seed and step alone.

    Args:
        sources: data sets of one kind.
        size: samples a step, of all processes together.
        steps: which.
        seed: of the order.
        workers: processes that make samples; 0: none, in between.
        rank: number of this process.
        world: how many share a batch.
    """
    lengths, shares = [len(s.data) for s in sources], [s.share for s in sources]
    stream = Stream(lengths, shares, seed=seed)
    loader = DataLoader(
        _Keyed([source.data for source in sources]),
        batch_sampler=Steps(stream, size, steps, rank, world),
        collate_fn=_joined,
        num_workers=workers,
        pin_memory=False,
    )
    return iter(loader)


def draws(seed: int, step: int, count: int) -> torch.Tensor:
    """Return a step's chance, (count, 3, 3) in [-1, 1], the same on every machine."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    return torch.rand(count, 3, 3, generator=generator) * 2 - 1


Sources = Mapping[CropKind, PictureData | Sequence[Share]]
"""What a run is trained on, by kind."""


def as_shares(data: PictureData | Sequence[Share]) -> Sequence[Share]:
    """Return one data set as a list of one."""
    if isinstance(data, Sequence) and all(isinstance(one, Share) for one in data):
        return data
    return [Share(data)]  # type: ignore[arg-type]
