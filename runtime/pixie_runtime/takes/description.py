"""What is in a recording, in words and numbers for people."""

from collections.abc import Iterator, Sequence

import numpy as np

from pixie_runtime.takes.recording import Recording
from pixie_runtime.takes.track import Track, break_s, frame_rate
from pixie_runtime.types import PARTS, Float64
from pixie_runtime.wording import counted

_HEAD = (
    *("person", "frames", "from s", "to s", "fps", "gaps"),
    *(part.replace("_", " ") for part in PARTS),
    "latency ms",
)


def describe(recording: Recording) -> str:
    """Return what a recording holds: what it says of itself, and a row per person."""
    return "\n".join([*_about(recording), "", *_table(recording), *_notes(recording)])


def _about(recording: Recording) -> Iterator[str]:
    info = recording.info
    size_mb = recording.path.stat().st_size / 1e6
    yield f"{recording.path} ({size_mb:.1f} MB)"
    made = [info.created.replace("T", " "), info.source and f"of {info.source}"]
    made += [info.program and f"by {info.program}"]
    if any(made):
        yield "recorded    " + " ".join(part for part in made if part)
    if info.body_model:
        sha256 = info.body_model_sha256[:12]
        yield f"body model  {info.body_model} (SHA-256 {sha256}...)"
    for name, words in info.setup.items():
        if name != "body_model":
            yield f"{name.replace('_', ' '):<12}{words}"
    for track in list(recording.people.values())[:1]:
        width, height = track.camera.size_px
        yield f"{'camera':<12}{width} x {height}, {track.camera.focal_px:.0f} px focal"
        n_betas, n_expression = track.betas.shape[1], track.expression.shape[1]
        yield f"{'parameters':<12}{n_betas} betas, {n_expression} expression"
    yield f"{'length':<12}{_length(recording)}"


def _length(recording: Recording) -> str:
    times = _times(recording)
    if not len(times):
        return "nothing was recorded"
    text = f"{times[-1] - times[0]:.2f} s, {counted(len(times), 'frame', 'frames')}"
    nobody = len(recording.nobody_s)
    return f"{text}, {nobody} of them with nobody in view" if nobody else text


def _times(recording: Recording) -> Float64:
    everybody = [track.timestamps_s for track in recording.people.values()]
    return np.unique(np.concatenate([*everybody, recording.nobody_s]))


def _table(recording: Recording) -> Iterator[str]:
    rows = [_HEAD, *(_row(track) for track in recording.people.values())]
    if len(rows) == 1:
        yield "nobody was in view"
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(
            cell.rjust(width) for cell, width in zip(row, widths, strict=True)
        )


def _row(track: Track) -> Sequence[str]:
    times = track.timestamps_s
    return (
        str(track.track_id),
        str(len(track)),
        f"{times[0]:.2f}",
        f"{times[-1]:.2f}",
        f"{frame_rate(times):.2f}",
        _gaps(times),
        *(f"{value:.2f}" for value in track.confidences.mean(axis=0)),
        _latency(track),
    )


def _gaps(times: Float64) -> str:
    steps = np.diff(times)
    long = steps[steps > break_s(times)]
    return f"{len(long)}, up to {long.max():.1f} s" if len(long) else "none"


def _latency(track: Track) -> str:
    if not track.latencies_s.any():
        return "-"
    p50, p95 = np.percentile(track.latencies_s * 1e3, (50, 95))
    return f"{p50:.0f}, 95% {p95:.0f}"


def _notes(recording: Recording) -> Iterator[str]:
    yield from (f"warning: {warning}" for warning in recording.warnings)
