"""What many timings come to: percentiles, and how two sets of turns compare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, slots=True)
class Turns:
    """One contender's runs, turn by turn; milliseconds."""

    milliseconds: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        if not self.milliseconds or not all(self.milliseconds):
            raise ValueError("expected one run or more in each of one turn or more")

    @property
    def runs(self) -> int:
        """How many there are in all."""
        return sum(map(len, self.milliseconds))

    @property
    def medians(self) -> tuple[float, ...]:
        """Of each turn."""
        return tuple(float(np.median(turn)) for turn in self.milliseconds)

    def percentile(self, percent: float) -> float:
        """Return a percentile of all runs, linear between two of them."""
        return float(np.percentile(np.concatenate(self.milliseconds), percent))


class Contender(Protocol):
    """Something that runs again and again, and is idle in between."""

    @property
    def name(self) -> str:
        """Short, and no other's."""
        ...

    def take(self, runs: int, *, skip: int) -> Sequence[float]:
        """Run `skip` times unmeasured, then `runs` times; return milliseconds of each.

        Raises:
            PixieError: it cannot.
        """
        ...


def in_turns(
    contenders: Sequence[Contender], *, rounds: int, runs: int, warm_up: int
) -> Mapping[str, Turns]:
    """Let every contender run once in each round: A B A B.

    What drifts on a machine, its clock rate or its neighbours, drifts for all of them.

    Args:
        contenders: in the order of a round.
        rounds: how many.
        runs: measured, of a contender in a round.
        warm_up: unmeasured runs before a contender's first turn. One more goes before
            each later turn: the others have emptied the caches.

    Raises:
        PixieError: one of them cannot run.
    """
    taken: dict[str, list[tuple[float, ...]]] = {c.name: [] for c in contenders}
    for index in range(rounds):
        for contender in contenders:
            skip = warm_up if index == 0 else 1
            taken[contender.name].append(tuple(contender.take(runs, skip=skip)))
    return {name: Turns(tuple(turns)) for name, turns in taken.items()}


def ratio(peer: Turns, ours: Turns) -> float:
    """Return how many times as long the peer takes: the median over the rounds.

    In each round their medians are compared, which were taken seconds apart.
    """
    pairs = zip(peer.medians, ours.medians, strict=True)
    return float(np.median([theirs / own for theirs, own in pairs]))
