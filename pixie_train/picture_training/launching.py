"""`--processes N`: torchrun's engine, without its traces where a process fails."""

import logging
import os
import sys
from collections.abc import Sequence
from uuid import uuid4

_LOGGER = "torch.distributed.elastic"


def wanted(count: int) -> bool:
    """Return whether processes have yet to be started."""
    return count > 1 and "RANK" not in os.environ


def launch(count: int, arguments: Sequence[str]) -> int:
    """Run `pixie-train` with these arguments in processes of this machine.

    Whichever process fails first says why; the others are ended.

    Returns:
        The exit code: 0, or that of the process that failed first.
    """
    # Imported here: nobody else needs them.
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=count,
        run_id=uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        local_addr="localhost",
        max_restarts=0,
    )
    logging.getLogger(_LOGGER).setLevel(logging.CRITICAL)
    # What processes that are ended while they connect have to say, in C++.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    try:
        elastic_launch(config, sys.executable)("-m", "pixie_train", *arguments)
    except ChildFailedError as error:
        code = error.get_first_failure()[1].exitcode
        return code if code > 0 else 1
    except SignalException:
        raise KeyboardInterrupt from None
    return 0
