"""Contenders in processes of their own, started and asked from here.

Each has its own threads and its own memory: what one library leaves behind is in no
other's way, and both can be told apart.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

from pixie_runtime.errors import EngineError


class WorkerProcess:
    """One such process, a `Contender`; a context manager that ends it."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        """Start it and wait until it has run once.

        Args:
            name: of the contender.
            command: a program that speaks as `pixie_bench.worker` does.

        Raises:
            EngineError: it could not be started, or says why it cannot run here.
        """
        self._name = name
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed by `close`
        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                text=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, _path()))}
                if command[0] == sys.executable
                else None,
            )
        except OSError as error:
            self._said.close()
            raise EngineError(
                f"{name}: cannot run {command[0]}: {error.strerror}"
            ) from error
        try:
            ready = self._answer()
            if "error" in ready:
                raise EngineError(ready["error"])
        except BaseException:
            self.close()
            raise
        self._description = str(ready["description"])
        self._opened_s = float(ready["opened_s"])
        self._resident_mb: float | None = None

    @classmethod
    def of(cls, name: str, subject: str, settings: Mapping[str, Any]) -> Self:
        """Start one of our own subjects, by its name in `worker.SUBJECTS`."""
        request = json.dumps({"subject": subject, "settings": dict(settings)})
        return cls(name, [sys.executable, "-m", "pixie_bench.worker", request])

    @property
    def name(self) -> str:
        """Of the contender."""
        return self._name

    @property
    def description(self) -> str:
        """What runs there, in its own words."""
        return self._description

    @property
    def opened_s(self) -> float:
        """Seconds from its imports to the end of its first run."""
        return self._opened_s

    @property
    def resident_mb(self) -> float | None:
        """Its memory after its last turn; None where the system does not say."""
        return self._resident_mb

    @property
    def number(self) -> int:
        """The process's."""
        return self._process.pid

    def take(self, runs: int, *, skip: int) -> Sequence[float]:
        """Run `skip` times unmeasured, then `runs` times; return milliseconds of each.

        Raises:
            EngineError: the process died.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"skip": skip, "runs": runs}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._died() from None
        answer = self._answer()
        self._resident_mb = answer["resident_mb"]
        return [float(milliseconds) for milliseconds in answer["milliseconds"]]

    def close(self) -> None:
        """End the process."""
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            # A process that died left its last question unread.
            with suppress(BrokenPipeError):
                stream.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._died()
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            raise EngineError(
                f"{self._name}: its process said {line.strip()!r}, expected JSON as "
                "pixie_bench.worker answers; is it the program that was meant?"
            ) from None
        return answer

    def _died(self) -> EngineError:
        self._process.wait()
        self._said.seek(0)
        said = self._said.read().strip().splitlines()
        last = f": {said[-1].strip()}" if said else ""
        return EngineError(
            f"{self._name}: its process ended with code {self._process.returncode}"
            f"{last}"
        )


def _path() -> Sequence[str]:
    """Return where this process finds modules, for one of the same Python."""
    return [entry for entry in sys.path if entry]
