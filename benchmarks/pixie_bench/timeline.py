"""A timeline that trace viewers open: Chrome's Trace Event Format, "X" events.

Load the file at https://ui.perfetto.dev or at chrome://tracing.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pixie_bench.timing import Run
from pixie_runtime.errors import SinkError

_PROCESS = 1


def trace_events(
    tracks: Mapping[str, Sequence[Run]], counters: Mapping[str, Sequence[Run]] = {}
) -> dict[str, Any]:
    """Return the file's contents.

    Args:
        tracks: by their names, top to bottom, what ran; runs of one track may contain
            one another and may not overlap otherwise.
        counters: by their names, runs whose durations in milliseconds are drawn as a
            graph over time.
    """
    everything = [
        run for runs in (*tracks.values(), *counters.values()) for run in runs
    ]
    start_ns = min((run.began_ns for run in everything), default=0)
    events: list[dict[str, Any]] = [_named("process_name", 0, "pixie-live")]
    for number, (name, runs) in enumerate(tracks.items(), start=1):
        events.append(_named("thread_name", number, name))
        events.extend(_complete(runs, number, start_ns))
    for name, runs in counters.items():
        events.extend(
            {
                "name": name,
                "ph": "C",
                "pid": _PROCESS,
                "ts": (run.ended_ns - start_ns) / 1e3,
                "args": {"ms": round(run.milliseconds, 3)},
            }
            for run in runs
        )
    return {"traceEvents": events, "displayTimeUnit": "ms"}


def write_trace(path: Path, contents: Mapping[str, Any]) -> None:
    """Write it.

    Raises:
        SinkError: the file cannot be written.
    """
    try:
        path.write_text(json.dumps(contents) + "\n", encoding="utf-8")
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror}") from error


def _named(what: str, track: int, name: str) -> dict[str, Any]:
    return {
        "name": what,
        "ph": "M",
        "pid": _PROCESS,
        "tid": track,
        "args": {"name": name},
    }


def _complete(runs: Iterable[Run], track: int, start_ns: int) -> Iterable[Any]:
    for run in runs:
        yield {
            "name": run.name,
            "ph": "X",
            "pid": _PROCESS,
            "tid": track,
            # Microseconds, the format's unit.
            "ts": (run.began_ns - start_ns) / 1e3,
            "dur": (run.ended_ns - run.began_ns) / 1e3,
        }
