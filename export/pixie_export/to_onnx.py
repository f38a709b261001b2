"""Torch modules to ONNX files with named tensors and a free batch axis."""

import logging
import warnings
from collections.abc import Sequence
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from pixie_export.graph import Graph
from pixie_runtime.bundle import TensorSpec

_OPSET = 20
_BATCH = "batch"


def export(
    module: nn.Module, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
) -> onnx.ModelProto:
    """Trace `module` into an ONNX model whose tensors bear the specs' names."""
    model = _trace(module, inputs, outputs)
    onnx.checker.check_model(model)
    return model


def export_graph(graph: Graph, *, traced: bool = False) -> onnx.ModelProto:
    """Trace a graph, without its `traced` outputs unless they are asked for.

    The exporter folds batch norms into the convolutions before them, and nothing that
    no output needs is kept. The model is not checked: with all weights inside, a copy
    of it may be too large for that.
    """
    outputs = (*graph.outputs, *graph.traced) if traced else graph.outputs
    return _trace(_First(graph.module, len(outputs)), graph.inputs, outputs)


class _First(nn.Module):
    """The first `count` results of a module."""

    def __init__(self, module: nn.Module, count: int) -> None:
        super().__init__()
        self.module = module
        self.count = count

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the module's first results."""
        results: tuple[Tensor, ...] = self.module(*inputs)
        return results[: self.count]


def _trace(
    module: nn.Module, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
) -> onnx.ModelProto:
    batch = torch.export.Dim(_BATCH, min=1, max=1024)
    examples = tuple(
        torch.rand(2, *[int(n) for n in spec.shape[1:]]) for spec in inputs
    )
    shapes: Any = tuple({0: batch} for _ in inputs)
    if isinstance(module, _First):
        shapes = (shapes,)  # of the one starred argument
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # The exporter warns of its own internals, and of torchvision not being there.
        warnings.simplefilter("ignore")
        # Given a module, the exporter would go on after a failure to keep the batch
        # free, and fix it silently.
        traced = torch.export.export(
            module.eval(), examples, dynamic_shapes=shapes, strict=False
        )
        program = torch.onnx.export(
            traced,
            dynamo=True,
            opset_version=_OPSET,
            input_names=[spec.name for spec in inputs],
            output_names=[spec.name for spec in outputs],
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _forget_origins(model)
    _name_batch(model)
    return model


def _name_batch(model: onnx.ModelProto) -> None:
    """Call the free axis of every input and output by its name."""
    for value in (*model.graph.input, *model.graph.output):
        axis = value.type.tensor_type.shape.dim[0]
        assert axis.HasField("dim_param"), f"{value.name} has a fixed batch"
        axis.dim_param = _BATCH


def _forget_origins(model: onnx.ModelProto) -> None:
    """Drop the exporter's notes on where each node came from: paths and a megabyte."""
    del model.metadata_props[:]
    graph = model.graph
    del graph.metadata_props[:]
    del graph.value_info[:]
    for item in (*graph.node, *graph.initializer, *graph.input, *graph.output):
        del item.metadata_props[:]
        item.doc_string = ""
