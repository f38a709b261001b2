"""What computes: a device, and in which precision."""

import os
import sys

import torch

from pixie_runtime.errors import UsageError
from pixie_train.picture_training.config import Machine, Precision
from pixie_train.processes import ALONE, Processes

_LINUX = sys.platform == "linux"
_HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


def device_of(machine: Machine, processes: Processes = ALONE) -> torch.device:
    """Return the device that is asked for; of several processes each has its own card.

    Raises:
        UsageError: it cannot be used.
    """
    asked = machine.device
    if asked == "auto":
        asked = "cuda" if torch.cuda.is_available() else "cpu"
    if asked.startswith("cuda") and processes.world > 1:
        cards = torch.cuda.device_count()
        if asked != "cuda" or processes.local_world > cards:
            raise UsageError(
                f"{processes.local_world} processes share a run on the device {asked} "
                f"of a machine with {cards} CUDA cards; expected a card for each: "
                "start fewer processes, with --device cuda, or take --device cpu"
            )
        asked = f"cuda:{processes.local_rank}"
    try:
        device = torch.device(asked)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"the device {machine.device} cannot be used ({str(error).splitlines()[0]})"
            "; give cpu, or auto"
        ) from error
    return device


def prepared(machine: Machine, processes: Processes = ALONE) -> torch.device:
    """Set how many threads compute, and on which card; returns the device.

    Processes of one machine share its cores, unless told otherwise. Whatever asks for
    CUDA's current card from now on gets this process' own.

    Raises:
        UsageError: the device cannot be used.
    """
    if machine.threads:
        torch.set_num_threads(machine.threads)
    elif processes.world > 1:
        cores = len(os.sched_getaffinity(0)) if _LINUX else os.cpu_count() or 1
        torch.set_num_threads(max(1, cores // processes.local_world))
    device = device_of(machine, processes)
    if device.type == "cuda" and device.index is not None:
        torch.cuda.set_device(device)
    return device


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """Return the context in which encoders and regressors may compute in half."""
    half = _HALF.get(precision)
    return torch.autocast(device.type, dtype=half, enabled=half is not None)
