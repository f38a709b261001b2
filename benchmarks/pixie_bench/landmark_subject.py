"""Our landmark chain, frame by frame: landmarks, the network on them, smoothing."""

from itertools import cycle
from pathlib import Path

from pixie_bench.clips import clip_frames
from pixie_runtime.assembly import choose_makers, open_landmarker, smoothing
from pixie_runtime.engine_kinds import EngineKind, Precision
from pixie_runtime.network import open_network
from pixie_runtime.options import Options
from pixie_runtime.sources.opening import demo_clip
from pixie_runtime.types import Camera, Frame

_HZ = 30.0


class LandmarkSubject:
    """The chain on a clip that lies in memory and begins again at its end."""

    def __init__(
        self,
        *,
        video: str | None = None,
        engine: EngineKind = "auto",
        precision: Precision = "auto",
        threads: int = 2,
    ) -> None:
        """Read the clip and open the networks.

        Args:
            video: the clip; default: the one that ships.
            engine: what runs the networks.
            precision: their arithmetic.
            threads: of each.

        Raises:
            EngineError, MissingExtraError: the engine cannot run here.
            SourceError: the clip cannot be read.
        """
        images = clip_frames(demo_clip() if video is None else Path(video))
        self._images = cycle(enumerate(images))
        options = Options(demo=True, engine=engine, precision=precision)
        makers = choose_makers(options, on_images=False, threads=threads)
        network = open_network(options, makers.network)
        self._landmarker = open_landmarker(
            options, makers.landmarks, network.landmark_rates
        )
        self._estimator = network.estimator
        self._smooth = smoothing(network.model)
        height, width = images[0].shape[:2]
        self._camera = Camera.with_field_of_view(width, height, options.fov)
        self._index = 0
        self.description = (
            f"landmark models, {network.setup['bundle']}, smoothing: "
            f"{makers.landmarks.description}"
        )

    def run(self) -> None:
        """Take the next frame."""
        place, image = next(self._images)
        if place == 0:
            self._landmarker.reset()
            self._estimator.reset()
        frame = Frame(self._index, self._index / _HZ, 0, image)
        self._index += 1
        landmarks = self._landmarker.detect(frame)
        person = self._estimator.estimate(landmarks, frame, self._camera)
        if person is not None:
            self._smooth(person)
