"""What a long command is doing, on the terminal's last line, or as lines of a log."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from tqdm import tqdm

from pixie_export.graph_files import Announce


@contextmanager
def progress() -> Iterator[Announce]:
    """Show what is announced, on stderr.

    On a terminal it is one line, with how long it has been going on, which is gone at
    the end. Elsewhere whatever takes a second or more is a line of its own.
    """
    if not sys.stderr.isatty():
        said = [""]

        def tell() -> None:
            if said[-1]:
                sys.stderr.write(said[-1] + "\n")
                sys.stderr.flush()
                said.append("")

        with _every_second(tell):
            yield said.append
        return
    with tqdm(bar_format="{desc} ({elapsed})", leave=False) as bar:

        def announce(what: str) -> None:
            bar.reset()
            bar.set_description_str(what)

        with _every_second(bar.refresh):
            yield announce


@contextmanager
def _every_second(do: Callable[[], object]) -> Iterator[None]:
    done = Event()

    def tick() -> None:
        while not done.wait(1.0):
            do()

    clock = Thread(target=tick, name="progress", daemon=True)
    clock.start()
    try:
        yield
    finally:
        done.set()
        clock.join()
