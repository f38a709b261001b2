"""The networks that a tracked frame runs, on crops that are known."""

from pathlib import Path
from typing import get_args

import numpy as np

from pixie_runtime.bundle import Bundle, TensorSpec
from pixie_runtime.engine_kinds import EngineKind, Precision
from pixie_runtime.engines import AnyArray
from pixie_runtime.engines.choosing import choose
from pixie_runtime.errors import BundleError, UsageError
from pixie_runtime.fusion_rules import FusionRules
from pixie_runtime.image_networks import ImageNetworks
from pixie_runtime.types import Float32

_NETWORKS = ("body", "head", "hand", "fuse")


class NetworkSubject:
    """Body, head and both hands at once, then their fusion, as the program does it."""

    def __init__(
        self,
        *,
        bundle: str,
        engine: EngineKind,
        precision: Precision = "float32",
        threads: int = 2,
        people: int = 1,
    ) -> None:
        """Open the networks.

        Args:
            bundle: folder of an image bundle.
            engine: what runs them.
            precision: its arithmetic.
            threads: of each network.
            people: in the picture, run as one batch.

        Raises:
            BundleError: the bundle is of another kind, or damaged.
            EngineError, MissingExtraError: the engine cannot run here.
        """
        if engine not in get_args(EngineKind):
            raise UsageError(f"there is no engine {engine!r}")
        opened = Bundle.open(Path(bundle))
        if opened.manifest.kind != "image":
            raise BundleError(f"bundle {opened.manifest.name} looks at no images")
        maker = choose(engine, precision=precision, threads=threads)
        self._networks = ImageNetworks(opened, _NETWORKS, maker=maker)
        manifest = opened.manifest
        self.description = (
            f"{manifest.name} in {manifest.precision}: {maker.description}"
        )
        rng = np.random.default_rng(0)
        specs = opened.manifest.networks
        self._body = _pictures(specs["body"].inputs[0], people, rng)
        self._head = _pictures(specs["head"].inputs[0], people, rng)
        self._hands = _pictures(specs["hand"].inputs[0], 2 * people, rng)
        self._present = np.ones((people, 3), np.float32)
        self._rules = np.repeat(FusionRules.release().row()[None], people, axis=0)
        self._people = people

    def run(self) -> None:
        """Look at all crops of all people once."""
        self.rotations()

    def rotations(self) -> Float32:
        """Return what comes out, (people, 55, 3, 3)."""
        F_b = self._networks.infer("body", image=self._body)["F_b"]
        F_f = self._networks.infer("head", image=self._head)["F_f"]
        F_h = self._networks.infer("hand", image=self._hands)["F_h"]
        fused = self._networks.infer(
            "fuse",
            F_b=F_b,
            F_f=F_f,
            F_left=F_h[: self._people],
            F_right=F_h[self._people :],
            present=self._present,
            rules=self._rules,
        )
        return fused["rotations"]


def _pictures(spec: TensorSpec, count: int, rng: np.random.Generator) -> AnyArray:
    """Return noise of a picture input's size and type, (count, 3, S, S)."""
    shape = [count, *(n for n in spec.shape[1:] if isinstance(n, int))]
    noise = rng.integers(0, 256, shape, np.uint8)
    if spec.dtype == "uint8":
        return noise
    return (noise / np.float32(255)).astype(spec.dtype)
