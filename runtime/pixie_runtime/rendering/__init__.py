"""Pictures of people: meshes, skeletons and text over frames, and video of them."""

from pixie_runtime.rendering.canvas import Canvas, Placement, contact_sheet, shrunk
from pixie_runtime.rendering.marks import draw_points, draw_skeleton, draw_text
from pixie_runtime.rendering.mesh import draw_mesh
from pixie_runtime.rendering.rasteriser import VisibleSurface, rasterise
from pixie_runtime.rendering.rasterising import Rasterise, open_rasteriser
from pixie_runtime.rendering.video import VideoWriter

__all__ = [
    "Canvas",
    "Placement",
    "Rasterise",
    "VideoWriter",
    "VisibleSurface",
    "contact_sheet",
    "draw_mesh",
    "draw_points",
    "draw_skeleton",
    "draw_text",
    "open_rasteriser",
    "rasterise",
    "shrunk",
]
