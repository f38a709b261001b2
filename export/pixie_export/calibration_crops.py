"""What a bundle's encoders look at when the runtime runs on somebody's footage."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pixie_export.judging import ENCODERS
from pixie_runtime.body import embedded_body_model, load_body_model
from pixie_runtime.bundle import Bundle
from pixie_runtime.engines import AnyArray
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.errors import SourceError
from pixie_runtime.image_estimator import ImageEstimator
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.sources import FrameSource
from pixie_runtime.sources.opening import open_source
from pixie_runtime.types import Camera, Float32, Frame

DEMO = "demo"
"""Stands for the clip that ships with the runtime."""

_FIELD_OF_VIEW = 60.0


class RecordingEngine(OnnxRuntimeEngine):
    """An engine that keeps the pictures that it was shown."""

    def __init__(self, model: Path, *, threads: int = 2) -> None:
        super().__init__(model, threads=threads)
        self.shown: list[AnyArray] = []

    def infer(self, inputs: Mapping[str, AnyArray]) -> dict[str, Any]:
        """Run once, and keep the pictures, one by one."""
        self.shown += [picture[None].copy() for picture in inputs["image"]]
        return super().infer(inputs)


def calibration_crops(
    bundle: Bundle, where: str, *, pictures: int = 48, threads: int = 2
) -> dict[str, list[Float32]]:
    """Return what body, head and hand were shown: lists of (1, 3, S, S) by network.

    The runtime's own landmarker and estimator look at the footage, each picture by
    itself, and make their crops.

    Args:
        bundle: of kind "image", in float32.
        where: a folder of pictures, a video, or "demo".
        pictures: how many to look at, evenly spaced.
        threads: cores to use.

    Raises:
        SourceError: it cannot be read, or shows no people, heads or hands.
    """
    engines = {
        name: RecordingEngine(bundle.path_of(name), threads=threads)
        for name in ENCODERS
    }
    path = bundle.body_model_path
    model = embedded_body_model() if path is None else load_body_model(path)
    estimator = ImageEstimator(bundle, model, engines=engines)
    landmarker = PixieLandmarker()
    try:
        for frame in _spread(where, pictures):
            landmarker.reset()
            estimator.reset()
            height, width = frame.image.shape[:2]
            camera = Camera.with_field_of_view(width, height, _FIELD_OF_VIEW)
            estimator.estimate(landmarker.detect(frame), frame, camera)
    finally:
        landmarker.close()
        estimator.close()
    shown = {name: engine.shown for name, engine in engines.items()}
    for name, crops in shown.items():
        if not crops:
            raise SourceError(
                f"no {name} was found in the pictures of {where}; calibration needs "
                "pictures of people whose heads and hands can be seen"
            )
    return shown


def _spread(where: str, count: int) -> Iterator[Frame]:
    """Yield at most `count` frames of some footage, evenly spaced."""
    source = _open(where)
    try:
        total = sum(1 for _ in source)
    finally:
        source.close()
    source = _open(where)
    try:
        for position, frame in enumerate(source):
            if position * count // total != (position - 1) * count // total:
                yield frame
    finally:
        source.close()


def _open(where: str) -> FrameSource:
    if where == DEMO:
        return open_source(demo=True, realtime=False)
    path = Path(where)
    if path.is_file():
        return open_source(video=path, realtime=False)
    return open_source(images=path)
