"""Meshes on the processor's cores: packed fields and compiled loops."""

import threading
from pathlib import Path

import numba
import numpy as np

from pixie_runtime import rotations as rot
from pixie_runtime.body import BodyModel, PosedBody
from pixie_runtime.numba_code import despite_damage
from pixie_runtime.skinning import check_model
from pixie_runtime.skinning.adjacency import Adjacency
from pixie_runtime.skinning.crew import Crew
from pixie_runtime.skinning.identity import RestMeshes
from pixie_runtime.skinning.numba_kernels import Kernels
from pixie_runtime.skinning.packing import pack, tiled
from pixie_runtime.skinning.pairing import paired
from pixie_runtime.skinning.skin_tiles import LANES
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.types import Float32

_WORTH_SHARING = 6_000_000
"""Bytes that a mesh must read of the model before several cores make it faster."""


class NumbaSkinner:
    """The same mesh as `PosedBody.vertices()` to 0.1 mm, and in its place where live.

    A shape's mesh is kept between frames; expression, pose correctives and skinning are
    one pass over the tiles.
    """

    def __init__(
        self, model: BodyModel, crew: Crew, *, cache: Path | None = None
    ) -> None:
        """Pack the model and compile, or read what was compiled before.

        Args:
            model: The body.
            crew: Shares the work out. A small body's meshes are made in the caller's
                thread alone, before another core has woken up.
            cache: Folder of compiled code; None keeps none.
        """
        self._model = model
        self._body = body = paired(pack(model, lanes=LANES))
        self._crew = crew if body.nbytes >= _WORTH_SHARING else Crew(1)
        self._adjacency: Adjacency | None = None
        self._rest = RestMeshes(lambda betas: tiled(model.identity(betas), LANES))
        self._lock = threading.Lock()
        self._kernels = self._warmed(cache)

    @property
    def description(self) -> str:
        """What makes the meshes."""
        count = self._crew.threads
        threads = f"{count} thread{'s' if count > 1 else ''}"
        return f"numba {numba.__version__} on {threads}, int16 correctives"

    def vertices(self, posed: PosedBody) -> Float32:
        """Return the posed vertices, (V, 3), metres."""
        check_model(self._model, posed)
        return self._vertices(self._kernels, posed)

    def normals(self, vertices: Float32) -> Float32:
        """Return unit normals, (V, 3)."""
        return self._normals(self._kernels, vertices)

    def _vertices(self, loops: Kernels, posed: PosedBody) -> Float32:
        with self._lock:
            rest = self._rest.of(posed.shaped)
        out = np.empty((self._model.vertex_count, 3), np.float32)
        loops.skin(
            self._body,
            coefficients=self._body.coefficients(
                posed.R_local, posed.shaped.expression
            ),
            rest=rest,
            motions=posed.motions.reshape(JOINT_COUNT, 12),
            out=out,
        )
        return out

    def _normals(self, loops: Kernels, vertices: Float32) -> Float32:
        if self._adjacency is None:
            self._adjacency = Adjacency.of(self._model.faces, self._model.vertex_count)
        out = np.empty_like(vertices)
        loops.normals(
            vertices,
            face_start=self._adjacency.face_start,
            corner_b=self._adjacency.corner_b,
            corner_c=self._adjacency.corner_c,
            out=out,
        )
        return out

    def _warmed(self, cache: Path | None) -> Kernels:
        """Return kernels that have made a mesh; compiles if need be."""
        none, origin = np.zeros(0, np.float32), np.zeros(3, np.float32)
        body = self._model.shaped(none, none).posed(rot.identity(JOINT_COUNT), origin)

        def warmed(folder: Path | None) -> Kernels:
            loops = Kernels(folder, self._crew)
            self._normals(loops, self._vertices(loops, body))
            return loops

        return despite_damage(warmed, cache)
