"""Who may use the cores."""

import os
import sys
import threading
from contextlib import suppress

_PATIENCE = 10
"""By how much less what can wait is urgent, as `nice` counts."""


def leave_the_cores_to_the_networks() -> None:
    """Keep numpy's linear algebra on the calling thread; call before numpy's import.

    OpenBLAS splits even small products among all cores and its threads wait for one
    another. Beside the networks' own threads, or anything else on the machine, such a
    wait lasts a time slice of the system: measured on 2 busy cores, products that take
    0.1 s on one thread took 12 s. Whoever sets the variable keeps their choice.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def let_networks_go_first() -> None:
    """Give the calling thread, and those it will start, a lower priority than it has.

    For work on pictures that can wait until a core has nothing to do: on a busy machine
    it may wait for long. A network cannot, for its other core waits for it, nor can
    what has to be done by a certain time. Only Linux has priorities of threads; where
    they may not be changed nothing happens.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):
            urgency = os.getpriority(os.PRIO_PROCESS, thread)
            os.setpriority(os.PRIO_PROCESS, thread, urgency + _PATIENCE)
