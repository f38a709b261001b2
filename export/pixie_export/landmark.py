"""A training run of the landmark variant to the bundle that the runtime opens."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pixie_export import parity, precision, to_onnx
from pixie_export.bundle_folder import new_bundle_folder
from pixie_export.graphs import LANDMARK_INPUTS, LandmarkGraph, landmark_outputs
from pixie_runtime.body import BodyModel
from pixie_runtime.bundle import (
    MANIFEST_NAME,
    BodyModelSpec,
    Manifest,
    NetworkSpec,
)
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.errors import BundleError
from pixie_train import checkpoint
from pixie_train.networks.landmark_pixie import LandmarkPixie

_FILE = "pixie-landmark.onnx"
_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written and how well it agrees with torch."""

    folder: Path
    bytes_written: int
    differences: tuple[parity.Difference, ...]


def export_landmark(checkpoint_path: Path, model: BodyModel, out: Path) -> ExportReport:
    """Write the bundle of a training run.

    Args:
        checkpoint_path: `last.pt` of a run.
        model: the body model the run was made with.
        out: folder of the bundle; an older bundle there is replaced.

    Raises:
        BundleError: an unusable checkpoint, another body model, or a graph that does
            not agree with torch to 1e-4, or a folder that cannot be written.
    """
    saved = checkpoint.load(checkpoint_path)
    if saved.body_model_sha256 != model.sha256:
        raise BundleError(
            f"{checkpoint_path} was trained on another body model than {model.name}; "
            "give the one it was trained on"
        )
    network = LandmarkPixie(saved.config.network)
    network.load_state_dict(saved.average)
    precision.round_weights_to_half(network)
    graph = LandmarkGraph(network).eval()
    sizes = saved.config.network.core
    outputs = landmark_outputs(sizes.n_betas, sizes.n_expression)
    onnx_model = to_onnx.export(graph, LANDMARK_INPUTS, outputs)
    precision.store_weights_as_half(onnx_model)
    content = onnx_model.SerializeToString()
    with OnnxRuntimeEngine(content) as engine:
        differences = parity.compare(graph, engine, _examples(), outputs)
    parity.require(differences, at_most=_TOLERANCE)

    manifest = Manifest(
        name="pixie-landmark",
        kind="landmark",
        body_model=BodyModelSpec(
            name=model.name,
            sha256=model.sha256,
            n_betas=sizes.n_betas,
            n_expression=sizes.n_expression,
        ),
        networks={"whole": NetworkSpec(_FILE, LANDMARK_INPUTS, outputs)},
        sha256={_FILE: hashlib.sha256(content).hexdigest()},
        precision="float16 weights, float32 arithmetic",
        licence="Apache-2.0",
        provenance=_provenance(saved),
    )
    with new_bundle_folder(out) as folder:
        (folder / _FILE).write_bytes(content)
        (folder / MANIFEST_NAME).write_text(manifest.to_json(), encoding="utf-8")
    return ExportReport(out, len(content), tuple(differences))


def _examples(count: int = 64) -> dict[str, Tensor]:
    """Return plausible inputs: people of metres, some distance away, parts missing."""
    generator = torch.Generator().manual_seed(0)
    inputs = {
        spec.name: torch.rand(
            count, *[int(n) for n in spec.shape[1:]], generator=generator
        )
        for spec in LANDMARK_INPUTS
    }
    inputs["present"] = inputs["present"].round()
    return inputs


def _provenance(saved: checkpoint.Checkpoint) -> dict[str, str]:
    scored = [row for row in saved.history if "mpjpe_mm" in row]
    errors = scored[-1] if scored else {}
    return {
        "made_by": "pixie-train landmark, pixie-export landmark",
        "data": "synthetic people, posed by DeepMimic's motion clips",
        "steps": str(saved.step),
        "batch": str(saved.config.batch),
        "seed": str(saved.config.seed),
    } | {
        f"validation_{name}": f"{value:.2f}"
        for name, value in errors.items()
        if name.endswith(("_mm", "_deg"))
    }
