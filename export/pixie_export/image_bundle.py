"""Image graphs to the bundle that the runtime opens."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pixie_export import parity
from pixie_export.bundle_folder import new_bundle_folder
from pixie_export.graph import Graph
from pixie_export.graph_files import Announce, file_of, silent, write_graphs
from pixie_export.reference import REFERENCE_NAME, Samples, record
from pixie_export.shared_weights import WEIGHTS_NAME
from pixie_export.verification import Verification
from pixie_export.verify import verify
from pixie_runtime.body import BodyModel
from pixie_runtime.bundle import (
    MANIFEST_NAME,
    BodyModelSpec,
    Bundle,
    CropSpec,
    Manifest,
    NetworkSpec,
)
from pixie_runtime.errors import BundleError

_TOLERANCE = 1e-4
"""Largest difference between torch and ONNX Runtime over a result's size."""


@dataclass(frozen=True, slots=True)
class ImageBundleReport:
    """What was written and how well it agrees with torch."""

    folder: Path
    file_sizes: Mapping[str, int]
    """Bytes by file name."""
    verification: Verification


def write_image_bundle(
    graphs: Sequence[Graph],
    *,
    name: str,
    body_model_path: Path,
    model: BodyModel,
    crops: CropSpec,
    samples: Samples,
    provenance: Mapping[str, str],
    licence: str,
    out: Path,
    announce: Announce = silent,
) -> ImageBundleReport:
    """Write a bundle of kind "image"; it appears whole or not at all.

    Beside the graphs and their weights it holds the body model as it is and what torch
    computed for `samples`, which ONNX Runtime has to repeat first.

    Args:
        graphs: the networks; names as in `chain.CHAIN`.
        name: the bundle's name.
        body_model_path: the file that `model` was read from.
        model: the body model whose parameters the networks speak.
        crops: how their pictures are cut.
        samples: pictures of people to compare engines on.
        provenance: what the bundle was made from.
        licence: who may do what with it.
        out: the bundle's folder; an older bundle there is replaced.
        announce: is told what is done next.

    Raises:
        BundleError: `out` is something else or cannot be written, the body model's file
            changed, or a graph does not agree with torch to 1e-4 of its size.
    """
    with new_bundle_folder(out) as folder:
        body_file = _copy_body_model(body_model_path, model, folder)
        reference = record(graphs, samples, announce=announce)
        reference.save(folder / REFERENCE_NAME)
        write_graphs(graphs, folder, announce=announce)
        manifest = Manifest(
            name=name,
            kind="image",
            body_model=_body_model_spec(graphs, model, body_file),
            networks={
                graph.name: NetworkSpec(file_of(graph), graph.inputs, graph.outputs)
                for graph in graphs
            },
            sha256={path.name: _sha256(path) for path in sorted(folder.iterdir())},
            precision="float32",
            licence=licence,
            crops=crops,
            provenance=dict(provenance),
        )
        sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
        verification = verify(Bundle(folder, manifest), announce=announce)
        for report in verification.alone:
            parity.require_relative(
                report.stage, report.differences, at_most=_TOLERANCE
            )
        (folder / MANIFEST_NAME).write_text(manifest.to_json(), encoding="utf-8")
    return ImageBundleReport(out, sizes, verification)


def _copy_body_model(path: Path, model: BodyModel, folder: Path) -> str:
    """Copy the body model's file unchanged and return its name in the bundle."""
    taken = {WEIGHTS_NAME, REFERENCE_NAME, MANIFEST_NAME}
    name = f"body_{path.name}" if path.name in taken else path.name
    shutil.copyfile(path, folder / name)
    if _sha256(folder / name) != model.sha256:
        raise BundleError(
            f"the body model {path} changed while it was exported; export again"
        )
    return name


def _body_model_spec(
    graphs: Sequence[Graph], model: BodyModel, file: str
) -> BodyModelSpec:
    width = {
        spec.name: int(spec.shape[1])
        for graph in graphs
        for spec in graph.outputs
        if spec.name in ("betas", "expression")
    }
    return BodyModelSpec(
        name=model.name,
        sha256=model.sha256,
        n_betas=width["betas"],
        n_expression=width["expression"],
        file=file,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
