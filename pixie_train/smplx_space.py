"""Whose coefficients are meant: those of SMPL-X's own model, or another body's."""

from pixie_runtime.body import BodyModel

SMPLX_VERTICES = 10_475
SMPLX_TRIANGLES = 20_908


def is_smplx(model: BodyModel) -> bool:
    """Return whether a body model is SMPL-X's own, by the size of its mesh.

    Files of women, men and neutral people are not told apart.
    """
    size = (model.vertex_count, len(model.faces))
    return size == (SMPLX_VERTICES, SMPLX_TRIANGLES)
