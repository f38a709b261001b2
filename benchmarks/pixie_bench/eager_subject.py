"""The full PIXIE network in eager PyTorch, on crops that are known.

Its weights are random: they make no difference to its speed. `pixie-bench eager`
compares with a released checkpoint.
"""

import torch

from pixie_runtime.fusion_rules import FusionRules
from pixie_train.config import ImageConfig
from pixie_train.networks.decoding import decode
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.networks.pixie import Features, PartFeatures


class EagerSubject:
    """Body, head and both hands at once, then their fusion, module after module."""

    def __init__(self, *, threads: int = 2, size: int = 224) -> None:
        """Make the network.

        Args:
            threads: of PyTorch.
            size: side of every crop, pixels.
        """
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self._network = ImagePixie(ImageConfig()).eval()
        self._body = torch.rand(1, 3, size, size)
        self._head = torch.rand(1, 3, size, size)
        self._hands = torch.rand(2, 3, size, size)
        self._rules = torch.from_numpy(FusionRules.release().row()[None])
        self.description = f"PyTorch {torch.__version__}, eager, float32"

    @torch.no_grad()
    def run(self) -> None:
        """Look at all crops once."""
        network = self._network
        F_b = network.encode_body(self._body)
        F_f = network.encode_head(self._head)
        F_h = network.encode_hand(self._hands)[None]
        features = Features(F_b, PartFeatures(F_f, F_h), torch.ones(1, 3))
        decode(network.core(features, self._rules).fused, self._rules[:, 3])
