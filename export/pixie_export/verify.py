"""Run a bundle's networks on this machine's engine and compare with the record."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from pixie_export import parity
from pixie_export.chain import CHAIN, Values, inputs_of
from pixie_export.graph_files import Announce, silent
from pixie_export.reference import REFERENCE_NAME, Reference
from pixie_export.verification import (
    Spread,
    StageReport,
    Verification,
    angles_between,
    millimetres_between,
    pixels_between,
)
from pixie_runtime.bundle import Bundle
from pixie_runtime.engines import Engine
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.errors import BundleError
from pixie_runtime.types import Float32

OpenEngine = Callable[[Path], Engine]


class Skin(Protocol):
    """Poses bodies: vertices, joints and key points, metres, of a stage's outputs."""

    def __call__(self, outputs: Values) -> Values:
        """Return them by name."""
        ...


def verify(
    bundle: Bundle,
    *,
    open_engine: OpenEngine = OnnxRuntimeEngine,
    announce: Announce = silent,
) -> Verification:
    """Compare an engine's results of every network with torch's, as recorded.

    Every network runs twice: fed with its recorded input, and fed with what the engine
    made of the networks before it. One large network is loaded at a time.

    Raises:
        BundleError: the bundle holds no recorded results, or a network cannot be run
            on them.
    """
    reference = reference_of(bundle)
    recorded = reference.values()
    chain: dict[str, Float32] = dict(reference.samples.given())
    alone, chained = [], []
    with open_engine(bundle.path_of("skinning")) as skinning:

        def skin(outputs: Values) -> Values:
            return skinned(skinning, outputs)

        for stage in (name for name in CHAIN if name in bundle.manifest.networks):
            announce(f"running {stage}")
            expected = {
                spec.name: recorded[f"{stage}.{spec.name}"]
                for spec in bundle.manifest.networks[stage].outputs
            }
            with open_engine(bundle.path_of(stage)) as engine:
                found = infer(engine, stage, inputs_of(stage, recorded))
                alone.append(report_on(stage, found, expected, skin))
                found = infer(engine, stage, inputs_of(stage, chain))
                chained.append(report_on(stage, found, expected, skin))
            chain |= {f"{stage}.{name}": array for name, array in found.items()}
    return Verification(tuple(alone), tuple(chained))


def reference_of(bundle: Bundle) -> Reference:
    """Return what a bundle recorded of torch's results.

    Raises:
        BundleError: it holds none, or not all.
    """
    manifest = bundle.manifest
    if manifest.kind != "image":
        raise BundleError(
            f"bundle {manifest.name} is of kind {manifest.kind} and holds no recorded "
            "results to compare with; expected an image bundle"
        )
    if REFERENCE_NAME not in manifest.sha256 or "skinning" not in manifest.networks:
        raise BundleError(
            f"bundle {manifest.name} holds no recorded results ({REFERENCE_NAME}) or "
            "no network skinning; export it again with this version of pixie-live"
        )
    reference = Reference.load(bundle.folder / REFERENCE_NAME)
    for stage in (name for name in CHAIN if name in manifest.networks):
        for spec in manifest.networks[stage].outputs:
            if f"{stage}.{spec.name}" not in reference.results:
                raise BundleError(
                    f"{REFERENCE_NAME} of bundle {manifest.name} lacks {spec.name} of "
                    f"network {stage}; export the bundle again"
                )
    return reference


def infer(engine: Engine, stage: str, inputs: Values) -> dict[str, Float32]:
    """Run a stage.

    Raises:
        BundleError: it does not take these inputs.
    """
    try:
        return engine.infer(inputs)
    except ValueError as error:
        raise BundleError(
            f"network {stage} cannot be run on its recorded input ({error}); "
            "export the bundle again"
        ) from error


def report_on(stage: str, found: Values, expected: Values, skin: Skin) -> StageReport:
    """Compare a stage's outputs with those expected.

    Raises:
        BundleError: one is missing or of another shape.
    """
    for name, array in expected.items():
        if name not in found or found[name].shape != array.shape:
            shape = found[name].shape if name in found else "nothing"
            raise BundleError(
                f"network {stage} gives {shape} for {name}, {array.shape} was "
                "recorded; export the bundle again"
            )
    differences = tuple(
        parity.difference(name, found[name], array) for name, array in expected.items()
    )
    if "vertices" in expected:
        distances = [
            Spread.of(millimetres_between(found[name], expected[name]))
            for name in ("vertices", "joints")
        ]
        return StageReport(stage, differences, None, *distances)
    if "rotations" not in expected:
        return StageReport(stage, differences)
    angles = angles_between(found["rotations"], expected["rotations"])
    ours, theirs = skin(found), skin(expected)
    surface, skeleton = (
        Spread.of(millimetres_between(ours[name], theirs[name]))
        for name in ("vertices", "joints")
    )
    seen = Spread.of(
        pixels_between(
            ours["key_points"],
            theirs["key_points"],
            found["camera"],
            expected["camera"],
        )
    )
    return StageReport(
        stage, differences, Spread.of(angles), surface, skeleton, pixels=seen
    )


def skinned(engine: Engine, outputs: Values) -> dict[str, Float32]:
    """Pose the bodies that a stage's outputs stand for, at the origin."""
    rotations = outputs["rotations"]
    inputs = {
        name: np.zeros((len(rotations), int(shape[1])), np.float32)
        for name, shape in engine.input_shapes.items()
        if name != "rotations"
    }
    given = {name: outputs[name] for name in inputs if name in outputs}
    return infer(engine, "skinning", {**inputs, **given, "rotations": rotations})
