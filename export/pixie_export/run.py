"""A training run on pictures, or a distillation, to an image bundle."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pixie_export.bundle_folder import require_free
from pixie_export.graph_files import Announce, silent
from pixie_export.image_bundle import ImageBundleReport
from pixie_export.network_bundle import Label, write_network_bundle
from pixie_runtime.body import BodyModel, embedded_body_file, load_body_model
from pixie_runtime.bundle import CropSpec
from pixie_runtime.errors import UsageError
from pixie_train import checkpoint_file
from pixie_train.distillation import state as distilled
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.picture_training import state as trained

_EXPECTED = (
    "expected one written by `pixie-train expert`, `pixie-train whole` or "
    "`pixie-train distil`"
)
_FIGURES = "held_out/"


@dataclass(frozen=True, slots=True)
class RunReport:
    """What was read, what to know about it, and what came of it."""

    read: str
    notes: tuple[str, ...]
    bundle: ImageBundleReport


@dataclass(frozen=True, eq=False)
class Run:
    """What a checkpoint says that a bundle needs."""

    name: str
    """What its bundle is called."""
    network: ImagePixie
    """With averaged weights, in evaluation mode."""
    crops: CropSpec
    body_model_sha256: str
    """Of the file of the body that coefficients mean."""
    provenance: Mapping[str, str]
    notes: tuple[str, ...] = ()
    """What to know about it, a sentence each."""


def export_run(
    checkpoint: Path,
    out: Path,
    *,
    body_model: Path | None = None,
    utilities: Path | None = None,
    crop_size: int | None = None,
    announce: Announce = silent,
) -> RunReport:
    """Write the bundle of a run's averaged weights.

    Args:
        checkpoint: `last.pt`, or the folder of a run.
        out: folder of the bundle; an older bundle there is replaced.
        body_model: what the run was made for; None: the embedded body.
        utilities: folder of the release's key point files, if the run had it.
        crop_size: side of the encoders' pictures; None: as the run says.
        announce: is told what is done next.

    Raises:
        BundleError: an unusable checkpoint or folder, or a graph that does not agree
            with torch.
        ModelFileError: an unusable body model.
        UsageError: the run was made for another body.
    """
    require_free(out)
    announce(f"reading {checkpoint.name}")
    run = read_run(checkpoint)
    path = body_model or embedded_body_file()
    model = load_body_model(path)
    _require_body(run, model, checkpoint)
    if crop_size is not None:
        run = replace(run, crops=replace(run.crops, size=crop_size))
    bundle = write_run(run, model, path, out, utilities=utilities, announce=announce)
    count = sum(p.numel() for p in run.network.parameters()) / 1e6
    read = (
        f"{checkpoint}: {run.name}, {count:.1f} million weights, {run.crops.size} "
        "pixels"
    )
    return RunReport(read, run.notes, bundle)


def write_run(
    run: Run,
    model: BodyModel,
    body_model_path: Path,
    out: Path,
    *,
    utilities: Path | None = None,
    announce: Announce = silent,
) -> ImageBundleReport:
    """Write the bundle of a network that was read, or made.

    Args:
        run: the network and what is known about it.
        model: the body that it speaks of.
        body_model_path: the file that `model` was read from.
        out: folder of the bundle; an older bundle there is replaced.
        utilities: folder of the release's key point files, if the run had it.
        announce: is told what is done next.

    Raises:
        BundleError: an unusable folder, or a graph that does not agree with torch.
        ModelFileError: the body or the utilities cannot be used.
    """
    return write_network_bundle(
        run.network,
        model,
        body_model_path,
        out,
        Label(run.name, run.provenance),
        crops=run.crops,
        utilities=utilities,
        announce=announce,
    )


def read_run(path: Path) -> Run:
    """Read a checkpoint of either kind, or that of a run's folder.

    Raises:
        BundleError: it is missing, damaged or something else.
    """
    content = checkpoint_file.read_any(path, _EXPECTED)
    if content.get("format") == distilled.FORMAT:
        return _distilled(path)
    return _trained(path)


def _trained(path: Path) -> Run:
    state = trained.load(path)
    run = state.run
    notes = (
        ()
        if run.stage == "whole"
        else (
            f"the run trained the stage {run.stage} alone, and the rest of the network "
            "is as it was before; `pixie-train whole` puts experts together",
        )
    )
    return Run(
        name=f"pixie-{run.stage}",
        network=state.network_with_average(),
        crops=CropSpec(
            size=run.parts.size,
            head_scale=run.parts.head_scale,
            hand_scale=run.parts.hand_scale,
        ),
        body_model_sha256=state.body_model_sha256,
        provenance={
            "stage": run.stage,
            "steps": str(state.step),
            **_origin(path, asdict(run), state.history),
        },
        notes=notes,
    )


def _distilled(path: Path) -> Run:
    state = distilled.load(path)
    lectures = state.lectures
    return Run(
        name=f"{lectures.teacher}-distilled",
        network=state.network_with_average(),
        crops=replace(lectures.crops, size=state.config.crop_size),
        body_model_sha256=lectures.body_model_sha256,
        provenance={
            "teacher": lectures.teacher,
            "teacher_sha256": lectures.teacher_sha256,
            "teacher_licence": lectures.licence,
            "lessons": str(lectures.lessons),
            "steps": str(state.step),
            **_origin(path, asdict(state.config), state.history),
        },
        notes=(
            "what was learned of a teacher may be bound by the licence of its weights: "
            f"{lectures.licence}",
        ),
    )


def _origin(
    path: Path, config: Mapping[str, object], history: list[dict[str, float]]
) -> dict[str, str]:
    """Return which checkpoint it was, how it came about and how good it was."""
    file = path / checkpoint_file.LAST if path.is_dir() else path
    with file.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    last = history[-1] if history else {}
    return {
        "made_by": "pixie-export run",
        "checkpoint": f"{file.resolve().parent.name}/{file.name}",
        "checkpoint_sha256": sha256,
        "configuration": json.dumps(config, sort_keys=True),
        **{
            name.replace("/", "_"): f"{value:.4g}"
            for name, value in last.items()
            if name == "loss" or name.startswith(_FIGURES)
        },
    }


def _require_body(run: Run, model: BodyModel, path: Path) -> None:
    if model.sha256 != run.body_model_sha256:
        raise UsageError(
            f"{path} was trained for another body model than {model.name} (sha256 "
            f"{run.body_model_sha256[:12]}..., found {model.sha256[:12]}...); give its "
            "file with --body-model"
        )
