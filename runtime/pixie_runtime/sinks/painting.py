"""Pictures of ticks: every person's body over the frame."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import numpy as np

from pixie_runtime.body import BodyModel
from pixie_runtime.rendering import Canvas, Rasterise, draw_mesh, rasterise, shrunk
from pixie_runtime.sinks import Tick
from pixie_runtime.skinning import ExactSkinner, Skinner
from pixie_runtime.smplx import (
    JAW,
    JOINT_INDEX,
    LEFT_EYE,
    LEFT_HAND_JOINTS,
    RIGHT_EYE,
    RIGHT_HAND_JOINTS,
)
from pixie_runtime.types import Camera, Person, UInt8

_SKINS = ((205, 190, 178), (150, 195, 225), (225, 175, 140), (165, 215, 165))
"""Of the first, second, ... person by track id; then from the front again."""
_JOINTS_OF = {
    "head": [JOINT_INDEX["head"], JAW, LEFT_EYE, RIGHT_EYE],
    "hand": [
        *(JOINT_INDEX["left_wrist"], *LEFT_HAND_JOINTS),
        *(JOINT_INDEX["right_wrist"], *RIGHT_HAND_JOINTS),
    ],
}
_EYE_WHITE, _IRIS = (245, 245, 245), (60, 70, 90)
_IRIS_SHARE = 0.12
"""Of the eyeball's depth, from its front: where the iris is."""


class Painter:
    """Paints ticks: for videos and windows all in one size, or each in its own."""

    def __init__(
        self,
        model: BodyModel,
        *,
        opacity: float = 0.85,
        max_side: int = 1920,
        skinner: Skinner | None = None,
        surface: Rasterise = rasterise,
    ) -> None:
        """Prepare to paint bodies of `model`.

        Args:
            model: The body that the people's parameters belong to.
            opacity: How much of the picture a body hides, 0 to 1.
            max_side: Larger pictures are shrunk to this many pixels.
            skinner: Makes the meshes; default: exactly, in numpy.
            surface: Finds what is seen of them; default: in numpy.
        """
        self._model = model
        self._skinner = ExactSkinner(model) if skinner is None else skinner
        self._surface = surface
        self._opacity = opacity
        self._max_side = max_side
        self._canvas: Canvas | None = None
        self._colours = [body_colours(model, skin) for skin in _SKINS]

    def paint(self, tick: Tick) -> UInt8:
        """Return the frame with every body, in the size that the first tick asked for.

        The nearest person is drawn last.
        """
        image = tick.frame.image
        if self._canvas is None:
            height, width = image.shape[:2]
            self._canvas = Canvas.for_picture(width, height, self._max_side)
        picture, placement = self._canvas.place(image)
        seen = ((person, placement.camera(person.camera)) for person in tick.people)
        return self._with_bodies(picture, seen)

    def paint_in_own_size(self, tick: Tick) -> UInt8:
        """Return the frame with every body, pixel for pixel unless it is too large."""
        picture, placement = shrunk(tick.frame.image, self._max_side)
        seen = ((person, placement.camera(person.camera)) for person in tick.people)
        return self._with_bodies(picture, seen)

    def _with_bodies(
        self, picture: UInt8, seen: Iterable[tuple[Person, Camera]]
    ) -> UInt8:
        for person, camera in sorted(seen, key=_distance, reverse=True):
            params = person.params
            body = self._model.shaped(params.betas, params.expression)
            posed = body.posed(params.rotations, params.transl)
            vertices = self._skinner.vertices(posed)
            picture = draw_mesh(
                picture,
                vertices,
                self._model.faces,
                camera,
                colour=self._colours[person.track_id % len(self._colours)],
                opacity=self._opacity,
                normals=self._skinner.normals(vertices),
                surface=self._surface,
            )
        return picture


def only_part(model: BodyModel, part: Literal["head", "hand"]) -> BodyModel:
    """Return a model to draw of which only the head, or only the hands, have a surface.

    Where a part is looked at alone the rest of the body is a guess, and in the way.
    """
    wanted = np.isin(model.part, _JOINTS_OF[part])
    return replace(model, faces=model.faces[wanted[model.faces].all(axis=1)])


def body_colours(model: BodyModel, skin: tuple[int, int, int]) -> UInt8:
    """Return each vertex's colour, (V, 3) RGB: skin, and eyes that look like eyes.

    Eyeballs in the colour of the skin look like closed lids.
    """
    return np.array([skin, _EYE_WHITE, _IRIS], np.uint8)[surface_kinds(model)]


def surface_kinds(model: BodyModel) -> UInt8:
    """Return what each vertex is part of, (V,): 0 skin, 1 white of an eye, 2 iris."""
    kinds = np.zeros(model.vertex_count, np.uint8)
    for eye in (LEFT_EYE, RIGHT_EYE):
        ball = np.flatnonzero(model.part == eye)
        if not len(ball):
            continue
        depth = model.v_template[ball, 2]
        front = depth.max() - _IRIS_SHARE * np.ptp(depth)
        kinds[ball] = 1
        kinds[ball[depth >= front]] = 2
    return kinds


def _distance(seen: tuple[Person, Camera]) -> float:
    return float(seen[0].joints[0, 2])
