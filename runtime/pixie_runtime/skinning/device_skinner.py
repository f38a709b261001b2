"""Meshes on a graphics card: several people at once, results that stay there.

Not run on a GPU yet: the tests run this class and its kernels on the processor.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from pixie_runtime.body import BodyModel
from pixie_runtime.skinning import plan
from pixie_runtime.skinning.adjacency import Adjacency
from pixie_runtime.skinning.cuda_core_device import CudaCoreDevice
from pixie_runtime.skinning.device import AnyArray, Device, DeviceArray, arguments
from pixie_runtime.skinning.packing import PackedBody, pack, tiled
from pixie_runtime.skinning.pycuda_device import PyCudaDevice
from pixie_runtime.smplx import JOINT_COUNT, PARENTS
from pixie_runtime.types import Float32, SmplxParams

Launcher = Literal["cuda-core", "pycuda"]
"""The library that launches kernels on a CUDA card."""


@dataclass(frozen=True, slots=True, eq=False)
class DeviceMeshes:
    """The bodies of one frame, P people; valid until the next frame."""

    vertices: DeviceArray
    """(P, V, 3), metres, the frame of the people's `transl`."""
    joints: DeviceArray
    """(P, 55, 3), likewise."""
    normals: DeviceArray | None
    """Unit vectors, (P, V, 3); None where they were not asked for."""


class DeviceSkinner:
    """Skins up to `people` bodies of one model at a time; a context manager.

    Not for several threads at once.
    """

    def __init__(
        self,
        model: BodyModel,
        device: Device,
        *,
        people: int = 4,
        normals: bool = False,
    ) -> None:
        """Upload the model.

        Args:
            model: The body.
            device: The card, with the kernels; closed with this.
            people: As many as are ever skinned at once.
            normals: Whether normals are made too.
        """
        packed = pack(model, lanes=plan.LANES)
        self._model = model
        self._device = device
        self._normals = normals
        self._sizes = sizes = plan.Sizes.of(model, packed, people)
        self._addresses: dict[str, int] = {}
        self._inputs = {
            buffer.name: np.zeros(buffer.shape, buffer.dtype)
            for buffer in plan.input_buffers(sizes)
        }
        self._slots: OrderedDict[bytes, int] = OrderedDict()
        contents = _contents(model, packed)
        for buffer in plan.model_buffers(sizes):
            array = contents[buffer.name]
            if array.shape != buffer.shape or array.dtype != buffer.dtype:
                raise AssertionError(f"{buffer} is filled with {array.shape}")
            self._allocate(buffer)
            device.upload(self._addresses[buffer.name], np.ascontiguousarray(array))
        for buffer in (*plan.input_buffers(sizes), *plan.result_buffers(sizes)):
            self._allocate(buffer)

    @property
    def description(self) -> str:
        """What makes the meshes."""
        return self._device.description

    @property
    def device_bytes(self) -> int:
        """Memory on the card."""
        buffers = (plan.model_buffers, plan.input_buffers, plan.result_buffers)
        return sum(b.nbytes for make in buffers for b in make(self._sizes))

    def skin(self, people: Sequence[SmplxParams]) -> DeviceMeshes:
        """Make the meshes of one frame; returns before the card is done.

        Raises ValueError for nobody, more than the skinner was opened for, or
        coefficients that the model does not have.
        """
        if not 1 <= len(people) <= self._sizes.people:
            raise ValueError(
                f"{len(people)} people, but this skinner was opened for 1 to "
                f"{self._sizes.people}"
            )
        self._fill(people)
        fresh = self._assign_slots(len(people))
        for name, array in self._inputs.items():
            self._device.upload(self._addresses[name], array)
        for launch in plan.launches(
            self._sizes,
            people=len(people),
            fresh=fresh,
            normals=self._normals,
        ):
            self._device.launch(launch, arguments(launch, self._addresses.__getitem__))
        vertices = (len(people), self._model.vertex_count, 3)
        return DeviceMeshes(
            vertices=self._lent("vertices", vertices),
            joints=self._lent("joints", (len(people), JOINT_COUNT, 3)),
            normals=self._lent("normals", vertices) if self._normals else None,
        )

    def close(self) -> None:
        """Free the card's memory; nothing may be used afterwards."""
        self._device.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _allocate(self, buffer: plan.Buffer) -> None:
        # A model without expressions has an empty buffer, which no card allocates.
        self._addresses[buffer.name] = self._device.allocate(max(buffer.nbytes, 16))

    def _lent(self, name: str, shape: tuple[int, ...]) -> DeviceArray:
        return DeviceArray(self._addresses[name], shape, self._device, self)

    def _fill(self, people: Sequence[SmplxParams]) -> None:
        for index, params in enumerate(people):
            for name in ("betas", "expression"):
                given, row = getattr(params, name), self._inputs[name][index]
                if len(given) > len(row):
                    raise ValueError(
                        f"{name} has {len(given)} coefficients, but the body model "
                        f"{self._model.name} takes at most {len(row)}"
                    )
                row[: len(given)] = given
                row[len(given) :] = 0
            self._inputs["rotations"][index] = params.rotations
            self._inputs["transl"][index] = params.transl

    def _assign_slots(self, people: int) -> int:
        """Give every shape a slot of the kept meshes; return how many are new."""
        betas, slots = self._inputs["betas"], self._inputs["slots"]
        keys = [betas[i].tobytes() for i in range(people)]
        for key in keys:
            if key in self._slots:
                self._slots.move_to_end(key)
        fresh = 0
        for index, key in enumerate(keys):
            if key not in self._slots:
                free = len(self._slots)
                if free == self._sizes.people:
                    # The present ones are at the end, and at most as many as slots.
                    _, free = self._slots.popitem(last=False)
                self._slots[key] = free
                self._inputs["fresh"][fresh] = index
                fresh += 1
            slots[index] = self._slots[key]
        return fresh


def _contents(model: BodyModel, packed: PackedBody) -> dict[str, AnyArray]:
    """Return what the model's buffers hold, by name."""

    def by_coefficient(field: Float32) -> Float32:  # (55, 3, k) -> (k, 55, 3)
        return np.moveaxis(field, 2, 0)

    adjacency = Adjacency.of(model.faces, model.vertex_count)
    return {
        "entry_start": packed.entry_start,
        "entry_group": packed.entry_group,
        "steps": packed.steps,
        "values": packed.values,
        "joint_start": packed.weights.start,
        "joint": packed.weights.joint,
        "weights": packed.weights.values,
        "mesh": tiled(model.v_template.T, plan.LANES),
        "shape": tiled(model.shape_field, plan.LANES),
        "J_template": model.J_template,
        "J_shape": by_coefficient(model.J_shapedirs),
        "J_expression": by_coefficient(model.J_expressiondirs),
        # The root's own number in place of -1: it is never followed.
        "parents": np.array([0, *PARENTS[1:]], np.int32),
        "generation": np.array(plan.generations(), np.int32),
        "face_start": adjacency.face_start,
        "corner_b": adjacency.corner_b,
        "corner_c": adjacency.corner_c,
    }


def open_cuda_skinner(
    model: BodyModel,
    through: Launcher = "cuda-core",
    *,
    people: int = 4,
    normals: bool = False,
    card: int = 0,
) -> DeviceSkinner:
    """Return a skinner on a CUDA card. Not run on a GPU yet.

    Args:
        model: The body.
        through: What launches the kernels: extras `cuda` and `pycuda`.
        people: As many as are ever skinned at once.
        normals: Whether normals are made too.
        card: CUDA's number of the card.

    Raises:
        MissingExtraError: The library is not installed.
        EngineError: There is no driver or no card, or it is too old or too full.
    """
    device: Device
    device = PyCudaDevice(card) if through == "pycuda" else CudaCoreDevice(card)
    try:
        return DeviceSkinner(model, device, people=people, normals=normals)
    except BaseException:
        device.close()
        raise
