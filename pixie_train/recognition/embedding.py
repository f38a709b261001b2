"""A face recognition network with the alignment that it needs: f of equation (12)."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from pixie_runtime.errors import ModelFileError
from pixie_train.recognition.alignment import aligned
from pixie_train.recognition.dlib_network import CHIP_SIZE, dlib_network
from pixie_train.recognition.shards import read_shards
from pixie_train.recognition.vggface_network import FACE_SIZE, Layout, read_vggface

MANIFEST = "face_recognition_model-weights_manifest.json"


@dataclass(frozen=True, eq=False)
class AlignedEmbedding:
    """A `losses.identity.FaceEmbedding`: aligns faces and looks at them."""

    network: Callable[[Tensor], Tensor]
    """From faces (B, 3, size, size), RGB in [0, 1], to vectors (B, E)."""
    size: int
    """Side of its pictures."""
    padding: float = 0.25
    """Room around the template of `alignment`."""

    def __call__(self, picture: Tensor, landmarks: Tensor) -> Tensor:
        """Return vectors (B, E) of the faces in pictures; differentiable.

        Args:
            picture: (B, 3, H, W), RGB in [0, 1].
            landmarks: iBUG's 68 in [-1, 1] over the picture, (B, 68, 2).
        """
        chips = aligned(picture, landmarks, size=self.size, padding=self.padding)
        return self.network(chips)

    def to(self, device: str) -> "AlignedEmbedding":
        """Return it with the network moved to `device`."""
        network = self.network
        moved = network.to(device) if isinstance(network, nn.Module) else network
        return AlignedEmbedding(moved, self.size, self.padding)


def open_embedding(path: Path, *, layout: Layout = "caffe") -> AlignedEmbedding:
    """Open a face recognition network of the user's.

    Args:
        path: the folder (or the manifest) of face-api's face_recognition_model, or the
            state dict of a ResNet-50 trained on VGGFace2.
        layout: of a ResNet-50.

    Raises:
        ModelFileError: there is no such network, or it is not whole.
    """
    if path.is_dir():
        path = path / MANIFEST
        if not path.exists():
            raise ModelFileError(
                f"{path.parent} has no {MANIFEST}; give the folder of face-api's "
                "weights (npm package @vladmandic/face-api, folder model)"
            )
    if path.suffix == ".json":
        network = dlib_network(read_shards(path), str(path))
        return AlignedEmbedding(network, CHIP_SIZE)
    # How much room VGGFace2's authors leave around a face: 0.3 of its box.
    return AlignedEmbedding(read_vggface(path, layout), FACE_SIZE, padding=0.3)
