"""What a long command is doing, on the terminal's last line."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from tqdm import tqdm

from pixie_export.graph_files import Announce


@contextmanager
def progress() -> Iterator[Announce]:
    """Show what is announced, and for how long it has been going on.

    On stderr, if that is a terminal; the line is gone at the end.
    """
    done = Event()
    with tqdm(bar_format="{desc} ({elapsed})", leave=False, disable=None) as bar:

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
