"""Real people for tests: the beginning of the clip that ships, captured for real."""

from dataclasses import replace
from functools import cache

import numpy as np

from pixie_runtime.assembly import open_pipeline, open_source
from pixie_runtime.options import Options
from pixie_runtime.pipeline import Progress
from pixie_runtime.sinks import Tick

FRAMES = 100


@cache
def demo_ticks() -> tuple[Tick, ...]:
    """Return the clip's first frames and who is in them, without the pictures."""
    ticks: list[Tick] = []

    def keep(progress: Progress) -> None:
        tick = progress.tick
        no_picture = np.zeros((1, 1, 3), np.uint8)
        ticks.append(replace(tick, frame=replace(tick.frame, image=no_picture)))

    options = Options(demo=True)
    with open_pipeline(options, open_source(options)) as pipeline:
        pipeline.run(max_frames=FRAMES, observe=keep)
    return tuple(ticks)
