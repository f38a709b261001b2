"""The weights in [0, 1] of displacement fields that sum to a given one best."""

import numpy as np
import numpy.typing as npt

from pixie_runtime.types import Float64

_TOLERANCE = 1e-9
"""Of a gradient, relative to the largest number on the Gram matrix's diagonal."""
_PATIENCE = 3
"""Steps without progress before bounds are exchanged one by one."""

_LOW, _FREE, _HIGH = -1, 0, 1


def box_least_squares(gram: Float64, product: Float64) -> Float64:
    """Return the s (n,) in [0, 1] that minimises s' gram s - 2 product' s.

    With the fields as the rows of U and a displacement d, `gram` is U U' and `product`
    is U d: then U' s comes as near to d as weights in [0, 1] allow. Block principal
    pivoting (Judice and Pires 1994): a guess which weights lie on a bound, a solution
    for the others, and an exchange of all that contradict the guess; one at a time
    where that does not help, which is certain to end.

    Args:
        gram: Symmetric and positive definite, (n, n).
        product: (n,)
    """
    tolerance = _TOLERANCE * float(gram.diagonal().max())
    state = np.full(len(product), _FREE)
    fewest, patience = len(product) + 1, _PATIENCE
    while True:
        s = _solved(gram, product, state)
        wrong = _corrected(s, gram @ s - product, state, tolerance) - state
        count = int(np.count_nonzero(wrong))
        if not count:
            return np.clip(s, 0.0, 1.0)
        if count < fewest:
            fewest, patience = count, _PATIENCE
        elif patience:
            patience -= 1
        else:
            wrong[: np.flatnonzero(wrong)[-1]] = 0
        state = state + wrong


def _solved(gram: Float64, product: Float64, state: npt.NDArray[np.intp]) -> Float64:
    """Return the best s with those on a bound held there."""
    s = np.asarray(state == _HIGH, np.float64)
    free = np.flatnonzero(state == _FREE)
    if len(free):
        held = product[free] - gram[free] @ s
        s[free] = np.linalg.solve(gram[np.ix_(free, free)], held)
    return s


def _corrected(
    s: Float64, gradient: Float64, state: npt.NDArray[np.intp], tolerance: float
) -> npt.NDArray[np.intp]:
    """Return the states that s and the gradient at s ask for."""
    outside = np.where(
        s < -_TOLERANCE, _LOW, np.where(s > 1 + _TOLERANCE, _HIGH, _FREE)
    )
    inward = np.where(
        state == _LOW, gradient < -tolerance, (state == _HIGH) & (gradient > tolerance)
    )
    return np.where(state == _FREE, outside, np.where(inward, _FREE, state))
