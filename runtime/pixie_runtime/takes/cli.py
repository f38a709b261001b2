"""`pixie-take`: what is in a take, its conversion to other files, replay and viewer.

Exit codes are those of `pixie_runtime.errors`; Ctrl-C ends a replay or view with 0.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from pixie_runtime.addresses import Address, parse_address
from pixie_runtime.errors import PixieError, UsageError
from pixie_runtime.interrupts import stopped_by_signals
from pixie_runtime.option_types import optional_choice, optional_count
from pixie_runtime.options import VIEW_PORT, Switch
from pixie_runtime.output_files import is_same_file
from pixie_runtime.stream_options import StreamOptions
from pixie_runtime.takes.conversion import (
    NEED_BODY,
    SUFFIXES,
    TARGETS,
    Target,
    write_as,
)
from pixie_runtime.takes.loading import load_recording
from pixie_runtime.takes.places import found
from pixie_runtime.takes.recording import Recording
from pixie_runtime.takes.take import Take
from pixie_runtime.threads import leave_the_cores_to_the_networks

if TYPE_CHECKING:
    from pixie_runtime.sinks import Tick
    from pixie_runtime.sinks.fanout import Fanout
    from pixie_runtime.takes.foot_lock import FootLock

_Take = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="TAKE")]
_File = Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")]
_Person = Annotated[
    int | None, optional_count(), tyro.conf.arg(metavar="ID", help_behavior_hint="")
]
_Target = Annotated[
    Target | None,
    optional_choice(*TARGETS),
    tyro.conf.arg(metavar="npz|bvh|glb|usd|csv", help_behavior_hint=""),
]
_Fps = Annotated[
    Literal[30, 60] | None,
    optional_choice(30, 60),
    tyro.conf.arg(metavar="30|60", help_behavior_hint=""),
]


@dataclass(frozen=True, slots=True)
class Info:
    """Print what is in a take: people, frame rates, gaps, confidences, latency."""

    take: _Take
    """A recording of pixie-live, or an .npz of one; with
    or without its ending."""


@dataclass(frozen=True, slots=True)
class Convert:
    """Make another program's file of one person in a take."""

    take: _Take
    """A recording of pixie-live, or an .npz of one;
    with or without its ending."""
    to: _Target = None
    """What to make; without it --out's ending tells."""
    out: _File = None
    """Where to write; without it beside the take, by
    its name. An existing file is replaced."""
    fps: _Fps = None
    """Frames per second; without it the one nearer to
    what was recorded, and for csv frames as
    recorded."""
    person: _Person = None
    """Whose motion; without it whose there is most of."""
    smooth: Switch = False
    """Smooth the motion, without delay."""
    lock_feet: Switch = False
    """Move the body such that feet that stand do not
    slide."""
    body_model: _File = None
    """The SMPL-X model (.npz) that it was recorded
    with, if not the one that ships; for glb and usd."""
    no_mesh: Switch = False
    """Write the bones alone into a glb or usd, which
    needs no body model."""

    def __post_init__(self) -> None:
        if self.to is None and (
            self.out is None or self.out.suffix.lower() not in SUFFIXES
        ):
            raise UsageError(
                "say what to make with --to, or with an --out that ends in "
                + ", ".join(SUFFIXES)
            )
        named = None if self.out is None else SUFFIXES.get(self.out.suffix.lower())
        if named not in (None, self.target):
            raise UsageError(
                f"--to {self.to} does not fit --out {self.out}: leave --to out for "
                f"{named}, or name a file that ends in .{self.to}"
            )
        if self.no_mesh and self.target not in NEED_BODY:
            raise UsageError(f"--no-mesh: a {self.target} has no mesh anyway")

    @property
    def target(self) -> Target:
        """What to make."""
        if self.to is not None:
            return self.to
        assert self.out is not None
        return SUFFIXES[self.out.suffix.lower()]

    @property
    def path(self) -> Path:
        """Where to write."""
        return self.out or self.take.with_suffix(f".{self.target}")


@dataclass(frozen=True, slots=True)
class Replay:
    """Play a take to live outputs, as if it happened now."""

    take: _Take
    """A recording of pixie-live, or an .npz of one; with
    or without its ending."""
    speed: Annotated[float, tyro.conf.arg(metavar="X")] = 1.0
    """How fast: 0.5 is slow motion."""
    loop: Switch = False
    """Begin again at the end, until Ctrl-C."""
    smooth: Switch = False
    """Smooth the motion, without delay."""
    lock_feet: Switch = False
    """Move the body such that feet that stand do not
    slide."""
    body_model: _File = None
    """The SMPL-X model (.npz) that it was recorded with,
    if not the one that ships."""
    quiet: Switch = False
    """Say nothing but warnings and errors."""

    streaming: Annotated[StreamOptions, tyro.conf.OmitArgPrefixes] = field(
        default_factory=StreamOptions
    )

    def __post_init__(self) -> None:
        if not 0.01 <= self.speed <= 1000:
            raise UsageError(f"--speed {self.speed:g}: expected 0.01 to 1000")
        if not self.streaming.is_sent:
            raise UsageError("name an output: --osc, --vmc, --websocket, ...")


@dataclass(frozen=True, slots=True)
class View:
    """Show a take in a web page, in 3D, with a timeline."""

    take: _Take
    """A recording of pixie-live, or an .npz of one; with
    or without its ending."""
    serve: Annotated[str, tyro.conf.arg(metavar="[HOST:]PORT")] = str(VIEW_PORT)
    """Where the page is served: on 127.0.0.1 without HOST."""
    smooth: Switch = False
    """Smooth the motion, without delay."""
    lock_feet: Switch = False
    """Move the body such that feet that stand do not
    slide."""
    body_model: _File = None
    """The SMPL-X model (.npz) that it was recorded with,
    if not the one that ships."""

    def __post_init__(self) -> None:
        _ = self.address

    @property
    def address(self) -> Address:
        """Where the page is served.

        Raises:
            UsageError: `--serve` is not understood.
        """
        return parse_address(self.serve, option="--serve", default_host="127.0.0.1")


_Command = (
    Annotated[Info, tyro.conf.subcommand("info")]
    | Annotated[Convert, tyro.conf.subcommand("convert")]
    | Annotated[Replay, tyro.conf.subcommand("replay")]
    | Annotated[View, tyro.conf.subcommand("view")]
)


def main(args: Sequence[str] | None = None) -> int:
    """Run the command with `args`, or with the process's own; return its exit code."""
    leave_the_cores_to_the_networks()
    try:
        command = tyro.cli(
            _Command,
            prog="pixie-take",
            description="Looks into takes, converts, replays and shows them.",
            args=args,
        )
        command = replace(command, take=found(command.take))
        if isinstance(command, Info):
            _info(command)
        elif isinstance(command, Convert):
            _convert(command)
        elif isinstance(command, Replay):
            _replay(command)
        else:
            _view(command)
    except PixieError as error:
        print(f"pixie-take: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has gone; say nothing, at the interpreter's end too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _info(command: Info) -> None:
    from pixie_runtime.takes.description import describe

    print(describe(load_recording(command.take)))


def _load(path: Path) -> Recording:
    """Read a recording and say what is missing in it."""
    recording = load_recording(path)
    for warning in recording.warnings:
        print(f"pixie-take: warning: {warning}", file=sys.stderr)
    return recording


def _convert(command: Convert) -> None:
    from pixie_runtime.takes.bodies import body_of
    from pixie_runtime.takes.foot_lock import feet_locked
    from pixie_runtime.takes.smoothing import smoothed

    recording, path, target = _load(command.take), command.path, command.target
    for what, read in (
        ("the take itself", command.take),
        ("the body model", command.body_model),
    ):
        if read is not None and is_same_file(path, read):
            raise UsageError(f"--out {path} is {what}: name another file")
    track = recording.track(command.person)
    mesh = target in NEED_BODY and not command.no_mesh
    model = body_of(recording, command.body_model) if mesh else None
    recorded = track.take()
    smooth = smoothed(recorded) if command.smooth else recorded
    locked = feet_locked(smooth) if command.lock_feet else None
    take = smooth if locked is None else locked.take
    written = write_as(take, target, path, fps=command.fps, model=model, mesh=mesh)
    size_mb = path.stat().st_size / 1e6
    rate = f" at {written.mocap_frame_rate:g} fps" if written is not take else ""
    print(
        f"{path}: person {track.track_id}, {len(written)} frames{rate} "
        f"({size_mb:.1f} MB)"
    )
    if command.smooth:
        print(_effect_of_smoothing(recorded, smooth))
    if locked is not None:
        print(_effect_of_locking(smooth, locked))
    others = [str(other) for other in recording.people if other != track.track_id]
    if others:
        print(f"also in it: person {', '.join(others)} (--person)")


def _effect_of_smoothing(before: Take, after: Take) -> str:
    from pixie_runtime.takes.jitter import jitter
    from pixie_runtime.takes.resampling import resampled, usual_rate

    fps = usual_rate(before)
    rough, smooth = (jitter(resampled(take, fps)) for take in (before, after))
    return f"smoothed: jitter {rough:.1f} before, {smooth:.1f} after, in 10 m/s^3"


def _effect_of_locking(before: Take, locked: "FootLock") -> str:
    if not locked.share:
        return "feet locked: none stands, as far as the picture shows"
    slides = [100 * locked.slide(take) for take in (before, locked.take)]
    return (
        f"feet locked: one stands in {locked.share:.0%} of the time, sliding at "
        f"{slides[0]:.0f} cm/s before, {slides[1]:.1f} after"
    )


def _changing(command: Replay | View) -> Callable[[Take], Take]:
    """Return what is done to each person's motion before it is shown."""
    from pixie_runtime.takes.foot_lock import feet_locked
    from pixie_runtime.takes.smoothing import smoothed

    def changed(take: Take) -> Take:
        take = smoothed(take) if command.smooth else take
        return feet_locked(take).take if command.lock_feet else take

    return changed


def _replay(command: Replay) -> None:
    from pixie_runtime.report import output_lines
    from pixie_runtime.sinks.fanout import Fanout
    from pixie_runtime.sinks.network import open_network_sinks
    from pixie_runtime.sinks.websocket_messages import StreamInfo
    from pixie_runtime.takes.bodies import body_of
    from pixie_runtime.takes.playing import moments, ticks

    recording = _load(command.take)
    track = recording.track()
    model = body_of(recording, command.body_model)
    played = moments(recording, _changing(command))
    info = StreamInfo(model.name, track.betas.shape[1], track.expression.shape[1])
    with ExitStack() as opened:
        sinks = []
        for sink in open_network_sinks(command.streaming, model, info):
            opened.callback(sink.close)
            sinks.append(sink)
        opened.pop_all()
        fanout = Fanout(sinks)
        opened.callback(fanout.close)
        if not command.quiet:
            print(f"playing {command.take} to {fanout.name}", flush=True)
        stream = ticks(played, speed=command.speed, loop=command.loop)
        count = _until_stopped(fanout, stream)
    for warning in fanout.warnings:
        print(f"pixie-take: warning: {warning}", file=sys.stderr)
    if not command.quiet:
        print(f"{count} frames played", *output_lines(fanout.traffic), sep="\n")


def _view(command: View) -> None:
    from pixie_runtime.takes.bodies import body_of
    from pixie_runtime.viewer import view_take
    from pixie_runtime.viewer.addresses import greeting
    from pixie_runtime.viewer.opening import bring_browser

    recording = _load(command.take)
    model = body_of(recording, command.body_model)
    takes = [track.take() for track in recording.people.values()]
    if not takes:
        raise UsageError(f"nobody was recorded in {command.take}")

    def tell(address: Address, url: str) -> None:
        print(f"{greeting(address)}; Ctrl-C ends it", flush=True)
        bring_browser(url)

    with stopped_by_signals():
        view_take(
            list(map(_changing(command), takes)),
            command.address,
            title=command.take.name,
            model=model,
            tell=tell,
        )


def _until_stopped(fanout: "Fanout", stream: "Iterator[Tick]") -> int:
    """Send ticks until they end, or Ctrl-C or SIGTERM come; return how many."""
    count = 0
    with suppress(KeyboardInterrupt), stopped_by_signals():
        for tick in stream:
            fanout.send(tick)
            count += 1
    return count
