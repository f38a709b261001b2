"""Why a server cannot listen, in words."""

import errno

from pixie_runtime.addresses import Address


def cannot_listen(what: str, address: Address, error: OSError, *, option: str) -> str:
    """Return one sentence on what went wrong and what to do.

    Args:
        what: What failed: `cannot serve the viewer`.
        address: Where it was to listen.
        error: What the system said.
        option: The option that names the port.
    """
    start = f"{what} on {address}"
    if error.errno == errno.EADDRINUSE:
        return (
            f"{start}: the port is in use; end the program that has it or choose "
            f"another port with {option} PORT"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{start}: {address.host} is not an address of this machine"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{start}: not permitted; choose a port above 1023"
    return f"{start}: {error.strerror or error}"
