"""Meshes of posed bodies, fast: on the processor's cores or on a CUDA card.

    skinner = open_skinner(model)
    posed = model.shaped(betas, expression).posed(rotations, transl)
    vertices = skinner.vertices(posed)

`PosedBody.vertices()` is the exact mesh in plain numpy, which needs nothing else; a
`Skinner` gives the same mesh to a tenth of a millimetre, many times as fast. See
docs/skinning.md.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Literal, Protocol

from pixie_runtime.body import BodyModel, PosedBody
from pixie_runtime.errors import MissingExtraError
from pixie_runtime.skinning.warming import WarmingSkinner
from pixie_runtime.types import Float32
from pixie_runtime.user_cache import user_cache

__all__ = ["ExactSkinner", "Skinner", "SkinnerKind", "WarmingSkinner", "open_skinner"]

SkinnerKind = Literal["auto", "numba", "numpy"]


class Skinner(Protocol):
    """Makes the meshes of one body model; any thread may ask."""

    @property
    def description(self) -> str:
        """What makes them: `numba 0.68.1 on 2 threads, int16 correctives`."""
        ...

    def vertices(self, posed: PosedBody) -> Float32:
        """Return the posed vertices, (V, 3), metres; the array belongs to the caller.

        Raises ValueError for a body of another model.
        """
        ...

    def normals(self, vertices: Float32) -> Float32:
        """Return unit normals, (V, 3): the mean of the adjoining faces', by their area.

        Args:
            vertices: What `vertices` returned, (V, 3).
        """
        ...


class ExactSkinner:
    """The reference: numpy, float32 throughout."""

    description = "numpy, float32"

    def __init__(self, model: BodyModel) -> None:
        self._model = model

    def vertices(self, posed: PosedBody) -> Float32:
        """Return the posed vertices, (V, 3), metres."""
        check_model(self._model, posed)
        return posed.vertices()

    def normals(self, vertices: Float32) -> Float32:
        """Return unit normals, (V, 3)."""
        from pixie_runtime.rendering.shading import vertex_normals

        return vertex_normals(vertices, self._model.faces)


def open_skinner(
    model: BodyModel,
    kind: SkinnerKind = "auto",
    *,
    threads: int = 2,
    cache: Path | None = None,
) -> Skinner:
    """Return what makes meshes of `model`, at once.

    Args:
        model: The body.
        kind: `auto` takes numba where it is installed (extra `fast`) and makes meshes
            in numpy until it has compiled, in a thread of its own; `numba` compiles
            before it returns; `numpy` is the exact one.
        threads: Cores that one mesh may use.
        cache: Folder of compiled code; default: in the user's cache.

    Raises:
        MissingExtraError: `numba` was asked for and is not installed.
    """
    exact = ExactSkinner(model)
    if kind == "numpy" or (kind == "auto" and find_spec("numba") is None):
        return exact
    if find_spec("numba") is None:
        raise MissingExtraError("skinning with numba", "fast")
    folder = cache if cache is not None else user_cache() / "skinning"

    # Not in the thread that warms: helpers cannot be hired once the interpreter ends.
    from pixie_runtime.skinning.crew import Crew

    crew = Crew(threads)

    def make() -> Skinner:
        from pixie_runtime.skinning.numba_skinner import NumbaSkinner

        return NumbaSkinner(model, crew, cache=folder)

    return WarmingSkinner(exact, make) if kind == "auto" else make()


def check_model(model: BodyModel, posed: PosedBody) -> None:
    """Raise ValueError unless `posed` is a body of `model`."""
    found = posed.shaped.model
    if found is not model and found.sha256 != model.sha256:
        raise ValueError(
            f"the posed body is of the model {found.name} ({found.sha256[:8]}), but "
            f"this skinner was opened for {model.name} ({model.sha256[:8]})"
        )
