"""A server of websockets in a thread and an event loop of its own."""

import asyncio
import errno
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future

from websockets.asyncio.server import Server

from pixie_runtime.addresses import Address
from pixie_runtime.errors import SinkError

_Started = Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]]


class ServerThread:
    """Listens from its construction until it is closed.

    Args:
        address: Where to listen; port 0 takes a free one.
        listen: Opens the server there; awaited in the thread.
        work: What the thread does meanwhile; to return once the event that it is
            given is set. The server is closed then.
        name: What the thread is called.
        failing: What failed if it cannot listen: `cannot serve the viewer`.
        option: The option that names the port.

    Raises:
        SinkError: the address cannot be listened on.
    """

    def __init__(
        self,
        address: Address,
        listen: Callable[[], Awaitable[Server]],
        work: Callable[[asyncio.Event], Awaitable[None]],
        *,
        name: str,
        failing: str,
        option: str,
    ) -> None:
        started: _Started = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(_run(listen, work, started)),
            name=name,
            daemon=True,
        )
        self._thread.start()
        try:
            self._loop, self._stop, port = started.result()
        except OSError as error:
            self._thread.join()
            why = _cannot_listen(failing, address, error, option)
            raise SinkError(why) from error
        self.address = Address(address.host, port)
        """Where clients connect to."""

    def call(self, function: Callable[[], None]) -> None:
        """Have the thread call a function soon; from any other thread."""
        self._loop.call_soon_threadsafe(function)

    def close(self) -> None:
        """Wait for the end of the work, and free the port."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()


async def _run(
    listen: Callable[[], Awaitable[Server]],
    work: Callable[[asyncio.Event], Awaitable[None]],
    started: _Started,
) -> None:
    stop = asyncio.Event()
    try:
        server = await listen()
    except Exception as error:  # whatever it is, the other thread waits for it
        started.set_exception(error)
        return
    port = next(iter(server.sockets)).getsockname()[1]
    started.set_result((asyncio.get_running_loop(), stop, port))
    await work(stop)
    server.close()
    await server.wait_closed()


def _cannot_listen(what: str, address: Address, error: OSError, option: str) -> str:
    """Return one sentence on what went wrong and what to do."""
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
