"""Where bfloat16 would harm most: in what a network's results are sums of."""

from typing import Any

_LAYERS = ("Convolution", "GroupConvolution", "MatMul")
_FORMS = ("Add", "Multiply", "Reshape", "Sigmoid", "Squeeze", "Transpose")
"""What may come after a layer, with constants, without adding to what it says."""


def inputs_of_last_layers(network: Any) -> list[Any]:
    """Return what a float32 network's results are weighted sums of.

    Asked for as results too, these and the sums stay in float32 when the rest is
    computed in bfloat16. Sums of many large features that nearly cancel, as the body's
    landmarks in space are, would be far off otherwise (docs/engines.md).
    """
    if any(node.get_type_name() == "FakeQuantize" for node in network.get_ops()):
        return []
    layers = map(_last_layer, network.get_results())
    fed = [layer.input_value(0) for layer in layers if layer is not None]
    inner = [value for value in fed if value.get_node().get_input_size()]
    return list({_place(value): value for value in inner}.values())


def _place(value: Any) -> tuple[str, int]:
    """Return what tells a value from others; not all have names of their own."""
    return value.get_node().get_friendly_name(), value.get_index()


def _last_layer(result: Any) -> Any:
    """Return the layer of which a result is only another form; None if of none."""
    node = result.input_value(0).get_node()
    while (kind := node.get_type_name()) not in _LAYERS:
        others = range(1, node.get_input_size())
        alone = all(_is_constant(node.input_value(i)) for i in others)
        if kind not in _FORMS or not alone:
            return None
        node = node.input_value(0).get_node()
    return node


def _is_constant(value: Any, depth: int = 4) -> bool:
    """Whether a value is stored, or little is done to what is stored to get it."""
    node = value.get_node()
    if node.get_type_name() == "Constant":
        return True
    # The shape that a constant is brought into may depend on anything.
    asked = 1 if node.get_type_name() == "Reshape" else node.get_input_size()
    inputs = [node.input_value(i) for i in range(asked)]
    return bool(inputs and depth) and all(_is_constant(i, depth - 1) for i in inputs)
