"""Runs a function in processes that share a run, as torchrun would start them."""

import ctypes
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import torch

from pixie_runtime.errors import PixieError
from pixie_train.processes import Processes, joined, started

_PATIENCE_S = 120
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Outcome:
    """How one process ended."""

    value: Any = None
    """What the function returned."""
    said: str | None = None
    """The sentence that a user would read."""
    code: int = 0
    """With which it ended."""


def together(
    function: Callable[[Processes], Any], world: int = 2
) -> list[Outcome | None]:
    """Return how processes ended, by rank; None: without a word."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Forked: they need not import anything again.
    context = multiprocessing.get_context("fork")
    ends, running = [], []
    for rank in range(world):
        here, there = context.Pipe(duplex=False)
        process = context.Process(
            target=_one, args=(function, rank, world, port, there)
        )
        process.start()
        there.close()
        ends.append(here)
        running.append(process)
    outcomes = [_received(end) for end in ends]
    for process in running:
        process.join(_PATIENCE_S)
        process.kill()
    return outcomes


def _received(end: Connection) -> Outcome | None:
    try:
        if end.poll(_PATIENCE_S):
            found: Outcome = end.recv()
            return found
    except EOFError:
        pass
    return None


def _one(
    function: Callable[[Processes], Any],
    rank: int,
    world: int,
    port: int,
    there: Connection,
) -> None:
    # Whatever ends the tests ends this process too.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(world),
        "LOCAL_WORLD_SIZE": str(world),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    torch.set_num_threads(1)
    try:
        processes = started()
        with joined(processes):
            value = function(processes)
        there.send(Outcome(value))
    except PixieError as error:
        there.send(Outcome(said=str(error), code=error.exit_code))
    except SystemExit as stopped:
        there.send(Outcome(code=int(stopped.code or 0)))
