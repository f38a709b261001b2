"""A bundle in fewer bits, made of a float32 bundle's files alone."""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

import onnx

from pixie_export.bundle_folder import new_bundle_folder
from pixie_export.chain import CHAIN
from pixie_export.graph_files import Announce, silent
from pixie_export.joined import PARTS, join_whole
from pixie_export.onnx_networks import load_network
from pixie_export.shared_weights import WEIGHTS_NAME, WeightFile
from pixie_export.verification import MeanLimits, Verification
from pixie_runtime.bundle import MANIFEST_NAME, Bundle, Manifest
from pixie_runtime.errors import BundleError

Target = Literal["fp16", "bf16", "int8"]

UNTRAINED = "pixie-export untrained"
"""What `made_by` of a bundle says whose results mean nothing."""


@dataclass(frozen=True, slots=True)
class Converted:
    """One network in fewer bits."""

    model: onnx.ModelProto
    kept: str
    """What stayed in float32, for the manifest; empty: nothing worth telling."""


class Converter(Protocol):
    """Brings networks to another precision."""

    @property
    def precision(self) -> str:
        """What the manifest calls it."""
        ...

    def convert(self, stage: str, model: onnx.ModelProto) -> Converted:
        """Return a float32 network, its weights loaded, in the other precision."""
        ...


class Verify(Protocol):
    """Compares the networks of a finished bundle with float32's results."""

    def __call__(self, bundle: Bundle) -> Verification:
        """Run every network."""
        ...


@dataclass(frozen=True, slots=True)
class PrecisionReport:
    """What was written, and what it cost."""

    folder: Path
    file_sizes: Mapping[str, int]
    """Bytes by file name."""
    kept: Mapping[str, str]
    """By network: what stayed in float32."""
    verification: Verification
    excess: str | None
    """The sentence that an untrained bundle would be refused with, were it trained."""


def require_float32(bundle: Bundle) -> None:
    """Refuse to convert what was converted before.

    Raises:
        BundleError: as it says.
    """
    manifest = bundle.manifest
    if manifest.precision not in ("float32", "float16 weights, float32 arithmetic"):
        raise BundleError(
            f"bundle {manifest.name} is already {manifest.precision}; convert the "
            "float32 bundle that it was made from"
        )


def write_precision_bundle(
    bundle: Bundle,
    converter: Converter,
    verify: Verify,
    limits: MeanLimits,
    out: Path,
    *,
    announce: Announce = silent,
) -> PrecisionReport:
    """Write a converted bundle; it appears whole or not at all.

    Args:
        bundle: in float32.
        converter: to what.
        verify: compares the result with float32's.
        limits: what it may cost; a bundle of untrained networks may cost anything.
        out: the new bundle's folder; an older bundle there is replaced.
        announce: is told what is done next.

    Raises:
        BundleError: `out` cannot be written, a network cannot be converted, or the
            result is beyond the limits.
    """
    require_float32(bundle)
    if out.resolve() == bundle.folder.resolve():
        raise BundleError(
            f"{out} is the bundle that is to be converted; give another folder"
        )
    with new_bundle_folder(out) as folder:
        kept = _write_networks(bundle, converter, folder, announce)
        networks = {spec.file for spec in bundle.manifest.networks.values()}
        for name in bundle.manifest.sha256:
            if name not in networks and name != WEIGHTS_NAME:
                shutil.copyfile(bundle.folder / name, folder / name)
        manifest = _manifest(bundle, converter.precision, kept, folder)
        announce("comparing with float32")
        verification = verify(Bundle(folder, manifest))
        excess = _excess(verification, limits)
        if excess is not None and not is_untrained(manifest):
            raise BundleError(f"{excess}; the bundle was not written")
        (folder / MANIFEST_NAME).write_text(manifest.to_json(), encoding="utf-8")
        sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    return PrecisionReport(out, sizes, kept, verification, excess)


def is_untrained(manifest: Manifest) -> bool:
    """Whether a bundle's networks have random weights, so that no error matters."""
    return manifest.provenance.get("made_by") == UNTRAINED


def _excess(verification: Verification, limits: MeanLimits) -> str | None:
    try:
        verification.require_mean(limits)
    except BundleError as error:
        return str(error)
    return None


def _write_networks(
    bundle: Bundle, converter: Converter, folder: Path, announce: Announce
) -> dict[str, str]:
    """Convert the networks one by one; return what stayed float32 of each."""
    networks = bundle.manifest.networks
    joined = "whole" if set(networks).issuperset(PARTS) else ""
    order = [name for name in CHAIN if name in networks]
    kept = {}
    with WeightFile(folder / WEIGHTS_NAME) as weights:
        for stage in (name for name in order if name != joined):
            announce(f"converting {stage}")
            converted = converter.convert(stage, load_network(bundle, stage))
            if converted.kept:
                kept[stage] = converted.kept
            weights.take_from(converted.model)
            _save(converted.model, folder / networks[stage].file)
    if joined:
        parts = {
            name: onnx.load(folder / networks[name].file, load_external_data=False)
            for name in PARTS
        }
        whole = networks[joined]
        model = join_whole(parts, whole.inputs, whole.outputs)
        _save(model, folder / whole.file)
    for spec in networks.values():
        onnx.checker.check_model(str(folder / spec.file))
    return kept


def _save(model: onnx.ModelProto, path: Path) -> None:
    path.write_bytes(model.SerializeToString(deterministic=True))


def _manifest(
    bundle: Bundle, precision: str, kept: Mapping[str, str], folder: Path
) -> Manifest:
    old = bundle.manifest
    return replace(
        old,
        precision=precision,
        sha256={path.name: _sha256(path) for path in sorted(folder.iterdir())},
        provenance={
            **old.provenance,
            "converted_by": "pixie-export precision",
            **{f"float32 in {stage}": names for stage, names in kept.items()},
        },
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
