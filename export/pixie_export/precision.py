"""Weights in half the space: float16 in the file, float32 in the computation.

The weights are rounded in the network itself first, so that the exported graph and
the network it came from still compute the same thing.
"""

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn

_SMALLEST = 256
"""Smaller tensors are not worth a Cast node."""


@torch.no_grad()
def round_weights_to_half(module: nn.Module) -> None:
    """Round every large weight of `module` to the nearest float16, in place."""
    for parameter in module.parameters():
        if parameter.numel() >= _SMALLEST:
            parameter.copy_(parameter.half().float())


def store_weights_as_half(model: onnx.ModelProto) -> None:
    """Store large float32 weights as float16 behind a Cast, in place.

    ONNX Runtime folds the Cast while loading: no cost per run. A weight that float16
    does not hold exactly stays as it is.
    """
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        array = numpy_helper.to_array(tensor)
        half = array.astype(np.float16)
        if array.size < _SMALLEST or not np.array_equal(half.astype(np.float32), array):
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
        casts.append(
            helper.make_node(
                "Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT
            )
        )
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
