"""PIXIE's networks chained on the GPU: crops in, parameters out, nothing between.

The encoders' features, and the parameters that the body model takes, never leave the
device: each network reads where another wrote (`tensorrt_plan`). From outside it is an
`Engine` with the tensors of the bundle's network `whole`; one person a run.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, Self

from pixie_runtime.bundle import Bundle
from pixie_runtime.engines import AnyArray
from pixie_runtime.engines.tensorrt_device import Device
from pixie_runtime.engines.tensorrt_library import Library
from pixie_runtime.engines.tensorrt_network import CudaNetwork, Shape
from pixie_runtime.engines.tensorrt_plan import DevicePlan, Part, Wiring, lay_out
from pixie_runtime.engines.tensorrt_runner import DeviceArray, PlanRunner
from pixie_runtime.errors import EngineError

_NETWORKS = {"body": 1, "head": 1, "hand": 2, "fuse": 1}
"""In the order in which they run, with the rows that each gets: both hands at once."""
_IMAGES = {
    "image_body": Part("body", "image"),
    "image_head": Part("head", "image"),
    "image_left_hand": Part("hand", "image", 0),
    "image_right_hand": Part("hand", "image", 1),
}
_FEATURES = {
    "F_b": Part("body", "F_b"),
    "F_f": Part("head", "F_f"),
    "F_left": Part("hand", "F_h", 0),
    "F_right": Part("hand", "F_h", 1),
}
_CONDITIONS = ("present", "rules")
_POSED = ("betas", "expression", "rotations")
"""What the body model takes of the network's results."""
_SURFACE = ("vertices", "joints")


class GpuMaker(Protocol):
    """What `TensorrtMaker` and `TensorrtRtxMaker` have in common."""

    @property
    def description(self) -> str:
        """What will run the networks."""
        ...

    @property
    def library(self) -> Library:
        """Whose engines."""
        ...

    @property
    def device(self) -> Device:
        """On which GPU."""
        ...

    def open_network(self, model: Path | bytes) -> CudaNetwork:
        """Load a network's engine for use on the device."""
        ...


def chain_wiring(outputs: tuple[str, ...], *, skinning: bool) -> Wiring:
    """Return how the networks of a person are put together.

    Args:
        outputs: the results of `fuse` that the host wants.
        skinning: whether the body model follows; `transl` is then another input, and
            vertices and joints stay on the device.
    """
    links = {Part("fuse", name): source for name, source in _FEATURES.items()}
    inputs = {**_IMAGES, **{name: Part("fuse", name) for name in _CONDITIONS}}
    kept: dict[str, Part] = {}
    if skinning:
        links |= {Part("skinning", name): Part("fuse", name) for name in _POSED}
        inputs["transl"] = Part("skinning", "transl")
        kept = {name: Part("skinning", name) for name in _SURFACE}
    asked = {name: Part("fuse", name) for name in outputs}
    return Wiring(links, inputs, asked, kept)


class DeviceChain:
    """Encoders, fusion and, if wanted, the body model, one after the other."""

    def __init__(
        self, maker: GpuMaker, bundle: Bundle, *, skinning: bool = False
    ) -> None:
        """Open the networks of an image bundle and put them together.

        Args:
            maker: opens networks on the GPU.
            bundle: a bundle of kind "image".
            skinning: let the bundle's body model follow; needs `transl`.

        Raises:
            BundleError: the bundle lacks a network.
            EngineError: a network has no engine that fits, there is no memory, or the
                networks do not fit one another.
        """
        rows = _NETWORKS | ({"skinning": 1} if skinning else {})
        self._description = f"{maker.description}, chained on the device"
        with ExitStack() as opened:
            contexts, sizes = {}, {}
            for name, count in rows.items():
                network = maker.open_network(bundle.path_of(name))
                opened.callback(network.close)
                contexts[name], sizes[name] = network.context(_shapes(network, count))
            wiring = chain_wiring(tuple(sizes["fuse"].outputs), skinning=skinning)
            try:
                self._plan = lay_out(sizes, wiring)
            except (ValueError, KeyError) as error:
                raise EngineError(
                    f"the networks of bundle {bundle.manifest.name} do not fit one "
                    f"another: {error}; export the bundle again"
                ) from error
            runner = PlanRunner(self._plan, contexts, maker.device, maker.library)
            opened.callback(runner.close)
            self._opened = opened.pop_all()
        self._runner: PlanRunner | None = runner
        self._input_shapes: Mapping[str, tuple[int | str, ...]] = MappingProxyType(
            {name: view.info.shape for name, view in self._plan.inputs.items()}
        )

    @property
    def description(self) -> str:
        """What runs the networks."""
        return self._description

    @property
    def plan(self) -> DevicePlan:
        """What lies where on the device."""
        return self._plan

    @property
    def input_shapes(self) -> Mapping[str, tuple[int | str, ...]]:
        """Each input's shape by name; there are no free axes."""
        return self._input_shapes

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs that come back to the host."""
        return tuple(self._plan.outputs)

    def infer(self, inputs: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        """Run once; every input by name. The returned arrays belong to the caller.

        Raises:
            EngineError: The GPU or the library failed.
            RuntimeError: The chain is closed.
            ValueError: An input is missing, unknown, or of a wrong shape or type.
        """
        if self._runner is None:
            raise RuntimeError("this engine is closed")
        if inputs.keys() != self._input_shapes.keys():
            raise ValueError(
                f"inputs {sorted(inputs)} given, expected {sorted(self._input_shapes)}"
            )
        for name, view in self._plan.inputs.items():
            array, info = inputs[name], view.info
            if array.shape != info.shape or array.dtype != info.dtype:
                raise ValueError(
                    f"{name} is {array.dtype} {array.shape}, expected {info.dtype} "
                    f"{info.shape}"
                )
        return self._runner.run(inputs)

    def on_device(self) -> dict[str, DeviceArray]:
        """Return the last run's `vertices` and `joints`, which stay on the GPU."""
        if self._runner is None:
            raise RuntimeError("this engine is closed")
        return self._runner.on_device()

    def close(self) -> None:
        """Free everything; `infer` may not be called afterwards."""
        self._runner = None
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _shapes(network: CudaNetwork, rows: int) -> dict[str, Shape]:
    """Return the inputs' shapes with so many rows."""
    return {name: (rows, *spec.largest[1:]) for name, spec in network.inputs.items()}
