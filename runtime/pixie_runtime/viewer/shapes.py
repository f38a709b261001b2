"""Who has which shape: the page is sent a rest body only when a shape changes."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from pixie_runtime.body import BodyModel
from pixie_runtime.types import Float32, Person
from pixie_runtime.viewer.wire import shape_message

_SAME_BETAS = 0.02
"""Standard deviations within which a shape counts as the one that was sent."""
_PERIOD_S = 0.5
"""A shape that keeps changing is sent twice a second."""


class Shapes:
    """The last shape message of every track in view."""

    def __init__(
        self, model: BodyModel, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._model = model
        self._clock = clock
        self._sent: dict[int, tuple[Float32, float]] = {}
        self.versions: dict[int, int] = {}
        """For each track the number of its shape."""
        self.messages: dict[str, bytes] = {}
        """The newest message of every track, by key, for pages that open later."""

    def update(self, people: Sequence[Person]) -> dict[str, bytes]:
        """Return messages, by key, about those whose shape is new."""
        now, new = self._clock(), {}
        for person in people:
            track, betas = person.track_id, person.params.betas
            known = self._sent.get(track)
            if known is not None and (
                np.abs(betas - known[0]).max(initial=0.0) <= _SAME_BETAS
                or now < known[1] + _PERIOD_S
            ):
                continue
            self._sent[track] = betas, now
            version = self.versions.get(track, 0) + 1
            self.versions[track] = version
            new[f"shape {track}"] = shape_message(track, version, self._model, betas)
        if people:
            in_view = {person.track_id for person in people}
            self._sent = {t: sent for t, sent in self._sent.items() if t in in_view}
        # Replaced as a whole: the server's thread reads it for newcomers.
        self.messages = {
            key: message
            for key, message in {**self.messages, **new}.items()
            if int(key.removeprefix("shape ")) in self._sent
        }
        return new
