"""Does what a `DevicePlan` says: one copy in, the networks, one copy out.

The first run puts its work on the stream piece by piece, since libraries prepare things
then; the second records it, copies included, as a CUDA graph, which from then on is one
launch a frame. Recorded addresses never move: they belong to the runner.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np

from pixie_runtime.engines import AnyArray
from pixie_runtime.engines.tensorrt_api import IExecutionContext
from pixie_runtime.engines.tensorrt_device import Device, Recording
from pixie_runtime.engines.tensorrt_library import Library
from pixie_runtime.engines.tensorrt_plan import DevicePlan, View, array_at
from pixie_runtime.errors import EngineError


class DeviceArray:
    """A result on the GPU, for whoever goes on with it there.

    Valid until the next run and while the runner is open. CuPy, PyTorch, numba and
    others take it through `__cuda_array_interface__` (version 3).
    """

    def __init__(self, address: int, view: View, stream: int) -> None:
        self.address = address
        self.shape = view.info.shape
        self.dtype = np.dtype(view.info.dtype)
        self._stream = stream

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.address, True),
            "version": 3,
            "stream": self._stream,
        }


class PlanRunner:
    """Networks on one stream over one arena."""

    def __init__(
        self,
        plan: DevicePlan,
        contexts: Mapping[str, IExecutionContext],
        device: Device,
        library: Library,
    ) -> None:
        """Take memory and tell every network its addresses.

        Args:
            plan: what lies where.
            contexts: each network at the plan's size.
            device: where they are.
            library: whose contexts they are.

        Raises:
            EngineError: there is not enough memory, or an address is refused.
        """
        self._plan, self._contexts = plan, contexts
        self._device, self._library = device, library
        self._recording: Recording | None = None
        self._runs, self._recordable = 0, True
        with ExitStack() as opened:
            self._arena = device.allocate(max(plan.n_bytes, 1))
            opened.callback(device.release, self._arena)
            self._given = device.allocate_pinned(max(plan.n_bytes_in, 1))
            opened.callback(device.release_pinned, self._given)
            n_out = plan.n_bytes - plan.output_start
            self._asked = device.allocate_pinned(max(n_out, 1))
            opened.callback(device.release_pinned, self._asked)
            for network, addresses in plan.addresses.items():
                for tensor, offset in addresses.items():
                    context = contexts[network]
                    if not context.set_tensor_address(tensor, self._arena + offset):
                        raise EngineError(
                            f"{library.title} refuses the address of {network}'s "
                            f"{tensor}: {library.reason()}"
                        )
            self._opened = opened.pop_all()
        self._in = {
            name: array_at(self._given.content, view, 0)
            for name, view in plan.inputs.items()
        }
        self._out = {
            name: array_at(self._asked.content, view, plan.output_start)
            for name, view in plan.outputs.items()
        }

    @property
    def recorded(self) -> bool:
        """Whether a run is one launch of a CUDA graph by now."""
        return self._recording is not None

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        """Run everything once; returned arrays belong to the caller.

        Args:
            inputs: every input by name, of the plan's shapes and types.

        Raises:
            EngineError: the GPU or the library failed.
        """
        with self._device.lock:
            return self._run(inputs)

    def _run(self, inputs: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        for name, array in self._in.items():
            np.copyto(array, inputs[name], casting="no")
        if self._recording is None and self._recordable and self._runs > 0:
            self._recording = self._device.record(self._enqueue)
            self._recordable = self._recording is not None
        if self._recording is None:
            self._enqueue()
        else:
            self._recording.launch()
        self._device.synchronise()
        self._runs += 1
        return {name: array.copy() for name, array in self._out.items()}

    def on_device(self) -> dict[str, DeviceArray]:
        """Return the last run's results that stay on the GPU, by name."""
        return {
            name: DeviceArray(self._arena + view.offset, view, self._device.stream)
            for name, view in self._plan.kept.items()
        }

    def close(self) -> None:
        """Free memory and recording."""
        if self._recording is not None:
            self._recording.close()
            self._recording = None
        self._in, self._out = {}, {}
        self._opened.close()

    def _enqueue(self) -> None:
        if self._plan.n_bytes_in:
            self._device.copy_in(self._arena, self._given)
        for network in self._plan.order:
            if not self._contexts[network].execute_async_v3(self._device.stream):
                raise EngineError(
                    f"{self._library.title} failed in {network}: "
                    f"{self._library.reason()}"
                )
        if self._plan.outputs:
            start = self._arena + self._plan.output_start
            self._device.copy_out(self._asked, start)
