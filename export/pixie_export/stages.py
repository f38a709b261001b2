"""The graphs of a network, ready to be run: by torch, or by an engine from ONNX."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol, Self

import torch

from pixie_export.graph import Graph
from pixie_export.graph_files import Announce, file_of, write_graphs
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.types import Float32


class Stages(Protocol):
    """Runs graphs by name."""

    def run(self, name: str, **inputs: Float32) -> dict[str, Float32]:
        """Return every output of a graph, traced ones included."""
        ...

    def __contains__(self, name: str) -> bool: ...


class TorchStages:
    """Runs the modules themselves."""

    def __init__(self, graphs: Sequence[Graph]) -> None:
        self._graphs = {graph.name: graph for graph in graphs}

    def __contains__(self, name: str) -> bool:
        return name in self._graphs

    def run(self, name: str, **inputs: Float32) -> dict[str, Float32]:
        """Return every output of a graph, traced ones included."""
        graph = self._graphs[name]
        given = [torch.from_numpy(inputs[spec.name]) for spec in graph.inputs]
        with torch.no_grad():
            results = graph.module(*given)
        specs = (*graph.outputs, *graph.traced)
        return {
            spec.name: result.numpy()
            for spec, result in zip(specs, results, strict=True)
        }


class MixedStages:
    """Runs some graphs one way and some another."""

    def __init__(self, *parts: Stages) -> None:
        """Take stages; the first that has a graph runs it."""
        self._parts = parts

    def __contains__(self, name: str) -> bool:
        return any(name in part for part in self._parts)

    def run(self, name: str, **inputs: Float32) -> dict[str, Float32]:
        """Return every output of a graph, traced ones included."""
        part = next(part for part in self._parts if name in part)
        return part.run(name, **inputs)


class OnnxStages:
    """Runs what the graphs become as ONNX, with ONNX Runtime; a context manager."""

    def __init__(
        self,
        graphs: Sequence[Graph],
        folder: Path,
        *,
        threads: int,
        announce: Announce,
    ) -> None:
        """Export the graphs with their traced outputs into `folder` and load them."""
        write_graphs(graphs, folder, traced=True, announce=announce)
        with ExitStack() as opening:
            self._engines = {
                graph.name: opening.enter_context(
                    OnnxRuntimeEngine(folder / file_of(graph), threads=threads)
                )
                for graph in graphs
            }
            self._opened = opening.pop_all()

    def __contains__(self, name: str) -> bool:
        return name in self._engines

    def run(self, name: str, **inputs: Float32) -> dict[str, Float32]:
        """Return every output of a graph, traced ones included."""
        return self._engines[name].infer(inputs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._opened.close()
