"""A person's shape changes seldom: the shaped mesh is kept until it does."""

from collections import OrderedDict
from collections.abc import Callable

from pixie_runtime.body import ShapedBody
from pixie_runtime.types import Float32


class RestMeshes:
    """The rest meshes of the few people that were drawn last, without expressions.

    Not for several threads at once.
    """

    def __init__(
        self, make: Callable[[Float32], Float32], *, capacity: int = 8
    ) -> None:
        """Keep meshes.

        Args:
            make: Makes the mesh, in any layout, of betas (n_betas,).
            capacity: How many; the one asked for longest ago makes room.
        """
        self._make = make
        self._capacity = capacity
        self._meshes: OrderedDict[bytes, Float32] = OrderedDict()

    def of(self, shaped: ShapedBody) -> Float32:
        """Return the mesh of this shape, made now or at an earlier call."""
        key = shaped.betas.tobytes()
        mesh = self._meshes.get(key)
        if mesh is None:
            mesh = self._meshes[key] = self._make(shaped.betas)
            if len(self._meshes) > self._capacity:
                self._meshes.popitem(last=False)
        self._meshes.move_to_end(key)
        return mesh
