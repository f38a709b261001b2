"""What fewer bits cost a landmark bundle: judged by the people of some footage."""

from collections.abc import Mapping
from typing import Self

import numpy as np
import onnx

from pixie_export import parity
from pixie_export.rounded_graph import RoundedMaker, rounded
from pixie_export.verification import (
    Spread,
    StageReport,
    Verification,
    angles_between,
    millimetres_between,
)
from pixie_runtime import rotations
from pixie_runtime.body import BodyModel, embedded_body_model, load_body_model
from pixie_runtime.bundle import Bundle
from pixie_runtime.engines import EngineMaker
from pixie_runtime.engines.onnxruntime_engine import (
    OnnxRuntimeEngine,
    OnnxRuntimeMaker,
)
from pixie_runtime.errors import SourceError
from pixie_runtime.estimator import network_inputs
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.sources.opening import open_source
from pixie_runtime.types import Camera, Float32

_EVERY = 4
_FIELD_OF_VIEW = 60.0
_NETWORK = "whole"


class LandmarkJudge:
    """Judges on the demo clip's landmarks; ONNX Runtime in float32 is what is right."""

    def __init__(
        self, bundle: Bundle, *, standard: EngineMaker | None = None, threads: int = 2
    ) -> None:
        """Find the landmarks, and run the bundle's own network on them.

        Args:
            bundle: a bundle of kind "landmark".
            standard: what is right; default: ONNX Runtime, which a network in float32
                takes.
            threads: cores to use.

        Raises:
            SourceError: nobody is found in the clip.
        """
        path = bundle.body_model_path
        self._model: BodyModel = (
            embedded_body_model() if path is None else load_body_model(path)
        )
        self._threads = threads
        self._inputs = _demo_inputs()
        standard = standard or OnnxRuntimeMaker(threads)
        with standard.open(bundle.path_of(_NETWORK)) as engine:
            self._expected = engine.infer(self._inputs)
        self._surface = self._vertices(self._expected)

    @property
    def stages(self) -> tuple[str, ...]:
        """The one network that there is."""
        return (_NETWORK,)

    def of(self, stage: str, model: onnx.ModelProto) -> StageReport:
        """Return what a variant of the network does to its people."""
        content = rounded(model).SerializeToString()
        with OnnxRuntimeEngine(content, threads=self._threads) as engine:
            return self._report(engine.infer(self._inputs))

    def verify(self, bundle: Bundle, maker: EngineMaker | None = None) -> Verification:
        """Compare a finished bundle on an engine."""
        maker = maker or RoundedMaker(threads=self._threads)
        with maker.open(bundle.path_of(_NETWORK)) as engine:
            report = self._report(engine.infer(self._inputs))
        return Verification((report,), (report,))

    def _report(self, found: Mapping[str, Float32]) -> StageReport:
        differences = tuple(
            parity.difference(name, found[name], array)
            for name, array in self._expected.items()
        )
        angles = angles_between(found["rotations"], self._expected["rotations"])
        gaps = millimetres_between(self._vertices(found), self._surface)
        return StageReport(
            _NETWORK, differences, Spread.of(angles), vertices=Spread.of(gaps)
        )

    def _vertices(self, outputs: Mapping[str, Float32]) -> Float32:
        """Pose the people (N, V, 3) at the origin."""
        nowhere = np.zeros(3, np.float32)
        quaternions = rotations.from_matrix(outputs["rotations"]).astype(np.float32)
        people = zip(outputs["betas"], outputs["expression"], quaternions, strict=True)
        return np.stack(
            [
                self._model.shaped(betas, expression).posed(turns, nowhere).vertices()
                for betas, expression, turns in people
            ]
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is held open."""


def _demo_inputs() -> dict[str, Float32]:
    """Return the network's inputs for some frames of the demo clip, as a batch."""
    people = []
    landmarker = PixieLandmarker()
    source = open_source(demo=True, realtime=False)
    try:
        for frame in source:
            height, width = frame.image.shape[:2]
            landmarks = landmarker.detect(frame)
            if frame.index % _EVERY == 0 and not landmarks.is_empty:
                camera = Camera.with_field_of_view(width, height, _FIELD_OF_VIEW)
                people.append(network_inputs(landmarks, camera))
    finally:
        source.close()
        landmarker.close()
    if not people:
        raise SourceError(
            "nobody was found in the demo clip: the installation is damaged, so "
            "install pixie-live again"
        )
    return {
        name: np.concatenate([person[name] for person in people]) for name in people[0]
    }
