"""Where everything lies on the GPU while networks run one after the other.

One arena, in three parts: what the host writes, what only networks read and write,
what the host reads. So a frame is one copy in, the networks, one copy out. A network's
result that another takes is never copied: both are told the same address. This is only
arithmetic; `tensorrt_runner` does what it says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

ALIGNMENT = 256
"""Bytes; TensorRT wants every tensor's address to be a multiple of it."""

HOST = "host"
DEVICE = "device"
"""Whoever goes on with a result on the GPU, such as a renderer."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor of a network at one size."""

    shape: tuple[int, ...]
    dtype: str
    """numpy's name."""

    @property
    def n_bytes(self) -> int:
        """Its size."""
        return prod(self.shape) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True, slots=True)
class NetworkTensors:
    """What goes in and out of one network, at one size, by name."""

    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]


@dataclass(frozen=True, slots=True)
class Part:
    """A tensor of a network, or one row of it."""

    network: str
    tensor: str
    row: int | None = None

    def __str__(self) -> str:
        row = "" if self.row is None else f"[{self.row}]"
        return f"{self.network}.{self.tensor}{row}"


@dataclass(frozen=True, slots=True)
class Buffer:
    """A piece of the arena."""

    name: str
    """The tensor that it was made for, `fuse.rotations`."""
    info: TensorInfo
    offset: int
    """From the arena's start, in bytes."""
    writer: str
    """The network that fills it, or `host`."""
    readers: tuple[str, ...]
    """Who reads it; empty for a result that nobody asked for."""

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.offset + self.info.n_bytes


@dataclass(frozen=True, slots=True)
class View:
    """An array inside the arena."""

    offset: int
    info: TensorInfo


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """Buffers, and who is told which address."""

    buffers: tuple[Buffer, ...]
    order: tuple[str, ...]
    """The networks, as they run."""
    addresses: Mapping[str, Mapping[str, int]]
    """Offset in the arena, by network and tensor."""
    inputs: Mapping[str, View]
    """What the host writes, by the name it knows it by."""
    outputs: Mapping[str, View]
    """What the host reads, likewise."""
    kept: Mapping[str, View] = field(default_factory=dict)
    """Results that stay on the device for others, likewise."""

    @property
    def n_bytes(self) -> int:
        """Size of the arena."""
        return _aligned(max((b.end for b in self.buffers), default=0))

    @property
    def n_bytes_in(self) -> int:
        """Size of the arena's start, which the host writes."""
        return max((b.end for b in self.buffers if b.writer == HOST), default=0)

    @property
    def output_start(self) -> int:
        """Where the arena's end begins, which the host reads."""
        found = [b.offset for b in self.buffers if HOST in b.readers]
        return min(found, default=self.n_bytes)


@dataclass(frozen=True, slots=True)
class Wiring:
    """How networks are put together; what is not named here is left alone."""

    links: Mapping[Part, Part] = field(default_factory=dict)
    """From an input to the result that it takes."""
    inputs: Mapping[str, Part] | None = None
    """The host's inputs by name; None: all that have no link, by the tensor's name, or
    of several networks as `network.tensor`."""
    outputs: Mapping[str, Part] | None = None
    """The host's results by name; None: all, likewise."""
    kept: Mapping[str, Part] = field(default_factory=dict)
    """Results that stay on the device."""


def lay_out(
    networks: Mapping[str, NetworkTensors], wiring: Wiring | None = None
) -> DevicePlan:
    """Find a place for everything.

    Args:
        networks: in the order in which they run.
        wiring: how they are put together; default: not at all.

    Raises:
        ValueError: an input without a source, a result that is read before it is
            written, shapes or types that differ, or a row that is not aligned.
    """
    wiring = wiring or Wiring()
    given, asked = _host_names(networks, wiring)
    _check_links(networks, wiring.links, given)
    readers: dict[tuple[str, str], list[str]] = {}
    for to, source in wiring.links.items():
        readers.setdefault((source.network, source.tensor), []).append(to.network)
    for reader, parts in ((HOST, asked), (DEVICE, wiring.kept)):
        for part in parts.values():
            readers.setdefault((part.network, part.tensor), []).append(reader)
    linked = {(to.network, to.tensor) for to in wiring.links}
    wanted = [
        (network, tensor, info, writer)
        for network, tensors in networks.items()
        for writer, side in ((HOST, tensors.inputs), (network, tensors.outputs))
        for tensor, info in side.items()
        if (network, tensor) not in linked
    ]

    def region(item: tuple[str, str, TensorInfo, str]) -> int:
        network, tensor, _, writer = item
        if writer == HOST:
            return 0
        return 2 if HOST in readers.get((network, tensor), ()) else 1

    buffers: dict[tuple[str, str], Buffer] = {}
    offset = 0
    for network, tensor, info, writer in sorted(wanted, key=region):
        key = network, tensor
        read_by = [network] if writer == HOST else readers.get(key, [])
        name = f"{network}.{tensor}"
        buffers[key] = Buffer(name, info, offset, writer, tuple(dict.fromkeys(read_by)))
        offset = _aligned(buffers[key].end)
    return DevicePlan(
        tuple(buffers.values()),
        tuple(networks),
        _addresses(networks, wiring.links, buffers),
        _views(given, buffers),
        _views(asked, buffers),
        _views(wiring.kept, buffers),
    )


def _host_names(
    networks: Mapping[str, NetworkTensors], wiring: Wiring
) -> tuple[Mapping[str, Part], Mapping[str, Part]]:
    given, asked = wiring.inputs, wiring.outputs
    if given is None:
        parts = [Part(n, t) for n, found in networks.items() for t in found.inputs]
        given = _named([part for part in parts if part not in wiring.links], networks)
    if asked is None:
        parts = [Part(n, t) for n, found in networks.items() for t in found.outputs]
        asked = _named(parts, networks)
    return given, asked


def _named(
    parts: list[Part], networks: Mapping[str, NetworkTensors]
) -> dict[str, Part]:
    alone = len(networks) == 1
    return {part.tensor if alone else str(part): part for part in parts}


def _check_links(
    networks: Mapping[str, NetworkTensors],
    links: Mapping[Part, Part],
    given: Mapping[str, Part],
) -> None:
    sources = {(part.network, part.tensor) for part in given.values()}
    sources |= {(part.network, part.tensor) for part in links}
    done: set[str] = set()
    for network, tensors in networks.items():
        missing = [t for t in tensors.inputs if (network, t) not in sources]
        if missing:
            raise ValueError(f"{network} takes {missing}, which nobody gives")
        for to, source in links.items():
            if to.network != network:
                continue
            if source.network not in done:
                raise ValueError(f"{to} takes {source}, which is not written yet")
            taken = tensors.inputs[to.tensor]
            found = _of(source, networks[source.network].outputs[source.tensor], 0)
            if found.info != taken:
                raise ValueError(f"{to} is {taken}, but {source} is {found.info}")
            if found.offset % ALIGNMENT:
                raise ValueError(f"{source} does not begin at {ALIGNMENT} bytes")
        done.add(network)


def _addresses(
    networks: Mapping[str, NetworkTensors],
    links: Mapping[Part, Part],
    buffers: Mapping[tuple[str, str], Buffer],
) -> Mapping[str, Mapping[str, int]]:
    found: dict[str, Mapping[str, int]] = {}
    for network, tensors in networks.items():
        own = {}
        for tensor in (*tensors.inputs, *tensors.outputs):
            part = links.get(Part(network, tensor), Part(network, tensor))
            buffer = buffers[part.network, part.tensor]
            own[tensor] = _of(part, buffer.info, buffer.offset).offset
        found[network] = MappingProxyType(own)
    return MappingProxyType(found)


def _views(
    parts: Mapping[str, Part], buffers: Mapping[tuple[str, str], Buffer]
) -> Mapping[str, View]:
    views = {}
    for name, part in parts.items():
        buffer = buffers[part.network, part.tensor]
        views[name] = _of(part, buffer.info, buffer.offset)
    return MappingProxyType(views)


def _of(part: Part, info: TensorInfo, offset: int) -> View:
    """Return where a part lies in the tensor that begins at `offset`."""
    if part.row is None:
        return View(offset, info)
    if not 0 <= part.row < info.shape[0]:
        raise ValueError(f"{part}: there are {info.shape[0]} rows")
    row = TensorInfo((1, *info.shape[1:]), info.dtype)
    return View(offset + part.row * row.n_bytes, row)


def array_at(memory: npt.NDArray[np.uint8], view: View, start: int) -> npt.NDArray:  # type: ignore[type-arg]
    """Return the array of a view in a copy of the arena that begins at `start`."""
    begin = view.offset - start
    piece = memory[begin : begin + view.info.n_bytes]
    return piece.view(view.info.dtype).reshape(view.info.shape)


def _aligned(n_bytes: int) -> int:
    return -(-n_bytes // ALIGNMENT) * ALIGNMENT
