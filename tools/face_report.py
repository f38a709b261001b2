"""What the face of a take shows in ARKit's units, and how well they say it.

pixie-live --video FILE --record take.npz; python -m tools.face_report take.npz
"""

import argparse
import time
from pathlib import Path

import numpy as np

from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.face import ARKIT_INDEX, ARKIT_NAMES, FaceMap
from pixie_runtime.face.displacements import own_displacements
from pixie_runtime.takes import Take, load_take
from pixie_runtime.types import Float32, Float64

_MOVES_M = 1e-3
"""Vertices that no unit moves as far do not count."""


def mesh_errors(take: Take, weights: Float32, model: BodyModel) -> dict[str, Float64]:
    """Return how far vertices of the face are from the estimated ones, (T, V) metres.

    By what the expression is said with: our weights; the units' exact scores, clamped
    to [0, 1]; nothing.
    """
    moved = own_displacements(model)
    assert model.arkit_to_expression is not None
    exact = take.expression @ np.linalg.inv(model.arkit_to_expression)
    ours = weights[:, [ARKIT_INDEX[name] for name in moved.names]]
    reach = np.linalg.norm(moved.units.reshape(len(moved.names), 3, -1), axis=1)
    face = reach.max(axis=0) > _MOVES_M
    target = take.expression @ moved.expression
    said = {"least squares": ours, "clamped": np.clip(exact, 0, 1), "none": 0 * exact}
    return {
        how: np.linalg.norm(
            (scores @ moved.units - target).reshape(len(take), 3, -1)[:, :, face],
            axis=1,
        )
        for how, scores in said.items()
    }


def main() -> None:
    """Print the report of the take that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("take", type=Path)
    take = load_take(parser.parse_args().take)
    model = embedded_body_model()
    face_map = FaceMap.of(model, take.expression.shape[1])
    people = [take.person(row) for row in range(len(take))]
    rows, moments = [], [time.perf_counter()]
    for person in people:
        rows.append(face_map.weights(person))
        moments.append(time.perf_counter())
    weights = np.stack(rows)
    print(f"{len(take)} frames, {np.median(np.diff(moments)) * 1e3:.2f} ms (median)\n")
    for how, error in mesh_errors(take, weights, model).items():
        mean, rms = error.mean() * 1e3, np.sqrt(np.square(error).mean()) * 1e3
        print(f"{how:>14}: {mean:.3f} mm mean, {rms:.3f} mm RMS off the estimated mesh")
    print(f"\n{'unit':>20}   mean     sd    max")
    for unit in np.argsort(-weights.mean(axis=0)):
        of = weights[:, unit]
        mean, sd, most = of.mean(), of.std(), of.max()
        print(f"{ARKIT_NAMES[unit]:>20} {mean:6.2f} {sd:6.2f} {most:6.2f}")


if __name__ == "__main__":
    main()
