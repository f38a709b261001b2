"""An image network of our own, trained or not, to a bundle on its body model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pixie_export.graph_files import Announce, silent
from pixie_export.image_bundle import ImageBundleReport, write_image_bundle
from pixie_export.image_graphs import image_graphs
from pixie_export.sample_crops import demo_samples
from pixie_runtime.body import BodyModel
from pixie_runtime.bundle import CropSpec
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.utilities import read_utilities


@dataclass(frozen=True, slots=True)
class Label:
    """What a bundle says of itself."""

    name: str
    provenance: Mapping[str, str]
    """What it was made from; encoders are added."""
    licence: str = "Apache-2.0; the body model's own licence holds for its file"


def write_network_bundle(
    network: ImagePixie,
    model: BodyModel,
    body_model_path: Path,
    out: Path,
    label: Label,
    *,
    crops: CropSpec | None = None,
    utilities: Path | None = None,
    announce: Announce = silent,
) -> ImageBundleReport:
    """Write the bundle of a network; it appears whole or not at all.

    Args:
        network: the weights, in evaluation mode.
        model: the body that it speaks of.
        body_model_path: the file that `model` was read from.
        out: folder of the bundle; an older bundle there is replaced.
        label: what it is.
        crops: how its pictures are cut; default: the paper's way.
        utilities: folder of the release's key point files, for licensed bodies; None:
            the body's own points.
        announce: is told what is done next.

    Raises:
        BundleError: `out` cannot be written, or a graph does not agree with torch.
        ModelFileError: the body or the utilities cannot be used.
    """
    config = network.config
    encoders = (config.body_encoder, config.head_encoder, config.hand_encoder)
    tables, _ = read_utilities(utilities, model)
    crops = crops or CropSpec()
    graphs = image_graphs(network, model, tables, crops=crops, viewer="camera")
    announce("looking for people in the demo clip")
    return write_image_bundle(
        graphs,
        name=label.name,
        body_model_path=body_model_path,
        model=model,
        crops=crops,
        samples=demo_samples(crops),
        provenance={**label.provenance, "encoders": ", ".join(encoders)},
        licence=label.licence,
        out=out,
        announce=announce,
    )
