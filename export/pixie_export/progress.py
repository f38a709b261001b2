"""What a long command is doing, on the terminal's last line, or as lines of a log."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from tqdm import tqdm

from pixie_export.graph_files import Announce


@contextmanager
def progress() -> Iterator[Announce]:
    """Show what is announced, and for how long it has been going on.

    On stderr. On a terminal it is one line, which is gone at the end; elsewhere each
    announcement is a line of its own.
    """
    if not sys.stderr.isatty():
        yield _line
        return
    done = Event()
    with tqdm(bar_format="{desc} ({elapsed})", leave=False) as bar:

        def announce(what: str) -> None:
            bar.reset()
            bar.set_description_str(what)

        def tick() -> None:
            while not done.wait(1.0):
                bar.refresh()

        clock = Thread(target=tick, name="progress", daemon=True)
        clock.start()
        try:
            yield announce
        finally:
            done.set()
            clock.join()


def _line(what: str) -> None:
    sys.stderr.write(what + "\n")
    sys.stderr.flush()
