"""Processes that share the samples of every step, as torchrun starts them.

    torchrun --nproc-per-node 2 -m pixie_train expert --out runs/head ...

Every process runs the same program and asks here who it is. What they say to one
another goes through `torch.distributed`: gloo on processors, NCCL on CUDA cards.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from pixie_runtime.errors import PixieError, UsageError

_T = TypeVar("_T")
_NAMES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
_PATIENCE = timedelta(minutes=60)
"""How long processes wait for one that makes samples, saves or draws overlays."""
_FAILED = "pixie/failed"


@dataclass(frozen=True)
class Processes:
    """Who this process is among those that share a run."""

    rank: int = 0
    """Its number."""
    world: int = 1
    """How many there are, on all machines."""
    local_rank: int = 0
    """Its number on this machine, and that of its CUDA card."""
    local_world: int = 1
    """How many there are on this machine."""

    @property
    def lead(self) -> bool:
        """Whether this is the one that writes files and talks."""
        return self.rank == 0

    def total(self, value: Tensor) -> Tensor:
        """Return the sum over processes, without a gradient; all of them must ask."""
        if self.world == 1:
            return value.detach()
        value = value.detach().clone()
        dist.all_reduce(value)
        return value

    def means(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the means over processes of scalars of the same names."""
        detached = {name: value.detach() for name, value in values.items()}
        if self.world == 1:
            return detached
        mean = self.total(torch.stack(list(detached.values()))) / self.world
        return dict(zip(detached, mean.unbind(), strict=True))

    def gathered(self, value: _T) -> list[_T]:
        """Return everybody's plain value, by rank."""
        if self.world == 1:
            return [value]
        values: list[_T | None] = [None] * self.world
        dist.all_gather_object(values, value)
        return values  # type: ignore[return-value]

    def wait(self) -> None:
        """Wait for all others."""
        self.gathered(None)


ALONE = Processes()
"""A run in one process."""


def started() -> Processes:
    """Return who this process is, as torchrun tells it; `ALONE` without torchrun.

    Raises:
        UsageError: the environment says so only in part.
    """
    # Schedulers of clusters set some of them for programs of any kind.
    if "RANK" not in os.environ or int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return ALONE
    missing = [name for name in _NAMES if name not in os.environ]
    if missing:
        raise UsageError(
            f"WORLD_SIZE is {os.environ['WORLD_SIZE']}, but there is no "
            f"{', '.join(missing)}; start processes with torchrun, or unset RANK"
        )
    rank, world, local = (int(os.environ[name]) for name in _NAMES[:3])
    return Processes(rank, world, local, int(os.environ.get("LOCAL_WORLD_SIZE", "1")))


@contextmanager
def joined(processes: Processes) -> Iterator[None]:
    """Let processes talk to one another inside; where one fails, all end.

    The first to fail says why. The others find nobody to talk to, and end in silence.

    Raises:
        PixieError: this process is the first that failed by something a user can mend,
            or another one ended without a word.
        SystemExit: another failed before.
    """
    if processes.world == 1:
        yield
        return
    both = torch.cuda.is_available() and dist.is_nccl_available()
    dist.init_process_group("cpu:gloo,cuda:nccl" if both else "gloo", timeout=_PATIENCE)
    # Under torchrun the store is kept by its agent, which outlives all of them.
    store: _Store = dist.distributed_c10d._get_default_store()
    try:
        yield
        processes.wait()
    except PixieError as error:
        if _count(store) > 1:
            raise SystemExit(error.exit_code) from None
        raise
    except Exception as error:
        first = _count(store) == 1
        if not first:
            raise SystemExit(PixieError.exit_code) from None
        if not _is_of_connection(error):
            raise
        raise PixieError(
            "another process of this run ended without a word (killed, or out of "
            "memory?); the same command goes on from the last checkpoint"
        ) from error
    finally:
        dist.destroy_process_group()


class _Store(Protocol):
    """What processes keep together."""

    def add(self, key: str, amount: int, /) -> int:
        """Add to a number; returns what it is then."""
        ...


def _count(store: _Store) -> int:
    """Return how many have failed, this process included."""
    try:
        return store.add(_FAILED, 1)
    except RuntimeError:  # whoever kept the store is gone as well
        return 2


def _is_of_connection(error: Exception) -> bool:
    return isinstance(error, dist.DistError) or "gloo" in str(error)
