"""From options to a pipeline: which parts, and how they are put together.

Imports wait until a part is wanted, so that help is instant and the first frame soon.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pixie_runtime.errors import UsageError
from pixie_runtime.landmarks import Landmarker, OnePerson, PeopleLandmarker
from pixie_runtime.options import Options
from pixie_runtime.pipeline import Pipeline
from pixie_runtime.sinks import Sink
from pixie_runtime.sources import FrameSource
from pixie_runtime.types import Person

if TYPE_CHECKING:
    from pixie_runtime.body import BodyModel
    from pixie_runtime.controls import Controls
    from pixie_runtime.engines import EngineMaker
    from pixie_runtime.look_ahead import LookAhead
    from pixie_runtime.rates import Rates
    from pixie_runtime.sinks.websocket_messages import StreamInfo


def open_source(options: Options) -> FrameSource:
    """Open the source that the options name.

    Raises:
        UsageError: they name none or several.
        SourceError: it cannot be opened.
    """
    from pixie_runtime.sources import opening

    return opening.open_source(
        camera=options.camera,
        video=options.video,
        images=options.images,
        demo=options.demo,
        realtime=options.plays_in_real_time,
        loop=options.loop,
    )


def open_pipeline(
    options: Options, source: FrameSource, controls: "Controls | None" = None
) -> Pipeline:
    """Build everything behind the source and join it to a pipeline.

    Args:
        options: What to build.
        source: Where frames come from.
        controls: What steers the run from outside; default: what the options say.

    Raises:
        ModelFileError, BundleError: the body model or the bundle cannot be used.
        EngineError: what is to run the networks cannot, here.
        UsageError: the options do not fit the bundle or the pictures.
        SinkError: an output cannot be opened.
        MissingExtraError: an option needs packages that are not installed.
    """
    from pixie_runtime.eye_estimator import EyeEstimator
    from pixie_runtime.network import open_bundle, open_network
    from pixie_runtime.sinks.websocket_messages import StreamInfo

    with ExitStack() as opened:
        opened.callback(source.close)
        bundle = open_bundle(options)
        makers = choose_makers(options, on_images=bundle.manifest.kind == "image")
        network = open_network(options, makers.network, bundle=bundle)
        estimator, model = network.estimator, network.model
        opened.callback(estimator.close)
        info = StreamInfo(model.name, estimator.n_betas, estimator.n_expression)
        setup = {**network.setup, **makers.described}
        controls = controls or live_controls(options)
        sinks = []
        for sink in open_sinks(options, source, model, info, setup, controls):
            opened.callback(sink.close)
            sinks.append(sink)
        landmarker = open_people_landmarker(
            options, makers.landmarks, network.landmark_rates
        )
        opened.pop_all()
    unrelated = options.results is not None
    is_raw = unrelated or (options.no_smoothing and options.view is None)
    looks_ahead = options.looks_ahead and not is_raw
    pipeline = Pipeline(
        source=source,
        landmarker=landmarker,
        estimator=EyeEstimator(estimator, model),
        sinks=sinks,
        smooth=None if is_raw or looks_ahead else smoothing(model, controls),
        look_ahead=look_ahead(model) if looks_ahead else None,
        field_of_view=options.fov,
        unrelated=unrelated,
        setup=setup,
    )
    controls.warnings = lambda: pipeline.losses().warnings
    return pipeline


@dataclass(frozen=True, slots=True)
class Makers:
    """What opens the networks of a run."""

    network: "EngineMaker"
    """Opens the bundle's."""
    landmarks: "EngineMaker"
    """Opens those of the landmarks."""
    described: Mapping[str, str]
    """What runs, by name and in words."""


def choose_makers(options: Options, *, on_images: bool, threads: int = 2) -> Makers:
    """Choose what the options name, for a bundle on images or on landmarks.

    `threads` are the cores that one run of a network may use. Raises what
    `engines.choosing.choose` does.
    """
    from pixie_runtime.engines import choosing

    kind, precision = options.engine, options.precision
    choose = partial(
        choosing.choose,
        kind,
        precision=precision,
        threads=threads,
        engines=options.engines,
    )
    if not on_images:
        landmarks = choose(purpose="landmarks")
        network = landmarks
        if precision == "bfloat16":
            # The bundle's own network gains nothing in bfloat16 and loses much.
            network = choosing.choose("openvino", threads=threads)
        return Makers(network, landmarks, {"engine": landmarks.description})
    network = choose()
    landmarks = choose(purpose="places")
    described = {"engine": network.description}
    if options.landmarker == "pixie" and landmarks.description != network.description:
        described["landmarks"] = landmarks.description
    return Makers(network, landmarks, described)


def open_landmarker(
    options: Options,
    maker: "EngineMaker | None" = None,
    rates: "Rates | None" = None,
) -> Landmarker:
    """Load the landmark networks that the options name.

    Of ours no more runs than is wanted: where a first pass over the body places head
    and hands, or they are not looked at, finding the body is enough. `maker` opens
    them, ONNX Runtime by default; Google's package has its own engine. `rates` say how
    often hands and face are looked at, every frame by default; Google's always are.

    Raises:
        EngineError: the maker's library or device cannot run a network.
        MissingExtraError: they are Google's, whose package is not installed.
    """
    if options.landmarker == "mediapipe":
        from pixie_runtime.landmarks.mediapipe import MediapipeLandmarker

        return MediapipeLandmarker()
    from pixie_runtime.landmarks.models import LandmarkModels
    from pixie_runtime.landmarks.pixie import PixieLandmarker

    return PixieLandmarker(
        models=LandmarkModels.shipped(maker=maker),
        body_suffices=options.body_suffices,
        rates=rates,
    )


def open_people_landmarker(
    options: Options,
    maker: "EngineMaker | None" = None,
    rates: "Rates | None" = None,
) -> PeopleLandmarker:
    """Load what follows so many people as the options say, as `open_landmarker`."""
    if options.people == 1:
        return OnePerson(open_landmarker(options, maker, rates))
    from pixie_runtime.landmarks.crowd import Crowd
    from pixie_runtime.landmarks.models import LandmarkModels

    return Crowd(
        options.people,
        models=LandmarkModels.shipped(maker=maker),
        body_suffices=options.body_suffices,
        rates=rates,
    )


def smoothing(
    model: "BodyModel", controls: "Controls | None" = None
) -> Callable[[Person], Person]:
    """Return what smooths everybody's stream, as `controls` say at each frame."""
    from pixie_runtime.controls import Controls, LiveSmoothing

    return LiveSmoothing(model, controls or Controls())


def look_ahead(model: "BodyModel") -> "LookAhead":
    """Return what smooths everybody's stream where frames can wait."""
    from pixie_runtime.look_ahead import LookAhead
    from pixie_runtime.smoothing import HindsightSmoother

    return LookAhead(lambda: HindsightSmoother(model))


def live_controls(options: Options) -> "Controls":
    """Return what the loop is steered with, set as the options say."""
    from pixie_runtime.controls import Controls, LiveSettings
    from pixie_runtime.smoothing import SmoothingSettings

    return Controls(LiveSettings(SmoothingSettings(enabled=not options.no_smoothing)))


def open_sinks(
    options: Options,
    source: FrameSource,
    model: "BodyModel",
    info: "StreamInfo",
    setup: Mapping[str, str],
    controls: "Controls",
) -> Iterator[Sink]:
    """Yield the sinks that the options ask for, one opened after the other.

    Those that somebody waits for come first. `setup` is what runs, by name and in
    words, for recordings; `controls` are what a viewer's page steers: when it has
    calibrated, avatars stand on that floor.
    """
    if options.streaming.is_sent:
        from pixie_runtime.ground import Ground
        from pixie_runtime.sinks.network import open_network_sinks

        ground = Ground(lambda: controls.settings.calibration)
        yield from open_network_sinks(options.streaming, model, info, ground=ground)
    drawn = drawn_body(options, model)
    if options.preview:
        from pixie_runtime.sinks.preview import PreviewSink

        yield PreviewSink(drawn, on_close=source.close)
    begin_take = recorder(source, model, setup)
    if options.view_address is not None:
        from pixie_runtime.viewer.opening import open_viewer

        yield from open_viewer(
            options.view_address, source, drawn, controls, begin_take
        )
    if options.record is not None:
        yield begin_take(options.record)
    if options.overlay is not None:
        from pixie_runtime.sinks.overlay import OverlayVideo

        fps = source.fps or 30.0
        yield OverlayVideo(options.overlay, drawn, fps, live=options.is_live)
    if options.results is not None:
        from pixie_runtime.sinks.results import PictureResults

        _keep_originals(options)
        yield PictureResults(options.results, drawn, unread=lambda: source.dropped)


def recorder(
    source: FrameSource, model: "BodyModel", setup: Mapping[str, str]
) -> Callable[[Path], Sink]:
    """Return what begins a recording at a path."""

    def begin(path: Path) -> Sink:
        from pixie_runtime.sinks.take import TakeSink
        from pixie_runtime.takes.recording_info import RecordingInfo

        about = RecordingInfo.of(model, source=source.description, setup=setup)
        return TakeSink(path, about, model=model)

    return begin


def drawn_body(options: Options, model: "BodyModel") -> "BodyModel":
    """Return the body to draw: where a part is looked at alone, only that part."""
    if options.part is None or options.part == "whole":
        return model
    from pixie_runtime.sinks.painting import only_part

    return only_part(model, options.part)


def _keep_originals(options: Options) -> None:
    """Refuse to write results where the pictures are: a.jpg would become its own body.

    Raises:
        UsageError: the options ask for that.
    """
    images, results = options.images, options.results
    if images is None or results is None or not results.is_dir():
        return
    if results.samefile(images if images.is_dir() else images.parent):
        raise UsageError(
            f"--results {results}: the pictures themselves are there, and results of "
            "the same names would replace them; name another folder"
        )
