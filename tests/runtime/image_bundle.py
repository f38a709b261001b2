"""A tiny but real image bundle: every graph that a PIXIE bundle has, a few kilobytes.

Its encoders average the colours of a picture's quarters; everything behind them is
linear, and a joint turns about its own z axis. So results differ from picture to
picture, `whole` equals its parts, and a body stands upright in front of the camera.
"""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from pixie_runtime.body import embedded_body_model
from pixie_runtime.bundle import (
    MANIFEST_NAME,
    BodyModelSpec,
    Bundle,
    CropSpec,
    Manifest,
    NetworkSpec,
    TensorSpec,
)
from pixie_runtime.engines import AnyArray, Engine
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.smplx import JAW, JOINT_INDEX, RIGHT_HAND_JOINTS

D = 12
"""Length of every feature: three colours of four quarters."""
N_BETAS, N_EXPRESSION = 10, 8
IMAGE = (3, 224, 224)
CAMERA = (0.9, 0.05, 0.4)
"""Scale per metre and shift in metres that `fuse` and `coarse` give a black picture."""
PART_SCALE = 7.0
"""Scale per metre that `head_alone` and `hand_alone` give."""
BOXES = ((512.0, 150.0, 140.0), (800.0, 520.0, 120.0), (220.0, 500.0, 110.0))
"""Head, left and right hand: centre and side in HD pixels, whatever the picture."""
HEAD_POINTS = range(55, 123)
LEFT_POINTS = (20, *range(25, 40), 128, 129, 130, 131, 133)
RIGHT_POINTS = (21, *range(40, 55), 139, 140, 141, 142, 144)

_PERSON: dict[str, tuple[int, ...]] = {
    "rotations": (55, 3, 3),
    "betas": (N_BETAS,),
    "expression": (N_EXPRESSION,),
    "camera": (3,),
}
_SURFACE: dict[str, tuple[int, ...]] = {"texture": (50,), "light": (27,)}
_FEATURES = dict.fromkeys(("F_b", "F_f", "F_left", "F_right"), (D,))
_FLAGS: dict[str, tuple[int, ...]] = {"present": (3,), "rules": (4,)}
_FUSED = {**_PERSON, "moderator_weights": (3,), **_SURFACE}

NETWORKS: dict[
    str, tuple[Mapping[str, tuple[int, ...]], Mapping[str, tuple[int, ...]]]
] = {
    "body": ({"image": IMAGE}, {"F_b": (D,)}),
    "head": ({"image": IMAGE}, {"F_f": (D,)}),
    "hand": ({"image": IMAGE}, {"F_h": (D,)}),
    "coarse": ({"F_b": (D,)}, {**_PERSON, "boxes": (3, 3), "key_points": (145, 2)}),
    "fuse": ({**_FEATURES, **_FLAGS}, _FUSED),
    "whole": (
        {
            "image_body": IMAGE,
            "image_head": IMAGE,
            "image_left_hand": IMAGE,
            "image_right_hand": IMAGE,
            **_FLAGS,
        },
        _FUSED,
    ),
    "head_alone": ({"F_f": (D,)}, {**_PERSON, **_SURFACE}),
    "hand_alone": ({"F_h": (D,)}, {"rotations": (55, 3, 3), "camera": (3,)}),
}
"""Every network's inputs and outputs, without the batch axis."""


def write_image_bundle(
    folder: Path,
    *,
    networks: Sequence[str] = tuple(NETWORKS),
    body_sha256: str | None = None,
    with_body_file: bool = False,
) -> Bundle:
    """Write the bundle into `folder` and open it.

    Args:
        folder: made if it is not there.
        networks: which of `NETWORKS` the bundle shall have.
        body_sha256: the body model that it claims to be made for; default: the
            embedded one.
        with_body_file: put a copy of the embedded body model into the bundle.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in networks:
        (folder / f"{name}.onnx").write_bytes(network(name))
    if with_body_file:
        asset = files("pixie_runtime") / "assets" / "body" / "pixie_body.npz"
        with as_file(asset) as path:
            shutil.copyfile(path, folder / "body_model.npz")
    model = embedded_body_model()
    manifest = Manifest(
        name="tiny",
        kind="image",
        body_model=BodyModelSpec(
            name=model.name,
            sha256=body_sha256 or model.sha256,
            n_betas=N_BETAS,
            n_expression=N_EXPRESSION,
            file="body_model.npz" if with_body_file else "",
        ),
        networks={
            name: NetworkSpec(f"{name}.onnx", *(_specs(s) for s in NETWORKS[name]))
            for name in networks
        },
        sha256={
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.iterdir())
            if path.name != MANIFEST_NAME
        },
        precision="float32",
        licence="Apache-2.0",
        crops=CropSpec(),
    )
    (folder / MANIFEST_NAME).write_text(manifest.to_json())
    return Bundle.open(folder)


def network(name: str) -> bytes:
    """Return one of `NETWORKS` as the bytes of an ONNX file."""
    inputs, outputs = NETWORKS[name]
    graph = _Graph()
    features = []
    for given, shape in inputs.items():
        if shape == IMAGE:
            graph.add("AveragePool", [given], f"{given}.mean", kernel_shape=[112, 112],
                      strides=[112, 112])  # fmt: skip
            features.append(graph.add("Flatten", [f"{given}.mean"], f"{given}.F"))
        elif given != "rules":
            features.append(given)
    if name in {"body", "head", "hand"}:
        graph.add("Identity", features, next(iter(outputs)))
    else:
        joined = graph.add("Concat", features, "joined", axis=1)
        width = 3 * ("present" in inputs) + D * (len(features) - ("present" in inputs))
        for made, shape in outputs.items():
            _head(graph, name, joined, width, made, shape)
        if "rules" in inputs:
            # An input that no node reads would be dropped by some tools.
            graph.add("Identity", ["rules"], "rules.seen")
    return graph.serialised(inputs, outputs)


class _Graph:
    """Nodes and constants in the making."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def add(self, op: str, inputs: Sequence[str], output: str, **options: Any) -> str:
        """Add a node with one output; return the output's name."""
        self._nodes.append(helper.make_node(op, list(inputs), [output], **options))
        return output

    def constant(self, name: str, value: npt.ArrayLike) -> str:
        """Add a constant, float32 unless it holds integers; return its name."""
        array = np.asarray(value)
        kind = np.int64 if array.dtype.kind == "i" else np.float32
        self._constants.append(numpy_helper.from_array(array.astype(kind), name))
        return name

    def serialised(
        self,
        inputs: Mapping[str, tuple[int, ...]],
        outputs: Mapping[str, tuple[int, ...]],
    ) -> bytes:
        """Return the model; a first axis "batch" is put before every shape."""
        given, made = (
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *dims])
                for name, dims in side.items()
            ]
            for side in (inputs, outputs)
        )
        model = helper.make_model(
            helper.make_graph(self._nodes, "tiny", given, made, self._constants),
            opset_imports=[helper.make_opsetid("", 17)],
            ir_version=9,
        )
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())


def _head(
    graph: _Graph,
    network: str,
    joined: str,
    width: int,
    made: str,
    shape: tuple[int, ...],
) -> None:
    """Add one output: linear in `joined` (batch, width) about a fixed value."""
    if made == "rotations":
        _turning_joints(graph, network, joined, width)
        return
    size = int(np.prod(shape))
    bias = _resting(network, made, size)
    # Whatever places a body or a crop stays put; shape and the like follow the picture.
    gain = 0.0 if made in {"camera", "boxes", "key_points"} else 0.5
    flat = _linear(graph, joined, width, made, bias, gain)
    if made == "moderator_weights":
        flat = graph.add("Sigmoid", [flat], "moderator_weights.sigmoid")
    dims = graph.constant(f"{made}.shape", np.array([-1, *shape]))
    graph.add("Reshape", [flat, dims], made)


def _linear(
    graph: _Graph,
    joined: str,
    width: int,
    made: str,
    bias: npt.NDArray[np.float64],
    gain: float | npt.NDArray[np.float64],
) -> str:
    random = np.random.default_rng(len(made) * 1000 + width)
    W = gain * random.normal(0, 1 / np.sqrt(width), (width, len(bias)))
    weight = graph.constant(f"{made}.W", W)
    return graph.add(
        "Gemm", [joined, weight, graph.constant(f"{made}.b", bias)], f"{made}.flat"
    )


def _turning_joints(graph: _Graph, network: str, joined: str, width: int) -> None:
    """Add rotations: by small angles about z; the root faces the camera."""
    facing = np.tile(np.eye(3), (55, 1, 1))
    facing[0] = np.diag([1.0, -1.0, -1.0])
    if network == "hand_alone":
        # As in the release, where the left wrist's absolute rest is taken for real.
        facing[20] = np.diag([1.0, -1.0, -1.0])
    angles = _linear(
        graph, joined, width, "angles", np.zeros(55), 0.3 * _turning(network)
    )
    axis = graph.constant("axis", np.array([2]))
    a = graph.add("Unsqueeze", [angles, axis], "angles.column")
    c, s = graph.add("Cos", [a], "cos"), graph.add("Sin", [a], "sin")
    minus = graph.add("Neg", [s], "minus_sin")
    zero = graph.add("Mul", [a, graph.constant("nil", 0.0)], "zero")
    one = graph.add("Add", [zero, graph.constant("unit", 1.0)], "one")
    rows = [c, minus, zero, s, c, zero, zero, zero, one]
    flat = graph.add("Concat", rows, "turns.flat", axis=2)
    dims = graph.constant("turns.shape", np.array([-1, 55, 3, 3]))
    turns = graph.add("Reshape", [flat, dims], "turns")
    graph.add("MatMul", [graph.constant("facing", facing), turns], "rotations")


def _turning(network: str) -> npt.NDArray[np.float64]:
    """Return 1 for each joint that follows the picture, else 0, (55,)."""
    turning = {
        "head_alone": [JAW],
        "hand_alone": [JOINT_INDEX["right_wrist"], *RIGHT_HAND_JOINTS],
    }
    mask = np.zeros(55)
    mask[turning.get(network, [*range(1, 55)])] = 1
    return mask


def _part_camera(joint: str) -> npt.NDArray[np.float64]:
    """Return the camera that has a joint of the resting body in its middle.

    The body is turned by half a turn about the pelvis: y and z change their signs.
    """
    pelvis = embedded_body_model().J_template[0]
    x, y, _ = embedded_body_model().J_template[JOINT_INDEX[joint]]
    return np.array([PART_SCALE, -x, y - 2 * pelvis[1]])


def _resting(network: str, made: str, size: int) -> npt.NDArray[np.float64]:
    if made == "camera":
        joints = {"head_alone": "head", "hand_alone": "right_wrist"}
        joint = joints.get(network)
        return np.array(CAMERA) if joint is None else _part_camera(joint)
    if made == "boxes":
        return np.array(BOXES).ravel()
    if made == "key_points":
        return _key_points().ravel()
    return np.zeros(size)


def _key_points() -> npt.NDArray[np.float64]:
    """Return points in [-1, 1] whose boxes are those that `BOXES` were made from."""
    random = np.random.default_rng(0)
    points = random.uniform(-0.5, 0.5, (145, 2))
    parts = (HEAD_POINTS, LEFT_POINTS, RIGHT_POINTS)
    for part, (x, y, side), scale in zip(parts, BOXES, (2.0, 2.4, 2.4), strict=True):
        square = random.uniform(-0.5, 0.5, (len(part), 2))
        square[0], square[1] = (-0.5, -0.5), (0.5, 0.5)
        pixels = np.array([x, y]) + square * side / scale
        points[list(part)] = pixels / 1024 * 2 - 1
    return points


def _specs(side: Mapping[str, tuple[int, ...]]) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(name, ("batch", *dims), "float32", name)
        for name, dims in side.items()
    )


class WatchedEngine:
    """An engine that remembers what it was given, and whether it was closed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.given: list[dict[str, AnyArray]] = []
        self.closed = False

    @property
    def description(self) -> str:
        return self._engine.description

    @property
    def input_shapes(self) -> Mapping[str, tuple[int | str, ...]]:
        return self._engine.input_shapes

    @property
    def output_names(self) -> tuple[str, ...]:
        return self._engine.output_names

    def infer(self, inputs: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        self.given.append({name: array.copy() for name, array in inputs.items()})
        return self._engine.infer(inputs)

    def close(self) -> None:
        self.closed = True
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def watched_engines(bundle: Bundle) -> dict[str, WatchedEngine]:
    """Return every network of the bundle, watched."""
    return {
        name: WatchedEngine(OnnxRuntimeEngine(bundle.path_of(name), threads=1))
        for name in bundle.manifest.networks
    }
