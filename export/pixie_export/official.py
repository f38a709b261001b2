"""The official PIXIE checkpoint and the user's body model to an image bundle."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pixie_export.bundle_folder import require_free
from pixie_export.graph_files import Announce, silent
from pixie_export.image_bundle import ImageBundleReport, write_image_bundle
from pixie_export.image_graphs import image_graphs
from pixie_export.sample_crops import demo_samples
from pixie_runtime.body import BodyModel, load_body_model
from pixie_runtime.bundle import CropSpec
from pixie_runtime.errors import ModelFileError
from pixie_train.albedo import ALBEDO_FILE, Albedo, read_albedo
from pixie_train.config import CoreConfig, ImageConfig
from pixie_train.official import load_official
from pixie_train.utilities import EXTRA_POINTS_FILE, REGRESSOR_FILE, read_utilities

LICENCE = (
    "Made from files that Max-Planck-Gesellschaft licensed to whoever exported this "
    "bundle, for non-commercial scientific research: PIXIE (https://pixie.is.tue.mpg.de)"
    " and SMPL-X (https://smpl-x.is.tue.mpg.de), and, where network albedo is present, "
    "the Basel Face Model. Their licences hold for everything in this folder. Do not "
    "pass it on."
)

_WITHOUT_ALBEDO = (
    f"without {ALBEDO_FILE} there is no network albedo: texture coefficients come out, "
    "but no picture of the face's colour"
)


@dataclass(frozen=True, slots=True)
class OfficialReport:
    """What was read, what is missing, and what came of it."""

    read: tuple[str, ...]
    """One sentence for each file."""
    lost: tuple[str, ...]
    """One sentence for each thing that the bundle cannot do or does otherwise."""
    bundle: ImageBundleReport


def export_official(
    checkpoint: Path,
    body_model: Path,
    out: Path,
    *,
    utilities: Path | None = None,
    announce: Announce = silent,
) -> OfficialReport:
    """Write the bundle of the official network.

    Args:
        checkpoint: PIXIE's `pixie_model.tar`.
        body_model: SMPL-X's `SMPLX_NEUTRAL_2020.npz`.
        out: folder of the bundle; an older bundle there is replaced.
        utilities: the unpacked `utilities.zip`, and FLAME_albedo_from_BFM.npz if the
            user has one; None: do without.
        announce: is told what is done next.

    Raises:
        BundleError: an unusable checkpoint or folder, or a graph that does not agree
            with torch.
        ModelFileError: an unusable body model or utility, or ones that do not fit
            together.
    """
    require_free(out)
    announce(f"reading {body_model.name}")
    model = load_body_model(body_model)
    core = ImageConfig().core
    _require_coefficients(model, body_model, core)
    tables, lost = read_utilities(utilities, model)
    announce(f"reading {checkpoint.name}")
    network, others = load_official(checkpoint)
    albedo = _albedo(utilities, core, announce)
    crops = CropSpec()
    graphs = image_graphs(network, model, tables, albedo, crops)
    announce("looking for people in the demo clip")
    samples = demo_samples(crops)
    bundle = write_image_bundle(
        graphs,
        name="pixie",
        body_model_path=body_model,
        model=model,
        crops=crops,
        samples=samples,
        provenance=_provenance(checkpoint, body_model, utilities),
        licence=LICENCE,
        out=out,
        announce=announce,
    )
    parameters = sum(p.numel() for p in network.parameters())
    read = (
        f"{checkpoint}: the official network, {parameters / 1e6:.1f} million weights"
        + _ignored(others),
        f"{body_model}: {model.vertex_count} vertices, {model.n_betas} shape and "
        f"{model.n_expression} expression coefficients, of which "
        f"{core.n_betas} and {core.n_expression} are used",
    )
    missing = () if albedo is not None else (_WITHOUT_ALBEDO,)
    return OfficialReport(read, (*lost, *missing), bundle)


def _require_coefficients(model: BodyModel, path: Path, core: CoreConfig) -> None:
    if model.n_betas < core.n_betas or model.n_expression < core.n_expression:
        raise ModelFileError(
            f"the body model {path} has {model.n_betas} shape and {model.n_expression} "
            f"expression coefficients, PIXIE speaks of {core.n_betas} and "
            f"{core.n_expression}; give SMPLX_NEUTRAL_2020.npz, which has 300 and 100"
        )


def _albedo(
    utilities: Path | None, core: CoreConfig, announce: Announce
) -> Albedo | None:
    path = None if utilities is None else utilities / ALBEDO_FILE
    if path is None or not path.exists():
        return None
    announce(f"reading {path.name}")
    return Albedo(read_albedo(path, n_texture=core.n_texture))


def _ignored(others: Sequence[str]) -> str:
    return f" (left alone: {', '.join(others)})" if others else ""


def _provenance(
    checkpoint: Path, body_model: Path, utilities: Path | None
) -> dict[str, str]:
    with checkpoint.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    names = (EXTRA_POINTS_FILE, REGRESSOR_FILE, ALBEDO_FILE)
    found = [name for name in names if utilities and (utilities / name).exists()]
    return {
        "made_by": "pixie-export official",
        "checkpoint": checkpoint.name,
        "checkpoint_sha256": sha256,
        "body_model": body_model.name,
        "utilities": ", ".join(found) or "none",
    }
