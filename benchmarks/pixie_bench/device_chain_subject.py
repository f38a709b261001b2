"""The networks of a person chained on a GPU, on crops that are known."""

from pathlib import Path
from typing import cast

import numpy as np

from pixie_runtime.bundle import Bundle
from pixie_runtime.engine_kinds import EngineKind
from pixie_runtime.engines import AnyArray
from pixie_runtime.engines.choosing import choose
from pixie_runtime.engines.tensorrt_chain import DeviceChain, GpuMaker
from pixie_runtime.engines.tensorrt_plan import TensorInfo
from pixie_runtime.errors import UsageError
from pixie_runtime.fusion_rules import FusionRules

_CHAINED: tuple[EngineKind, ...] = ("tensorrt", "tensorrt-rtx")


class DeviceChainSubject:
    """Body, head, both hands, fusion and, if wanted, the mesh; nothing in between.

    A run ends when the stream has nothing left to do: parameters are back on the host,
    and a mesh lies on the device.
    """

    def __init__(
        self, *, bundle: str, engine: EngineKind, skinning: bool = False
    ) -> None:
        """Open the chain.

        Args:
            bundle: folder of an image bundle, its engines built.
            engine: whose engines.
            skinning: let the bundle's body model follow.

        Raises:
            BundleError: the bundle lacks a network.
            EngineError, MissingExtraError: the engine cannot run here.
            UsageError: networks are not chained with that engine.
        """
        if engine not in _CHAINED:
            raise UsageError(
                f"networks are chained with {' or '.join(_CHAINED)}, not with {engine}"
            )
        opened = Bundle.open(Path(bundle))
        maker = cast("GpuMaker", choose(engine))
        self._chain = DeviceChain(maker, opened, skinning=skinning)
        mesh = " with the mesh" if skinning else ""
        name, precision = opened.manifest.name, opened.manifest.precision
        self.description = f"{name} in {precision}: {self._chain.description}{mesh}"
        rng = np.random.default_rng(0)
        self._inputs = {
            name: _given(name, view.info, rng)
            for name, view in self._chain.plan.inputs.items()
        }

    def run(self) -> None:
        """Look at all crops of one person once."""
        self.outputs()

    def outputs(self) -> dict[str, AnyArray]:
        """Return what comes back to the host, by name."""
        return self._chain.infer(self._inputs)


def _given(name: str, info: TensorInfo, rng: np.random.Generator) -> AnyArray:
    """Return an input: noise for pictures, everything in sight, the origin."""
    if name == "present":
        return np.ones(info.shape, info.dtype)
    if name == "rules":
        rules = FusionRules.release().row()
        return np.broadcast_to(rules, info.shape).astype(info.dtype)
    if name == "transl":
        return np.zeros(info.shape, info.dtype)
    noise = rng.integers(0, 256, info.shape, np.uint8)
    if info.dtype == "uint8":
        return noise
    return (noise / np.float32(255)).astype(info.dtype)
