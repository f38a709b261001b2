"""Torch modules to ONNX files with named tensors and a free batch axis."""

import logging
import warnings
from collections.abc import Sequence

import onnx
import torch
from torch import nn

from pixie_runtime.bundle import TensorSpec

_OPSET = 20


def export(
    module: nn.Module, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
) -> onnx.ModelProto:
    """Trace `module` into an ONNX model whose tensors bear the specs' names."""
    batch = torch.export.Dim("batch", min=1, max=1024)
    examples = tuple(
        torch.rand(2, *[int(n) for n in spec.shape[1:]]) for spec in inputs
    )
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # The exporter warns of its own internals, and of torchvision not being there.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(),
            examples,
            dynamo=True,
            opset_version=_OPSET,
            input_names=[spec.name for spec in inputs],
            output_names=[spec.name for spec in outputs],
            dynamic_shapes=tuple({0: batch} for _ in inputs),
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _forget_origins(model)
    onnx.checker.check_model(model)
    return model


def _forget_origins(model: onnx.ModelProto) -> None:
    """Drop the exporter's notes on where each node came from: paths and a megabyte."""
    del model.metadata_props[:]
    graph = model.graph
    del graph.metadata_props[:]
    del graph.value_info[:]
    for item in (*graph.node, *graph.initializer, *graph.input, *graph.output):
        del item.metadata_props[:]
        item.doc_string = ""
