"""What runs on a CUDA card: buffers and launches as plain values, no card needed.

A launcher (PyCUDA, cuda-core, or the tests' own, which runs the same kernels compiled
for the processor) does nothing but allocate these buffers and make these launches.
"""

from dataclasses import dataclass
from math import prod

from pixie_runtime.body import BodyModel
from pixie_runtime.skinning.packing import GROUP, PackedBody
from pixie_runtime.smplx import JOINT_COUNT, PARENTS

LANES = 32
"""Vertices in a tile: a warp."""
KERNELS = ("rest_mesh", "pose", "mesh_1", "mesh_4", "normals")
"""Every kernel of skinning.cu."""

_THREADS = 256
_WARPS = 8
_AXES = 3 * LANES
_FLOAT = 4
_SHARED_LIMIT = 48 * 1024
"""Bytes of shared memory that every card gives a block without being asked."""


@dataclass(frozen=True, slots=True)
class Buffer:
    """Memory on the card."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    """numpy's name: `float32`, `int32`, `int16`."""

    @property
    def nbytes(self) -> int:
        """Its size."""
        return prod(self.shape) * (2 if self.dtype == "int16" else 4)


@dataclass(frozen=True, slots=True)
class Launch:
    """One run of one kernel."""

    kernel: str
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    shared_bytes: int
    """Dynamic shared memory of a block."""
    arguments: tuple[str | int, ...]
    """In the kernel's order: a buffer's name, or an int32."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the buffers' shapes depend on."""

    vertex_count: int
    tile_count: int
    group_count: int
    entry_count: int
    row_count: int
    """Rows of skinning weights."""
    n_betas: int
    n_expression: int
    corner_count: int
    """Corners of all triangles."""
    people: int
    """As many as are ever skinned at once."""

    @classmethod
    def of(cls, model: BodyModel, packed: PackedBody, people: int) -> "Sizes":
        """Return the sizes of `people` bodies of a packed model."""
        return cls(
            vertex_count=packed.vertex_count,
            tile_count=packed.tile_count,
            group_count=packed.group_count,
            entry_count=len(packed.entry_group),
            row_count=len(packed.weights.joint),
            n_betas=model.n_betas,
            n_expression=model.n_expression,
            corner_count=model.faces.size,
            people=people,
        )


def generations() -> tuple[int, ...]:
    """Return each joint's distance from the root."""
    depth = [0] * JOINT_COUNT
    for joint in range(1, JOINT_COUNT):
        depth[joint] = depth[PARENTS[joint]] + 1
    return tuple(depth)


def model_buffers(s: Sizes) -> tuple[Buffer, ...]:
    """Return what is uploaded once."""
    return (
        Buffer("entry_start", (s.tile_count + 1,), "int32"),
        Buffer("entry_group", (s.entry_count,), "int32"),
        Buffer("steps", (s.entry_count, GROUP), "float32"),
        Buffer("values", (s.entry_count, GROUP, _AXES), "int16"),
        Buffer("joint_start", (s.tile_count + 1,), "int32"),
        Buffer("joint", (s.row_count,), "int32"),
        Buffer("weights", (s.row_count, LANES), "float32"),
        Buffer("mesh", (s.tile_count, _AXES), "float32"),
        Buffer("shape", (s.n_betas, s.tile_count, _AXES), "float32"),
        Buffer("J_template", (JOINT_COUNT, 3), "float32"),
        Buffer("J_shape", (s.n_betas, JOINT_COUNT, 3), "float32"),
        Buffer("J_expression", (s.n_expression, JOINT_COUNT, 3), "float32"),
        Buffer("parents", (JOINT_COUNT,), "int32"),
        Buffer("generation", (JOINT_COUNT,), "int32"),
        Buffer("face_start", (s.vertex_count + 1,), "int32"),
        Buffer("corner_b", (s.corner_count,), "int32"),
        Buffer("corner_c", (s.corner_count,), "int32"),
    )


def input_buffers(s: Sizes) -> tuple[Buffer, ...]:
    """Return what is uploaded for every frame; only the people present are read."""
    return (
        Buffer("betas", (s.people, s.n_betas), "float32"),
        Buffer("expression", (s.people, s.n_expression), "float32"),
        Buffer("rotations", (s.people, JOINT_COUNT, 4), "float32"),
        Buffer("transl", (s.people, 3), "float32"),
        Buffer("slots", (s.people,), "int32"),
        Buffer("fresh", (s.people,), "int32"),
    )


def result_buffers(s: Sizes) -> tuple[Buffer, ...]:
    """Return what the kernels write: kept shapes, what lies between, and the meshes."""
    return (
        Buffer("rest", (s.people, s.tile_count, _AXES), "float32"),
        Buffer("coefficients", (s.people, s.group_count, GROUP), "float32"),
        Buffer("motions", (s.people, JOINT_COUNT, 12), "float32"),
        Buffer("joints", (s.people, JOINT_COUNT, 3), "float32"),
        Buffer("vertices", (s.people, s.vertex_count, 3), "float32"),
        Buffer("normals", (s.people, s.vertex_count, 3), "float32"),
    )


def launches(s: Sizes, *, people: int, fresh: int, normals: bool) -> tuple[Launch, ...]:
    """Return what makes the meshes of one frame, in order, on one stream.

    Args:
        s: Sizes of the buffers.
        people: How many are present, 1 to `s.people`.
        fresh: How many of them have a shape that no slot keeps yet.
        normals: Whether normals are wanted.
    """
    if not 1 <= people <= s.people or not 0 <= fresh <= people:
        raise ValueError(
            f"{people} people, {fresh} of them fresh, where buffers hold {s.people}"
        )
    steps = [_pose(s, people), _mesh(s, people)]
    if fresh:
        steps.insert(0, _rest_mesh(s, fresh))
    if normals:
        steps.append(_normals(s, people))
    return tuple(steps)


def _rest_mesh(s: Sizes, fresh: int) -> Launch:
    size = s.tile_count * _AXES
    return Launch(
        kernel="rest_mesh",
        grid=(-(-size // _THREADS), fresh, 1),
        block=(_THREADS, 1, 1),
        shared_bytes=0,
        arguments=(
            s.n_betas,
            size,
            *("mesh", "shape", "betas", "fresh", "slots", "rest"),
        ),
    )


def _pose(s: Sizes, people: int) -> Launch:
    return Launch(
        kernel="pose",
        grid=(people, 1, 1),
        block=(64, 1, 1),
        shared_bytes=JOINT_COUNT * (3 + 12) * _FLOAT,
        arguments=(
            *(s.n_betas, s.n_expression, s.group_count, max(generations())),
            *("J_template", "J_shape", "J_expression", "parents", "generation"),
            *("betas", "expression", "rotations", "transl"),
            *("coefficients", "motions", "joints"),
        ),
    )


def _mesh(s: Sizes, people: int) -> Launch:
    together = 1 if people == 1 else 4
    shared = together * (s.group_count * GROUP + _WARPS * _AXES) * _FLOAT
    if shared > _SHARED_LIMIT:
        together, shared = 1, shared // together
    return Launch(
        kernel=f"mesh_{together}",
        grid=(s.tile_count, -(-people // together), 1),
        block=(LANES, _WARPS, 1),
        shared_bytes=shared,
        arguments=(
            *(people, s.vertex_count, s.group_count),
            *("entry_start", "entry_group", "steps", "values"),
            *("joint_start", "joint", "weights"),
            *("coefficients", "motions", "slots", "rest", "vertices"),
        ),
    )


def _normals(s: Sizes, people: int) -> Launch:
    return Launch(
        kernel="normals",
        grid=(-(-s.vertex_count // _THREADS), people, 1),
        block=(_THREADS, 1, 1),
        shared_bytes=0,
        arguments=(
            s.vertex_count,
            *("face_start", "corner_b", "corner_c", "vertices", "normals"),
        ),
    )
