"""Steps of int8 weights, such that processors without VNNI add up what comes out.

x86 processors multiply unsigned bytes (activations) by signed ones (weights) and add
two such products at once. Those with VNNI add in 32 bits; all older ones, many desktop
processors among them, in 16 (VPMADDUBSW): beyond -32768 and 32767 a sum is cut
off without a word. Two products of 255 and 127 are 64,770, and a network that meets
that now and then is off by ten times what int8 costs (docs/precision.md).

So the weights that are multiplied together, two neighbouring input channels', never add
up to more than 128 = floor(32767 / 255) here, and an int8 network says the same on
every processor. Where the largest weight has a small neighbour, as most have, its step
hardly grows; it doubles at most.
"""

import numpy as np

from pixie_runtime.types import Float32

_LARGEST = 127
_MOST = 128
"""What two weights of one sign, multiplied together, may add up to."""


def weight_steps(weights: Float32) -> Float32:
    """Return the smallest step of each output channel that rounding may take.

    Args:
        weights: of a convolution, (O, I, ...).

    Returns:
        (O,): `rint(weights / steps)` is at most 127, and of two neighbouring input
        channels (0 and 1, 2 and 3, ...) at the same place at most 128 together, as far
        as they have one sign. Where input channels cannot be told apart in pairs, an
        odd number of them, no weight is above 64.
    """
    inputs = weights.shape[1]
    # In float32, as engines and `quantised` round: a tie must not be broken otherwise.
    exact = np.asarray(weights.reshape(len(weights), inputs, -1), np.float32)
    largest = np.maximum(np.abs(exact).max(axis=(1, 2)), 1e-8)
    if inputs == 1:
        return np.asarray(largest / _LARGEST, np.float32)
    if inputs % 2:
        return np.asarray(largest / (_MOST // 2), np.float32)
    steps = np.asarray(largest / _LARGEST, np.float32)
    for channel, of_channel in enumerate(exact):
        while (worst := _largest_sum(np.rint(of_channel / steps[channel]))) > _MOST:
            steps[channel] *= worst / _MOST
    return steps


def _largest_sum(rounded: Float32) -> float:
    """Return what two neighbours (I, N) of one sign add up to at most."""
    up, down = rounded.clip(0), -rounded.clip(None, 0)
    return float(max((side[0::2] + side[1::2]).max() for side in (up, down)))
