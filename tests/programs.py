"""Other programs, started by tests, and what they print while they run."""

import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


class Output:
    """Lines of a running program, as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._lines: queue.Queue[str] = queue.Queue()
        self._thread = threading.Thread(target=self._read, args=(process.stdout,))
        self._thread.start()

    def _read(self, stream: Iterator[str]) -> None:
        for line in stream:
            self._lines.put(line)

    def wait_for(
        self,
        text: str,
        *,
        meanwhile: Callable[[], object] = lambda: None,
        timeout_s: float = 20,
    ) -> str:
        """Return the first line with `text` in it; calls `meanwhile` over and over."""
        seen = []
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            meanwhile()
            try:
                seen.append(self._lines.get(timeout=0.05))
            except queue.Empty:
                continue
            if text in seen[-1]:
                return seen[-1]
        raise AssertionError(f"no line with {text!r} in {seen}")

    def join(self) -> None:
        self._thread.join()


@contextmanager
def running(
    command: Sequence[str | Path], *, env: Mapping[str, str] | None = None
) -> Iterator[Output]:
    """Run a program; yield what it prints to its standard output, then end it."""
    process = subprocess.Popen(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
    )
    output = Output(process)
    try:
        yield output
    finally:
        process.kill()
        process.wait()
        output.join()
        assert process.stdout is not None
        process.stdout.close()
