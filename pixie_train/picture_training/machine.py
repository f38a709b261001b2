"""What computes: a device, and in which precision."""

import torch

from pixie_runtime.errors import UsageError
from pixie_train.picture_training.config import Machine, Optimisation

_HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


def device_of(machine: Machine) -> torch.device:
    """Return the device that is asked for.

    Raises:
        UsageError: it cannot be used.
    """
    if machine.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(machine.device)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"the device {machine.device} cannot be used ({str(error).splitlines()[0]})"
            "; give cpu, or auto"
        ) from error
    return device


def autocast(device: torch.device, how: Optimisation) -> torch.autocast:
    """Return the context in which encoders and regressors may compute in half."""
    half = _HALF.get(how.precision)
    return torch.autocast(device.type, dtype=half, enabled=half is not None)
