"""Pictures of ticks: every person's body over the frame, for videos and windows."""

import numpy as np

from pixie_runtime.body import BodyModel
from pixie_runtime.rendering import Canvas, draw_mesh
from pixie_runtime.sinks import Tick
from pixie_runtime.smplx import LEFT_EYE, RIGHT_EYE
from pixie_runtime.types import Person, UInt8

_SKINS = ((205, 190, 178), (150, 195, 225), (225, 175, 140), (165, 215, 165))
"""Of the first, second, ... person by track id; then from the front again."""
_EYE_WHITE, _IRIS = (245, 245, 245), (60, 70, 90)
_IRIS_SHARE = 0.12
"""Of the eyeball's depth, from its front: where the iris is."""


class Painter:
    """Paints ticks, all in the size that the first one asks for."""

    def __init__(self, model: BodyModel, *, opacity: float, max_side: int) -> None:
        """Prepare to paint bodies of `model`.

        Args:
            model: The body that the people's parameters belong to.
            opacity: How much of the picture a body hides, 0 to 1.
            max_side: Larger pictures are shrunk to this many pixels.
        """
        self._model = model
        self._opacity = opacity
        self._max_side = max_side
        self._canvas: Canvas | None = None
        self._colours = [body_colours(model, skin) for skin in _SKINS]

    def paint(self, tick: Tick) -> UInt8:
        """Return the frame with every person's body, the nearest drawn last."""
        image = tick.frame.image
        if self._canvas is None:
            height, width = image.shape[:2]
            self._canvas = Canvas.for_picture(width, height, self._max_side)
        picture, placement = self._canvas.place(image)
        for person in sorted(tick.people, key=_distance, reverse=True):
            params = person.params
            body = self._model.shaped(params.betas, params.expression)
            picture = draw_mesh(
                picture,
                body.posed(params.rotations, params.transl).vertices(),
                self._model.faces,
                placement.camera(person.camera),
                colour=self._colours[person.track_id % len(self._colours)],
                opacity=self._opacity,
            )
        return picture


def body_colours(model: BodyModel, skin: tuple[int, int, int]) -> UInt8:
    """Return each vertex's colour, (V, 3) RGB: skin, and eyes that look like eyes.

    Eyeballs in the colour of the skin look like closed lids.
    """
    colours = np.tile(np.array(skin, np.uint8), (model.vertex_count, 1))
    for eye in (LEFT_EYE, RIGHT_EYE):
        ball = np.flatnonzero(model.part == eye)
        if not len(ball):
            continue
        depth = model.v_template[ball, 2]
        front = depth.max() - _IRIS_SHARE * np.ptp(depth)
        colours[ball] = _EYE_WHITE
        colours[ball[depth >= front]] = _IRIS
    return colours


def _distance(person: Person) -> float:
    return float(person.joints[0, 2])
