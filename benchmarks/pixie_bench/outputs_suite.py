"""`pixie-bench outputs`: what it takes to pass one frame's person on."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pixie_bench.live import discarding_port
from pixie_bench.results import Findings, timing_results
from pixie_bench.settings import Announce, Settings, silent
from pixie_bench.spreads import Turns
from pixie_runtime.assembly import open_pipeline, open_source
from pixie_runtime.body import embedded_body_model
from pixie_runtime.errors import PixieError
from pixie_runtime.options import Options
from pixie_runtime.pipeline import Progress
from pixie_runtime.sinks import Sink, Tick

if TYPE_CHECKING:
    from pixie_bench.websocket_clients import Habit
    from pixie_runtime.sinks.faces import FaceWeights

_FRAMES = 30
_LIVE = "output-websocket"
"""What such sinks are called whose threads go on between two frames."""
_FRAME_S = 1 / 30
Opened = Callable[[ExitStack, Path], Sink]


def run_outputs(settings: Settings, announce: Announce = silent) -> Findings:
    """Send frames of the clip to every kind of sink, in turns; announce each."""
    cases = {name: make for name, make in _SINKS.items() if settings.only in name}
    if not cases:
        return Findings()
    ticks = _ticks(settings)
    found = Findings()
    for name, make in cases.items():
        announce(name)
        try:
            with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
                sink = make(opened, Path(folder))
                opened.callback(sink.close)
                pause_s = _FRAME_S if name.startswith(_LIVE) else 0.0
                turns = Turns(tuple(_turns(sink, ticks, settings, pause_s)))
        except PixieError as error:
            found += Findings(left_out=(f"{name}: {error}",))
            continue
        found += Findings(timing_results(name, turns))
    return found


def _ticks(settings: Settings) -> list[Tick]:
    """Return frames of the clip with the person in them.

    Raises:
        SourceError: the clip cannot be read.
    """
    options = Options(
        video=settings.video,
        demo=settings.video is None,
        loop=True,
        # Of all engines the soonest ready; its speed is not the matter here.
        engine="onnxruntime",
    )
    ticks: list[Tick] = []

    def observe(progress: Progress) -> None:
        ticks.append(progress.tick)

    with open_pipeline(options, open_source(options)) as pipeline:
        pipeline.run(max_frames=_FRAMES, observe=observe)
    return [tick for tick in ticks if tick.people] or ticks


def _turns(
    sink: Sink, ticks: list[Tick], settings: Settings, pause_s: float
) -> Iterator[tuple[float, ...]]:
    """Yield the milliseconds of each `send`, turn by turn; the first one is warm-up.

    Between them are `pause_s` seconds, in which a sink's own threads do their part.
    """
    index = 0
    for turn in range(settings.rounds + 1):
        milliseconds = []
        for tick in ticks:
            # Takes and videos want times that rise, over the ends of the clip too.
            frame = replace(tick.frame, index=index, timestamp_s=index / 30)
            index += 1
            began_s = time.perf_counter()
            sink.send(replace(tick, frame=frame))
            milliseconds.append((time.perf_counter() - began_s) * 1e3)
            time.sleep(pause_s)
        if turn:
            yield tuple(milliseconds)


def _osc(opened: ExitStack, folder: Path) -> Sink:
    from pixie_runtime.addresses import Address
    from pixie_runtime.sinks.osc import OscSink

    port = opened.enter_context(discarding_port())
    return OscSink(Address("127.0.0.1", port))


def _osc_unheard(opened: ExitStack, folder: Path) -> Sink:
    from pixie_runtime.addresses import Address
    from pixie_runtime.sinks.osc import OscSink

    with ExitStack() as closed:
        port = closed.enter_context(discarding_port())
    return OscSink(Address("127.0.0.1", port))


def _websocket(habit: "Habit", count: int) -> Opened:
    """Return what opens a websocket with so many clients of one habit."""

    def open_websocket(opened: ExitStack, folder: Path) -> Sink:
        from pixie_bench.websocket_clients import websocket_clients
        from pixie_runtime.addresses import Address
        from pixie_runtime.sinks.websocket import WebsocketSink
        from pixie_runtime.sinks.websocket_messages import StreamInfo

        model = embedded_body_model()
        info = StreamInfo(model.name, model.n_betas, model.n_expression)
        sink = WebsocketSink(Address("127.0.0.1", 0), info)
        opened.enter_context(websocket_clients(sink.address, habit, count))
        return sink

    return open_websocket


def _vmc(opened: ExitStack, folder: Path) -> Sink:
    from pixie_runtime.addresses import Address
    from pixie_runtime.sinks.vmc import VmcSink
    from pixie_runtime.vmc_settings import VmcSettings

    port = opened.enter_context(discarding_port())
    return VmcSink(Address("127.0.0.1", port), VmcSettings(), face=_faces())


def _live_link_face(opened: ExitStack, folder: Path) -> Sink:
    from pixie_runtime.addresses import Address
    from pixie_runtime.sinks.live_link_face import LiveLinkFaceSink

    port = opened.enter_context(discarding_port())
    return LiveLinkFaceSink(Address("127.0.0.1", port), face=_faces())


def _faces() -> "FaceWeights":
    """Return what works out the weights of faces."""
    from pixie_runtime.face import FaceMap
    from pixie_runtime.sinks.faces import Faces

    model = embedded_body_model()
    return Faces(FaceMap.of(model, model.n_expression))


def _take(name: str) -> Opened:
    """Return what records to a file of this name."""

    def open_take(opened: ExitStack, folder: Path) -> Sink:
        from pixie_runtime.sinks.take import TakeSink

        return TakeSink(folder / name)

    return open_take


def _overlay(opened: ExitStack, folder: Path) -> Sink:
    from pixie_runtime.sinks.overlay import OverlayVideo

    return OverlayVideo(folder / "overlay.mp4", embedded_body_model(), 30.0)


_SINKS: dict[str, Opened] = {
    "output-osc": _osc,
    "output-osc-unheard": _osc_unheard,
    "output-websocket-1-reading": _websocket("reading", 1),
    "output-websocket-100-reading": _websocket("reading", 100),
    "output-websocket-100-stuck": _websocket("stuck", 100),
    "output-vmc": _vmc,
    "output-live-link-face": _live_link_face,
    "output-take": _take("take.npz"),
    "output-take-container": _take("take.mcap"),
    "output-overlay": _overlay,
}
