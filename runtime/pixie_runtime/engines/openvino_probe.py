"""Whether OpenVINO survives on this processor: tried once, in a process of its own.

On some machines compiling a network kills the process: a SIGFPE on an AMD EPYC 9454
behind a hypervisor (OpenVINO's issue 35943), another where a process may use only one
core (issue 33300). Nobody can catch that, so a child tries it first, and its fate is
remembered for this processor, this number of cores and this version of OpenVINO.
"""

import hashlib
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pixie_runtime.errors import EngineError

_PROGRAM = """
import sys
sys.modules["openvino_telemetry"] = None
import numpy, openvino
from openvino import opset13 as ops
image = ops.parameter([1, 16, 32, 32], numpy.float32)
kernel = numpy.full((16, 16, 3, 3), 0.01, numpy.float32)
seen = ops.convolution(image, kernel, [1, 1], [1, 1], [1, 1], [1, 1])
pooled = ops.reduce_mean(ops.relu(seen), numpy.array([2, 3]), False)
feature = ops.matmul(pooled, numpy.ones((16, 8), numpy.float32), False, False)
network = openvino.Model([feature], [image])
for hint in ("f32", "bf16"):
    settings = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino.Core().compile_model(network, "CPU", settings)
    found = compiled(numpy.ones((1, 16, 32, 32), numpy.float32))[0]
    assert numpy.isfinite(found).all()
"""
PROBE = (sys.executable, "-c", _PROGRAM)
"""The command that tries it."""

_TIMEOUT_S = 60.0


def require_survival(
    version: str, folder: Path, *, command: Sequence[str] = PROBE
) -> None:
    """Try OpenVINO in a child process, or remember how that went.

    Success and crashes are remembered; other failures may pass and are tried again.

    Args:
        version: OpenVINO's.
        folder: where the outcome is kept; nothing is kept if it cannot be written.
        command: what tries it, successful if it exits with 0.

    Raises:
        EngineError: the child did not survive, now or when it was tried.
    """
    memory = folder / f"probe-{_machine(version)}.json"
    fault = _remembered(memory)
    if fault is None:
        fault = _try_out(command)
        if not fault or fault in _CRASHES:
            _remember(memory, fault)
    if fault:
        raise EngineError(
            f"OpenVINO {version} fails on this machine: a trial of it {fault}; use "
            f"--engine onnxruntime, or delete {memory} to have it tried again"
        )


def _try_out(command: Sequence[str]) -> str:
    """Return what became of the child; nothing if all was well."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"did not end within {_TIMEOUT_S:g} s"
    except OSError as error:
        return f"could not be started ({error.strerror})"
    if done.returncode < 0:
        return _killed_by(-done.returncode)
    if done.returncode > 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        return f"ended with {said[-1] if said else f'code {done.returncode}'}"
    return ""


def _killed_by(number: int) -> str:
    try:
        return f"was killed by {signal.Signals(number).name}"
    except ValueError:
        return f"was killed by signal {number}"


_CRASHES = {
    _killed_by(number)
    for number in (signal.SIGFPE, signal.SIGILL, signal.SIGSEGV, signal.SIGABRT)
}


def _machine(version: str) -> str:
    """Return a short name of everything that the outcome may depend on."""
    parts = [version, platform.machine(), platform.processor(), _processor_flags()]
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    text = "\n".join([*parts, str(usable or os.cpu_count())])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _processor_flags() -> str:
    """Return what Linux knows of the first processor: its name and what it can do."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return ""
    wanted = ("vendor_id", "model name", "flags", "Features")
    return "\n".join(dict.fromkeys(line for line in lines if line.startswith(wanted)))


def _remembered(memory: Path) -> str | None:
    """Return what became of the child; None if that is not known."""
    try:
        fault = json.loads(memory.read_text("utf-8"))["fault"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return fault if isinstance(fault, str) else None


def _remember(memory: Path, fault: str) -> None:
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        memory.write_text(json.dumps({"fault": fault}) + "\n", "utf-8")
    except OSError:
        # A home that cannot be written: then it is tried again next time.
        return
