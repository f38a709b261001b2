"""Points that ride on the mesh: landmarks given as a triangle and barycentrics."""

import math

import numpy as np
import numpy.typing as npt

from pixie_runtime.types import Float32

Int32 = npt.NDArray[np.int32]

_CONTOUR_LIMIT_DEGREES = 39


def surface_points(
    vertices: Float32, faces: Int32, faces_idx: Int32, bary_coords: Float32
) -> Float32:
    """Return points (..., 3) given by triangles (...) and corner weights (..., 3)."""
    corners = vertices[faces[faces_idx]]
    return np.asarray((corners * bary_coords[..., None]).sum(-2), np.float32)


def contour_row(R_head: Float32, to_viewer: Float32) -> int:
    """Return which of the 79 rows of the face contour's table a viewer sees.

    The table holds the jaw line for each degree of yaw: rows 0 to 39 for heads turned
    to their own right, 40 to 78 for 1 to 39 degrees to their left (spec: pixie-network,
    section 7; written there for a viewer along z).

    Args:
        R_head: The head's rotation in the posed frame, (3, 3).
        to_viewer: Unit vector from the head to the viewer in the posed frame, (3,).
    """
    sine = float(np.clip(R_head[:, 0] @ to_viewer, -1.0, 1.0))
    # Python rounds half to even, as the table's makers do.
    yaw = round(min(math.degrees(math.asin(sine)), _CONTOUR_LIMIT_DEGREES))
    if yaw >= 0:
        return yaw
    return _CONTOUR_LIMIT_DEGREES + min(-yaw, _CONTOUR_LIMIT_DEGREES)
