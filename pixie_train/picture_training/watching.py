"""How a run is doing, for whoever watches it: a bar, sample overlays, a plot."""

from pathlib import Path
from typing import Self

from tqdm import tqdm

from pixie_train.batch import Batch
from pixie_train.output_files import made_folder, write_png
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.config import StageRun
from pixie_train.picture_training.log import PLOT, plot
from pixie_train.picture_training.overlays import Overlays
from pixie_train.picture_training.passes import FaceTerms, StagePass
from pixie_train.picture_training.state import RunState

SAMPLES = "samples"


class Watch:
    """Shows a run; of several processes the first one's alone."""

    def __init__(
        self,
        run: StageRun,
        body: TrainingBody,
        faces: FaceTerms | None,
        held_out: Batch,
        folder: Path,
        *,
        hidden: bool,
    ) -> None:
        """Look at the batch `held_out`, and write to a run's folder."""
        self._run, self._body, self._faces = run, body, faces
        self._held_out, self._folder = held_out, folder
        self._draw = None if hidden else Overlays(body, held_out.kind)
        self._bar = tqdm(total=run.steps, unit="step", smoothing=0.05, disable=hidden)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def report(self, step: int, figures: dict[str, float]) -> None:
        """Move the bar."""
        bar = self._bar
        if bar.n == 0:  # what an earlier run did is no work of this one's
            bar.initial = bar.n = max(0, step - self._run.log_every)
        bar.update(step - bar.n)
        bar.set_postfix(loss=f"{figures['loss']:.3f}")

    def show(self, state: RunState) -> None:
        """Draw what the averaged network says, and all losses so far.

        Raises:
            SinkError: a picture cannot be written.
        """
        if self._draw is None:
            return
        network = state.network_with_average()
        passes = StagePass(self._run, network, self._body, self._faces)
        passes.to_device(next(network.parameters()).device)
        picture = self._draw(passes, self._held_out)
        samples = made_folder(self._folder / SAMPLES, "give another --out")
        write_png(picture, samples / f"{state.step:07d}.png")
        plot(state.history, self._folder / PLOT)
