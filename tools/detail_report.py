"""What a run of `pixie-train detail` is worth on heads that nothing was chosen by.

    python -m tools.detail_report RUN --count 64 --seed 77

draws heads of people whom neither the run nor its held-out pictures have, and compares
with their true relief: the run's displacement, no displacement, and one map for
everybody, the mean relief of the run's own training heads. Who does not beat that map
has learned where people have wrinkles, not who has which.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pixie_runtime.body import embedded_body_model
from pixie_train.data.motion import load_motion_bank
from pixie_train.detail.body import DetailBody
from pixie_train.detail.heads import WrinkledHeads, draw_heads
from pixie_train.detail.seen_heads import SeenHeads
from pixie_train.detail.state import load
from pixie_train.detail.training import compare

_AVERAGED = 100
"""Training heads whose relief makes the map for everybody."""


@dataclass(frozen=True)
class _Relief:
    rmse_um: float
    correlation: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--seed", type=int, default=77)
    options = parser.parse_args()
    state = load(options.run)
    torch.set_num_threads(1)
    body, bank = DetailBody.of(state.run, embedded_body_model()), load_motion_bank()
    if state.body_model_sha256 != body.model.sha256 or state.coarse != "truth":
        parser.error("only runs on the embedded body's true faces are measured")

    def heads(folder: Path, seed: int, count: int, occluded: float) -> WrinkledHeads:
        return draw_heads(
            body.model,
            bank,
            body.surface,
            state.run.pictures,
            folder,
            seed=seed,
            count=count,
            occluded=occluded,
        )

    with tempfile.TemporaryDirectory() as folder:
        others = heads(Path(folder), options.seed, options.count, 0.0)
        seen = SeenHeads(others, body.renderer, body.coarse, 0)
        figures = compare(state.network(), body, seen)
        truth = others.heights(range(options.count))
        trained = heads(
            options.run / "heads", state.run.seed, state.run.pictures.count, 0.1
        )
        known = range(min(_AVERAGED, len(trained)))
        everybody = trained.heights(known).mean(0, keepdim=True)
        same = _relief(everybody.expand_as(truth), truth, body)
    print(f"{options.count} heads of seed {options.seed}, {state.step} steps:")
    print(f"smooth      off {figures['zero_rmse_um']:.1f} micrometres")
    print(f"one map     off {same.rmse_um:.1f}, correlation {same.correlation:.2f}")
    print(
        f"trained     off {figures['rmse_um']:.1f}, correlation "
        f"{figures['correlation']:.2f}"
    )
    print(f"pictures    {figures['zero_gap']:.2f} smooth, {figures['gap']:.2f} trained")


def _relief(found: Tensor, true: Tensor, body: DetailBody) -> _Relief:
    share = (body.surface.share > 0.5).expand_as(true)
    z, truth = found[share].double(), true[share].double()
    together = torch.corrcoef(torch.stack([z, truth]))[0, 1]
    return _Relief(float((z - truth).square().mean().sqrt()) * 1e6, float(together))


if __name__ == "__main__":
    main()
