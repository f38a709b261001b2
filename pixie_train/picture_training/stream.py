"""Which sample is seen when: a function of seed and step, so that runs resume."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pixie_runtime.errors import UsageError

_CYCLE = 1000
"""Samples after which the order of data sets repeats; shares are kept to a part in so
many."""


@dataclass(frozen=True)
class Key:
    """One sample at one time."""

    source: int
    """Number of the data set."""
    epoch: int
    """How often all of that data set has been seen before."""
    index: int
    """Number of the sample in it."""


class Stream:
    """An endless order of samples of several data sets.

    Each data set is gone through again and again, every time in another order; which
    data set is next depends on their shares alone.
    """

    def __init__(
        self, sizes: Sequence[int], shares: Sequence[float], *, seed: int
    ) -> None:
        """Take data sets by their sizes and their shares of the samples.

        Raises:
            UsageError: a data set is empty, or a share is not above 0.
        """
        for size, share in zip(sizes, shares, strict=True):
            if size < 1 or not 0 < share < float("inf"):
                raise UsageError(
                    f"a data set of {size} samples has the share {share}; expected at "
                    "least one sample and a share above 0"
                )
        self._sizes, self._seed = list(sizes), seed
        wanted = np.array(shares, float) / sum(shares)
        given = np.zeros(len(sizes), int)
        source, before = [], []
        for place in range(_CYCLE):
            # Whoever is furthest behind their share is next.
            chosen = int(np.argmax(wanted * (place + 1) - given))
            source.append(chosen)
            before.append(int(given[chosen]))
            given[chosen] += 1
        self._source, self._before, self._given = source, before, given.tolist()

    def __getitem__(self, position: int) -> Key:
        """Return the sample at a position of the endless order."""
        cycle, place = divmod(position, _CYCLE)
        source = self._source[place]
        count = cycle * self._given[source] + self._before[place]
        epoch, number = divmod(count, self._sizes[source])
        order = _order(self._sizes[source], self._seed, source, epoch)
        return Key(source, epoch, int(order[number]))

    def batch(self, step: int, size: int, *, rank: int, world: int) -> list[Key]:
        """Return what one of `world` processes sees of a step's `size` samples."""
        return [self[step * size + i] for i in range(rank, size, world)]


@lru_cache(maxsize=16)
def _order(
    size: int, seed: int, source: int, epoch: int
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.random.default_rng((seed, source, epoch)).permutation(size)


@dataclass(frozen=True)
class Steps:
    """A batch sampler: this process's samples of every step to come."""

    stream: Stream
    size: int
    """Samples a step, of all processes together."""
    steps: range
    rank: int = 0
    """Number of this process."""
    world: int = 1
    """How many share a step."""

    def __iter__(self) -> Iterator[list[Key]]:
        """Yield what each step sees."""
        for step in self.steps:
            yield self.stream.batch(step, self.size, rank=self.rank, world=self.world)

    def __len__(self) -> int:
        """Return how many steps there are."""
        return len(self.steps)
