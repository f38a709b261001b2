"""The machine beside a measurement: what it is, and how busy others kept it."""

import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Self

_CPUINFO, _STAT = Path("/proc/cpuinfo"), Path("/proc/stat")
_SELF = Path("/proc/self")
_STARTED = 19
"""Field of /proc/PID/stat behind the process's name: when it was started, in ticks."""
_IDLE, _WAITING = 3, 4
_LAST = 8
"""Fields of a line of /proc/stat; what guests used, at its end, is counted twice."""
_USER_AND_SYSTEM = (11, 12)
"""Fields of /proc/PID/stat behind the process's name."""


def machine() -> str:
    """Return cores and processor in words."""
    name = platform.processor() or platform.machine()
    if _CPUINFO.exists():
        for line in _CPUINFO.read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return f"{os.cpu_count()} cores of {name}"


def resident_mb() -> float | None:
    """Return this process's resident memory; None where the system does not say."""
    return _status_mb("VmRSS")


def peak_resident_mb() -> float | None:
    """Return the most that it ever was; None where the system does not say."""
    return _status_mb("VmHWM")


def process_age_s() -> float | None:
    """Return seconds since this process was started, its imports included.

    To a hundredth of a second; None where the system does not say.
    """
    path = _SELF / "stat"
    if not path.exists():
        return None
    started = int(path.read_text().rpartition(")")[2].split()[_STARTED])
    now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    return now_s - started / os.sysconf("SC_CLK_TCK")


def _status_mb(field: str) -> float | None:
    path = _SELF / "status"
    if not path.exists():
        return None
    for line in path.read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024 / 1e6
    return None


class Bystanders:
    """How many cores other processes used while this was open; a context manager."""

    def __init__(self, *ours: int) -> None:
        """Watch; `ours` are other processes that are part of the measurement."""
        self._ours = ours
        self._began_s = self._ended_s = 0.0
        self._others_s: float | None = None

    def __enter__(self) -> Self:
        self._began_s = time.perf_counter()
        self._others_s = _others_s(self._ours)
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended_s = time.perf_counter()
        now_s = _others_s(self._ours)
        if now_s is not None and self._others_s is not None:
            self._others_s = max(now_s - self._others_s, 0.0)

    @property
    def cores(self) -> float | None:
        """Their cores on average; None where the system does not say."""
        if self._others_s is None:
            return None
        return self._others_s / max(self._ended_s - self._began_s, 1e-9)

    def text(self) -> str:
        """Return it as a phrase."""
        if self.cores is None:
            return "what other processes did is not known"
        return f"other processes used {self.cores:.2f} cores meanwhile"


def _others_s(ours: Iterable[int]) -> float | None:
    """Return the CPU time so far of all processes but this one and `ours`."""
    if not _STAT.exists():
        return None
    ticks = [int(text) for text in _STAT.read_text().split("\n", 1)[0].split()[1:]]
    busy = sum(ticks[:_LAST]) - ticks[_IDLE] - ticks[_WAITING]
    busy -= sum(_ticks_of(process) for process in ours)
    return busy / os.sysconf("SC_CLK_TCK") - time.process_time()


def _ticks_of(process: int) -> int:
    """Return what a process used so far; 0 if it is gone."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return 0
    # The process's name, in brackets, may hold spaces.
    fields = text.rpartition(")")[2].split()
    return sum(int(fields[index]) for index in _USER_AND_SYSTEM)
