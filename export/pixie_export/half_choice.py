"""Which nodes of a network may compute in 16 bits: asked of the people in the end.

Worth halving is what holds weights or multiplies much: the convolutions with what joins
them, and every layer by itself. All other arithmetic (normalising pictures, softmax and
temperature, Gram-Schmidt, arcus functions, chains of transforms) is a few thousand
numbers: it stays float32, and `group_costs` shows what halving it would cost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import onnx
from onnx import numpy_helper

from pixie_export.half_graph import Half, fits, float_tensors, in_half
from pixie_export.judging import Cost, Judge
from pixie_export.quantised_graph import quantisable
from pixie_export.verification import MeanLimits

_SMALLEST_WEIGHT = 4096
_AT_MOST = 0.1
"""Share of the limits that one group may cost."""


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that are halved together or not at all."""

    name: str
    nodes: frozenset[str]
    worth: bool
    """Whether halving it saves memory or time."""


@dataclass(frozen=True, slots=True)
class GroupCost:
    """What a group costs in 16 bits, all else in float32."""

    group: Group
    cost: Cost

    @property
    def kept(self) -> bool:
        """Whether it is better left in float32."""
        # A NaN is too much.
        return not self.cost.share <= _AT_MOST


def groups(model: onnx.ModelProto, to: Half) -> tuple[Group, ...]:
    """Split a model's float nodes into groups."""
    trunk = _trunk(model)
    found = [Group("convolutions", trunk, worth=True)] if trunk else []
    layers = [nodes for nodes in _layers(model, to) if not nodes & trunk]
    found += [Group(min(nodes), nodes, worth=True) for nodes in layers]
    taken = trunk.union(*layers)
    floats = float_tensors(model)
    rest: dict[str, set[str]] = {}
    for node in model.graph.node:
        if node.name not in taken and floats.issuperset(node.output):
            rest.setdefault(node.op_type, set()).add(node.name)
    return (
        *found,
        *(Group(kind, frozenset(rest[kind]), worth=False) for kind in sorted(rest)),
    )


def group_costs(
    stage: str,
    model: onnx.ModelProto,
    to: Half,
    judge: Judge,
    limits: MeanLimits,
    among: Sequence[Group],
) -> Iterator[GroupCost]:
    """Yield what each group of a network costs alone."""
    for group in among:
        report = judge.of(stage, in_half(model, group.nodes, to))
        yield GroupCost(group, Cost.of(report, limits))


def _trunk(model: onnx.ModelProto) -> frozenset[str]:
    """Return the convolutions and what lies between them."""
    found = set(quantisable(model))
    made = {name for n in model.graph.node if n.name in found for name in n.output}
    relus = {
        node.name
        for node in model.graph.node
        if node.op_type == "Relu" and node.input[0] in made
    }
    return frozenset(found | relus)


def _layers(model: onnx.ModelProto, to: Half) -> Iterator[frozenset[str]]:
    """Yield each layer with large weights, with the ReLU behind it."""
    weights = {
        tensor.name: tensor
        for tensor in model.graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT
    }
    for node in model.graph.node:
        if node.op_type not in ("Gemm", "MatMul"):
            continue
        arrays = [
            numpy_helper.to_array(weights[name])
            for name in node.input
            if name in weights
        ]
        if not any(array.size >= _SMALLEST_WEIGHT for array in arrays):
            continue
        if all(fits(array, to) for array in arrays):
            relus = {
                after.name
                for after in model.graph.node
                if after.op_type == "Relu" and after.input[0] == node.output[0]
            }
            yield frozenset({node.name} | relus)
