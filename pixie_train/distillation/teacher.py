"""The teacher: an image bundle, overheard while it estimates people.

The runtime's own estimator decides what is cut and what is done with it, so that the
lessons are of the network as users see it run. Its engines are wrapped: what goes
through them is kept.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Self

import numpy as np

from pixie_runtime.body import BodyModel, embedded_body_model, load_body_model
from pixie_runtime.bundle import Bundle, CropSpec
from pixie_runtime.engines import AnyArray, Engine, EngineMaker
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeMaker
from pixie_runtime.errors import BundleError
from pixie_runtime.fusion_rules import FusionRules
from pixie_runtime.image_estimator import NETWORKS, Attention, ImageEstimator
from pixie_runtime.types import Camera, Frame, PersonLandmarks, UInt8
from pixie_train.distillation.lesson import HEAD, LEFT, Lesson, LessonSizes

_FIELD_OF_VIEW = 60.0
"""Degrees; it places people in space, of which lessons say nothing."""


class Overheard:
    """An engine that keeps what it was last asked and what it answered.

    Pictures are rounded to 8 bits before the network sees them: what is kept of them
    is then exactly what the answer is about.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.asked: dict[str, AnyArray] = {}
        """The last inputs; pictures as uint8. Empty: not asked since `forget`."""
        self.answered: dict[str, AnyArray] = {}

    @property
    def description(self) -> str:
        """See `Engine`."""
        return self._engine.description

    @property
    def input_shapes(self) -> Mapping[str, tuple[int | str, ...]]:
        """See `Engine`."""
        return self._engine.input_shapes

    @property
    def output_names(self) -> tuple[str, ...]:
        """See `Engine`."""
        return self._engine.output_names

    def infer(self, inputs: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        """Run the network; see `Engine`."""
        given = dict(inputs)
        kept = {name: array.copy() for name, array in given.items()}
        if "image" in given:
            kept["image"] = as_bytes(given["image"])
            given["image"] = as_floats(kept["image"])
        self.asked, self.answered = kept, self._engine.infer(given)
        return self.answered

    def forget(self) -> None:
        """Keep nothing of the last run."""
        self.asked, self.answered = {}, {}

    def close(self) -> None:
        """Free the network."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Teacher:
    """An image bundle that gives lessons."""

    def __init__(
        self,
        bundle: Bundle,
        *,
        attention: Attention = "tracked",
        rules: FusionRules | None = None,
        maker: EngineMaker | None = None,
    ) -> None:
        """Load the bundle's networks and its body model.

        Args:
            bundle: of kind "image".
            attention: how head and hands are found.
            rules: what is done with the experts' features; default: as in live use.
            maker: opens the networks; default: ONNX Runtime.

        Raises:
            BundleError: the bundle is of another kind, or a network is unusable.
            ModelFileError: its body model is.
            EngineError: the maker's library or device cannot run a network.
        """
        crops = require_image(bundle)
        self.bundle, self.attention = bundle, attention
        self.rules = rules or FusionRules()
        self.model = body_model_of(bundle)
        maker = maker or OnnxRuntimeMaker()
        with ExitStack() as opened:
            self._networks = {
                name: opened.enter_context(Overheard(maker.open(bundle.path_of(name))))
                for name in NETWORKS
            }
            self._estimator = ImageEstimator(
                bundle,
                self.model,
                attention=attention,
                rules=self.rules,
                engines=self._networks,
            )
            opened.pop_all()
        self.sizes = sizes_of(bundle, crops)

    def look(self, landmarks: PersonLandmarks, frame: Frame) -> Lesson | None:
        """Estimate the person; None where nothing of a person was seen."""
        for network in self._networks.values():
            network.forget()
        height, width = frame.image.shape[:2]
        camera = Camera.with_field_of_view(width, height, _FIELD_OF_VIEW)
        if self._estimator.estimate(landmarks, frame, camera) is None:
            return None
        asked, said = self._networks["fuse"].asked, self._networks["fuse"].answered
        present = asked["present"][0].astype(np.float32)
        if not all(np.isfinite(array).all() for array in said.values()):
            raise BundleError(
                f"the teacher {self.bundle.manifest.name} says what is no number of "
                f"frame {frame.index} {frame.name}; verify it with `pixie-export "
                "verify`, or take one of higher precision"
            )
        features = [asked[name][0] for name in ("F_b", "F_f", "F_left", "F_right")]
        return Lesson(
            crops=self._crops(present),
            present=present,
            features=np.stack(features).astype(np.float32),
            rotations=said["rotations"][0],
            betas=said["betas"][0],
            expression=said["expression"][0],
            camera=said["camera"][0],
            weights=said["moderator_weights"][0],
        )

    def reset(self) -> None:
        """Forget the person: the next frame has nothing to do with the last."""
        self._estimator.reset()

    def close(self) -> None:
        """Free the networks."""
        self._estimator.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _crops(self, present: AnyArray) -> UInt8:
        side = self.sizes.crop
        crops = np.zeros((4, 3, side, side), np.uint8)
        crops[0] = self._networks["body"].asked["image"][0]
        if present[0]:
            crops[HEAD] = self._networks["head"].asked["image"][0]
        hands = LEFT + np.flatnonzero(present[1:])
        if len(hands):
            crops[hands] = self._networks["hand"].asked["image"]
        return crops


def require_image(bundle: Bundle) -> CropSpec:
    """Return how a bundle cuts its pictures.

    Raises:
        BundleError: it looks at landmarks, and so has nothing to teach about pictures.
    """
    manifest = bundle.manifest
    if manifest.kind != "image" or manifest.crops is None:
        raise BundleError(
            f"the teacher {manifest.name} is a bundle that looks at {manifest.kind}s; "
            "expected one that looks at pictures, as `pixie-export official` and "
            "`pixie-export run` make them"
        )
    return manifest.crops


def body_model_of(bundle: Bundle) -> BodyModel:
    """Return the body that a bundle speaks of.

    Raises:
        ModelFileError: it cannot be read.
        BundleError: the bundle was made for another body and has no copy of it.
    """
    path = bundle.body_model_path
    model = embedded_body_model() if path is None else load_body_model(path)
    expected = bundle.manifest.body_model
    if model.sha256 != expected.sha256:
        raise BundleError(
            f"the teacher {bundle.manifest.name} speaks of the body model "
            f"{expected.name} and has no copy of it; export it again with this version "
            "of pixie-live"
        )
    return model


def sizes_of(bundle: Bundle, crops: CropSpec) -> LessonSizes:
    """Return how large a bundle's lessons are, from its manifest."""
    manifest = bundle.manifest
    outputs = {tensor.name: tensor for tensor in manifest.networks["body"].outputs}
    return LessonSizes(
        crop=crops.size,
        features=int(outputs["F_b"].shape[1]),
        n_betas=manifest.body_model.n_betas,
        n_expression=manifest.body_model.n_expression,
    )


def fingerprint(bundle: Bundle) -> str:
    """Return the sha256 of everything in a bundle, by its manifest."""
    files = json.dumps(bundle.manifest.sha256, sort_keys=True)
    return hashlib.sha256(files.encode()).hexdigest()


def as_bytes(image: AnyArray) -> UInt8:
    """Return pictures in [0, 1] as 8 bits."""
    return np.asarray(np.clip(image * 255, 0, 255).round(), np.uint8)


def as_floats(image: UInt8) -> AnyArray:
    """Return 8-bit pictures in [0, 1], as networks and `batch.unit_range` have them."""
    return image.astype(np.float32) / 255
