"""The body model for the page: everything that poses a body, in one binary file.

A length, a JSON header that names the arrays, then the arrays, each beginning at a
multiple of four bytes. Displacements are int16 steps, the step chosen for each
coefficient (0.3 micrometres for a centimetre). The page computes the very mesh that
`PosedBody.vertices` does; `static/body.js` is the reader.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_runtime.body import BodyModel
from pixie_runtime.body.directions import Directions
from pixie_runtime.sinks.painting import surface_kinds
from pixie_runtime.smplx import JOINT_NAMES, PARENTS
from pixie_runtime.types import Float32

_INFLUENCES = 8
"""Joints that a vertex follows; on the embedded body no vertex follows more."""
_NEGLIGIBLE_M = 1e-4
"""A corrective that moves a vertex less, with every entry of R - I at 1, is left out:
of a user's dense model ten times as much would have to be sent."""
_UNSEEN_M = 2e-5
"""Likewise for an expression, per unit of its coefficient."""
_STEPS = 32767

Array = npt.NDArray[Any]


def body_file(model: BodyModel) -> bytes:
    """Return the file; a megabyte or two."""
    joints, weights = _strongest(model.weights)
    arrays: dict[str, Array] = {
        "faces": model.faces.astype("<u4"),
        "kinds": surface_kinds(model),
        "influences": joints,
        "weights": weights,
        "expressionJoints": model.J_expressiondirs.astype("<f4"),
        **_packed("expression", [model.expression_field], least_m=_UNSEEN_M),
        **_packed("pose", model.pose_fields, least_m=_NEGLIGIBLE_M),
    }
    blobs, entries, offset = [], {}, 0
    for name, array in arrays.items():
        blob = np.ascontiguousarray(array).tobytes()
        blob += bytes(-len(blob) % 4)
        entries[name] = {"offset": offset, "type": array.dtype.str[1:]} | {
            "length": array.size
        }
        blobs.append(blob)
        offset += len(blob)
    header = json.dumps(
        {
            "name": model.name,
            "vertices": model.vertex_count,
            "expressions": model.n_expression,
            "joints": JOINT_NAMES,
            "parents": PARENTS,
            "arrays": entries,
        }
    ).encode()
    header += b" " * (-len(header) % 4)
    return b"".join([len(header).to_bytes(4, "little"), header, *blobs])


def _strongest(weights: Float32) -> tuple[Array, Array]:
    """Return for each vertex the joints (V, 8) that move it most and their shares.

    Shares are in 65535ths; those of a vertex add up to the whole.
    """
    order = np.argsort(weights, axis=1)[:, ::-1][:, :_INFLUENCES]
    share = np.take_along_axis(weights, order, axis=1).astype(np.float64)
    share /= share.sum(axis=1, keepdims=True)
    steps = np.rint(share * 65535).astype(np.int64)
    steps[:, 0] += 65535 - steps.sum(axis=1)
    return order.astype(np.uint8), steps.astype("<u2")


def _packed(
    name: str, fields: Sequence[Directions], *, least_m: float
) -> dict[str, Array]:
    """Return the fields one behind the other.

    Rows of field i are `starts[i]` to `starts[i + 1]`; each is a vertex and, for every
    coefficient of the field, a displacement x, y, z in that coefficient's steps.
    """
    starts, vertices, values, steps = [0], [], [], []
    for field in fields:
        k = len(field.values)
        # (k, 3, n) to rows of vertices: (n, k, 3).
        moved = field.values.reshape(k, 3, len(field.vertices)).transpose(2, 0, 1)
        kept = np.abs(moved).sum(axis=1).max(axis=1, initial=0.0) > least_m
        moved = moved[kept]
        step = np.abs(moved).max(axis=(0, 2), initial=0.0) / _STEPS
        step[step == 0] = 1.0
        vertices.append(field.vertices[kept])
        values.append(np.rint(moved / step[:, None]).astype("<i2").reshape(-1))
        steps.append(step.astype("<f4"))
        starts.append(starts[-1] + len(moved))
    return {
        f"{name}Starts": np.array(starts, "<u4"),
        f"{name}Vertices": np.concatenate(vertices).astype("<u4"),
        f"{name}Values": np.concatenate(values),
        f"{name}Steps": np.concatenate(steps),
    }
