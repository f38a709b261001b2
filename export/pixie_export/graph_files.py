"""Graphs to files of one folder: a small ONNX file each, and the weights of all."""

from collections.abc import Callable, Sequence
from pathlib import Path

import onnx

from pixie_export import to_onnx
from pixie_export.graph import Graph
from pixie_export.joined import PARTS, join_whole
from pixie_export.shared_weights import WEIGHTS_NAME, WeightFile

Announce = Callable[[str], None]
"""Is told what is done next: "exporting body"."""


def silent(what: str) -> None:
    """Announce nothing."""


def file_of(graph: Graph) -> str:
    """Return the name of a graph's file."""
    return f"{graph.name}.onnx"


def write_graphs(
    graphs: Sequence[Graph],
    folder: Path,
    *,
    traced: bool = False,
    announce: Announce = silent,
) -> None:
    """Write `NAME.onnx` for every graph and one `weights.bin` into `folder`.

    The same graphs make the same bytes. One model at a time is held in memory. The
    network `whole` is joined from its parts if they are all there, without intermediate
    results.

    Args:
        graphs: what to write.
        folder: an existing folder.
        traced: keep the graphs' intermediate results as outputs too.
        announce: called with "exporting NAME" before each.
    """
    names = {graph.name for graph in graphs}
    joined = "whole" if names.issuperset(PARTS) else ""
    with WeightFile(folder / WEIGHTS_NAME) as weights:
        for graph in graphs:
            if graph.name != joined:
                announce(f"exporting {graph.name}")
                _write_graph(graph, folder, weights, traced)
    for graph in graphs:
        if graph.name == joined:
            _join(graph, folder)
        onnx.checker.check_model(str(folder / file_of(graph)))


def _write_graph(graph: Graph, folder: Path, weights: WeightFile, traced: bool) -> None:
    # The model's memory goes only when the whole model goes: at the end of this.
    model = to_onnx.export_graph(graph, traced=traced)
    weights.take_from(model)
    _save(model, folder / file_of(graph))


def _join(graph: Graph, folder: Path) -> None:
    parts = {
        name: onnx.load(folder / f"{name}.onnx", load_external_data=False)
        for name in PARTS
    }
    model = join_whole(parts, graph.inputs, graph.outputs)
    _save(model, folder / file_of(graph))


def _save(model: onnx.ModelProto, path: Path) -> None:
    path.write_bytes(model.SerializeToString(deterministic=True))
