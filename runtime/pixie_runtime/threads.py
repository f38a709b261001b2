"""Who may use the cores."""

import os


def leave_the_cores_to_the_networks() -> None:
    """Keep numpy's linear algebra on the calling thread; call before numpy's import.

    OpenBLAS splits even small products among all cores and its threads wait for one
    another. Beside the networks' own threads, or anything else on the machine, such a
    wait lasts a time slice of the system: measured on 2 busy cores, products that take
    0.1 s on one thread took 12 s. Whoever sets the variable keeps their choice.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
