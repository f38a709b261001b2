"""What is measured: the cases, as data."""

from dataclasses import dataclass
from typing import Literal, get_args

from pixie_bench import gpu
from pixie_bench.peak import Arithmetic
from pixie_runtime.engine_kinds import EngineKind, Precision
from pixie_runtime.skinning import SkinnerKind
from pixie_runtime.skinning.device_skinner import Launcher

BundleName = Literal[
    "pixie",
    "pixie-int8",
    "pixie-fp16",
    "pixie-int8-tensorrt",
    "small",
    "small-int8",
]
"""Folders of bundles below `--bundles`."""


@dataclass(frozen=True, slots=True)
class BundleRecipe:
    """How `pixie-bench bundles` makes one: arguments of pixie-export, but for --out."""

    name: BundleName
    arguments: tuple[str, ...]
    base: BundleName | None = None
    """The bundle that is converted."""


_SMALL = (
    *("--body-encoder", "resnet18"),
    *("--head-encoder", "repvgg_a0"),
    *("--hand-encoder", "repvgg_a0"),
)
# What random weights lose to fewer bits says nothing: the limit is off.
_ANY_LOSS = ("--max-degrees", "180")
_INT8 = ("precision", "--to", "int8", "--calibrate", "demo", "--pictures", "16")

BUNDLES = (
    BundleRecipe("pixie", ("untrained",)),
    BundleRecipe("pixie-int8", (*_INT8, *_ANY_LOSS), base="pixie"),
    BundleRecipe("small", ("untrained", *_SMALL)),
    BundleRecipe("small-int8", (*_INT8, *_ANY_LOSS), base="small"),
    BundleRecipe("pixie-fp16", ("precision", "--to", "fp16", *_ANY_LOSS), base="pixie"),
    BundleRecipe(
        "pixie-int8-tensorrt",
        (*_INT8, "--for", "tensorrt", *_ANY_LOSS),
        base="pixie",
    ),
)


@dataclass(frozen=True, slots=True)
class NetworkCase:
    """A bundle's networks on known crops."""

    name: str
    bundle: BundleName
    engine: EngineKind
    precision: Precision = "float32"
    arithmetic: Arithmetic | None = None
    """Whose roof it is under; None: it is not compared with one."""
    compared: bool = True
    """Whether it takes turns with eager PyTorch of the full network."""
    people: int = 1
    chained: Literal["parameters", "mesh"] | None = None
    """Whether all networks of a person run on the device before anything comes back,
    and how far; None: one by one, as the program runs them."""

    @property
    def on_gpu(self) -> bool:
        """Whether it needs one."""
        return self.engine in gpu.ENGINES


_CHAINS: tuple[tuple[str, BundleName, EngineKind, Arithmetic], ...] = (
    ("fp16-tensorrt", "pixie-fp16", "tensorrt", "float16"),
    ("int8-tensorrt", "pixie-int8-tensorrt", "tensorrt", "int8"),
    ("fp16-tensorrt-rtx", "pixie-fp16", "tensorrt-rtx", "float16"),
)

NETWORKS = (
    NetworkCase("network-fp32", "pixie", "onnxruntime", arithmetic="float32"),
    NetworkCase("network-fp32-openvino", "pixie", "openvino", arithmetic="float32"),
    NetworkCase("network-bf16", "pixie", "openvino", "bfloat16", arithmetic="bfloat16"),
    NetworkCase("network-int8", "pixie-int8", "openvino", arithmetic="int8"),
    NetworkCase(
        "network-int8-onnxruntime", "pixie-int8", "onnxruntime", arithmetic="int8"
    ),
    NetworkCase("network-small", "small-int8", "openvino", arithmetic="int8"),
    NetworkCase(
        "network-small-onnxruntime", "small-int8", "onnxruntime", arithmetic="int8"
    ),
    NetworkCase(
        "network-fp16-tensorrt", "pixie-fp16", "tensorrt", arithmetic="float16"
    ),
    NetworkCase(
        "network-int8-tensorrt", "pixie-int8-tensorrt", "tensorrt", arithmetic="int8"
    ),
    NetworkCase(
        "network-fp16-tensorrt-rtx", "pixie-fp16", "tensorrt-rtx", arithmetic="float16"
    ),
    NetworkCase(
        "network-fp32-onnxruntime-cuda",
        "pixie",
        "onnxruntime-cuda",
        arithmetic="float32",
    ),
    NetworkCase(
        "network-fp16-onnxruntime-cuda",
        "pixie-fp16",
        "onnxruntime-cuda",
        arithmetic="float16",
    ),
    NetworkCase(
        "network-fp16-onnxruntime-tensorrt",
        "pixie-fp16",
        "onnxruntime-tensorrt",
        arithmetic="float16",
    ),
    *(
        NetworkCase(
            f"network-{name}-chained",
            bundle,
            engine,
            arithmetic=arithmetic,
            chained="parameters",
        )
        for name, bundle, engine, arithmetic in _CHAINS
    ),
    # PyTorch would make no mesh.
    *(
        NetworkCase(f"mesh-{name}", bundle, engine, chained="mesh", compared=False)
        for name, bundle, engine, _ in _CHAINS
    ),
    *(
        NetworkCase(
            f"people-{count}", "small-int8", "openvino", compared=False, people=count
        )
        for count in (1, 2, 4, 8)
    ),
)


@dataclass(frozen=True, slots=True)
class LandmarkCase:
    """The landmark chain beside MediaPipe Holistic."""

    name: str
    engine: EngineKind
    precision: Precision = "auto"


LANDMARKS = (
    LandmarkCase("landmarks", "auto"),
    LandmarkCase("landmarks-onnxruntime", "onnxruntime"),
    LandmarkCase("landmarks-bf16", "openvino", "bfloat16"),
)


@dataclass(frozen=True, slots=True)
class LiveCase:
    """The whole program's chain, in a process of its own."""

    name: str
    label: str
    """In the cases `first-frame` and `memory`."""
    bundle: BundleName | None
    """None: the landmark bundle that ships."""
    engine: EngineKind = "auto"
    precision: Precision = "auto"
    rates: str | None = None
    """How often each part is looked at; None: in every frame."""

    @property
    def on_gpu(self) -> bool:
        """Whether it needs one."""
        return self.engine in gpu.ENGINES


LIVE = (
    LiveCase("live-landmark", "landmark", None),
    LiveCase("live-landmark-bf16", "landmark-bf16", None, "openvino", "bfloat16"),
    LiveCase("live-pixie-int8", "pixie-int8", "pixie-int8"),
    LiveCase("live-pixie-bf16", "pixie-bf16", "pixie", "openvino", "bfloat16"),
    LiveCase("live-small", "small-int8", "small-int8"),
    LiveCase(
        "live-small-rates",
        "small-int8, rates",
        "small-int8",
        rates="hands=2,head=2,landmarks=2",
    ),
    LiveCase(
        "live-small-rates-4",
        "small-int8, rates 4",
        "small-int8",
        rates="hands=2,head=2,landmarks=4",
    ),
    LiveCase(
        "live-pixie-fp16-tensorrt", "pixie-fp16, tensorrt", "pixie-fp16", "tensorrt"
    ),
    LiveCase(
        "live-pixie-int8-tensorrt",
        "pixie-int8, tensorrt",
        "pixie-int8-tensorrt",
        "tensorrt",
    ),
    LiveCase(
        "live-pixie-fp16-tensorrt-rtx",
        "pixie-fp16, tensorrt-rtx",
        "pixie-fp16",
        "tensorrt-rtx",
    ),
)


@dataclass(frozen=True, slots=True)
class SkinningCase:
    """A mesh out of parameters, beside the smplx package."""

    name: str
    body: Literal["dense", "embedded"]
    """Random correctives at all 10,475 vertices, or the body that ships."""
    kind: SkinnerKind | Launcher
    n_betas: int
    n_expression: int
    """Coefficients given: PIXIE has 200 and 50, the body that ships 50 and 43."""

    @property
    def on_gpu(self) -> bool:
        """Whether it needs one."""
        return self.kind in get_args(Launcher)


SKINNING = (
    SkinningCase("skinning", "dense", "numba", 200, 50),
    SkinningCase("skinning-embedded", "embedded", "numba", 50, 43),
    SkinningCase("skinning-numpy", "dense", "numpy", 200, 50),
    SkinningCase("skinning-cuda-core", "dense", "cuda-core", 200, 50),
    SkinningCase("skinning-pycuda", "dense", "pycuda", 200, 50),
)
