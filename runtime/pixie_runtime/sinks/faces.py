"""The faces of the people in view, worked out once for all outputs."""

from collections.abc import Callable

from pixie_runtime.face import FaceMap
from pixie_runtime.types import Float32, Person

FaceWeights = Callable[[Person], Float32]
"""Returns a person's weights (52,) in [0, 1], in the order of ARKIT_NAMES."""


class Faces:
    """Works out each person's weights when first asked, and remembers the newest."""

    def __init__(self, face_map: FaceMap) -> None:
        self._map = face_map
        self._newest: dict[int, tuple[Person, Float32]] = {}

    def __call__(self, person: Person) -> Float32:
        """Return the person's weights (52,)."""
        known = self._newest.get(person.track_id)
        if known is not None and known[0] is person:
            return known[1]
        self._forget_older_than(person)
        weights = self._map.weights(person)
        weights.setflags(write=False)
        self._newest[person.track_id] = (person, weights)
        return weights

    def _forget_older_than(self, person: Person) -> None:
        for track_id, (other, _) in tuple(self._newest.items()):
            if other.frame_index != person.frame_index:
                del self._newest[track_id]
