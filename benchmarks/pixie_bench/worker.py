"""The process that a contender runs in: it says what it is, then runs when asked to.

Lines of JSON over its standard input and output. First it says `{"description",
"opened_s"}` or `{"error"}`; then it answers each `{"skip", "runs"}` with
`{"milliseconds", "resident_mb"}`, and ends with its input. Run by
`pixie_bench.worker_process` with one argument, JSON of `{"subject", "settings"}`.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from typing import IO, Any, Protocol

from pixie_bench.machine import resident_mb
from pixie_runtime.errors import PixieError
from pixie_runtime.threads import leave_the_cores_to_the_networks

SUBJECTS: Mapping[str, tuple[str, str]] = {
    "network": ("pixie_bench.network_subject", "NetworkSubject"),
    "eager": ("pixie_bench.eager_subject", "EagerSubject"),
    "landmarks": ("pixie_bench.landmark_subject", "LandmarkSubject"),
    "skinning": ("pixie_bench.skinning_subject", "SkinningSubject"),
    "device-chain": ("pixie_bench.device_chain_subject", "DeviceChainSubject"),
    "device-skinning": ("pixie_bench.device_skinning_subject", "DeviceSkinningSubject"),
    "smplx": ("pixie_bench.smplx_subject", "SmplxSubject"),
}
"""Module and class by name; each is made of its settings as keywords."""

_OF_TORCH = ("eager", "smplx")


class Subject(Protocol):
    """What is measured: once is one call."""

    @property
    def description(self) -> str:
        """What it is and what runs it."""
        ...

    def run(self) -> None:
        """Do it once."""
        ...


def serve(request: Mapping[str, Any], asked: IO[str], answers: IO[str]) -> None:
    """Open a subject and run it as often as asked, until nobody asks any more."""

    def say(answer: Mapping[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    began_s = time.perf_counter()
    module, name = SUBJECTS[request["subject"]]
    try:
        subject: Subject = getattr(import_module(module), name)(**request["settings"])
        subject.run()
    except PixieError as error:
        say({"error": str(error)})
        return
    except ImportError as error:
        say({"error": f"{request['subject']}: {error}"})
        return
    opened_s = time.perf_counter() - began_s
    say({"description": subject.description, "opened_s": opened_s})
    for line in asked:
        wanted = json.loads(line)
        for _ in range(wanted["skip"]):
            subject.run()
        milliseconds = []
        for _ in range(wanted["runs"]):
            began_s = time.perf_counter()
            subject.run()
            milliseconds.append((time.perf_counter() - began_s) * 1e3)
        say({"milliseconds": milliseconds, "resident_mb": resident_mb()})


def main() -> None:
    """Serve this process's input and output."""
    leave_the_cores_to_the_networks()
    # Libraries print; the answers must stay alone on their line.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    request = json.loads(sys.argv[1])
    if request["subject"] in _OF_TORCH:
        _take_tiny_numbers_for_zero()
    serve(request, sys.stdin, answers)


def _take_tiny_numbers_for_zero() -> None:
    """Let PyTorch do so in this process, here for everybody who comes after.

    Random layers can fade to numbers that are too small to be normal, which processors
    are slow with.
    """
    try:
        import torch
    except ImportError:  # said by `serve`, with what it was needed for
        return
    torch.set_flush_denormal(True)


if __name__ == "__main__":
    main()
