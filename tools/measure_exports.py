"""`python -m tools.measure_exports TAKE.npz`: what files of a take lose, and weigh.

Prints the numbers of docs/export.md: size and time of writing of each kind of file;
how far joints of the take's one shape are from those that were recorded; and, for each
choice of joints per vertex and of corrective morphs, how far a receiver's vertices are
from the body model's, in every fifth frame.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args

import numpy as np

from pixie_runtime.body import BodyModel, PosedBody, embedded_body_model
from pixie_runtime.takes import Take, load_take
from pixie_runtime.takes.bvh import write_bvh
from pixie_runtime.takes.csv import write_csv
from pixie_runtime.takes.glb import encode_glb, write_glb
from pixie_runtime.takes.skin import Skin
from pixie_runtime.takes.usd import write_usd
from pixie_runtime.types import Float32

Influences = Literal[4, 8]
_CORRECTIVES = (0, 8, 16, 32)
_STEP = 5
_WRITERS: dict[str, Callable[[Take, Path], None]] = {
    "glb": write_glb,
    "usd": write_usd,
    "bvh": write_bvh,
    "csv": write_csv,
}


def repeated(take: Take, times: int) -> Take:
    """Return a take that plays `times` times."""
    columns: dict[str, Any] = {
        field.name: np.concatenate([getattr(take, field.name)] * times)
        for field in fields(take)
        if len(np.shape(getattr(take, field.name))) and field.name != "betas"
    }
    return replace(take, **columns)


def tell_sizes(take: Take) -> None:
    """Write every kind of file; print size and time."""
    with TemporaryDirectory() as folder:
        for suffix, write in _WRITERS.items():
            path = Path(folder) / f"take.{suffix}"
            start = time.perf_counter()
            write(take, path)
            seconds, size = time.perf_counter() - start, path.stat().st_size / 1e6
            print(f"{suffix}: {len(take)} frames, {size:.2f} MB, {seconds:.1f} s")


def posed(take: Take, row: int, model: BodyModel) -> PosedBody:
    """Pose the take's one shape, the pelvis where it was."""
    shaped = model.shaped(take.betas, take.expression[row])
    transl = take.world_joints()[row, 0] - shaped.joints[0]
    return shaped.posed(take.rotations()[row], transl)


def skinned(skin: Skin, body: PosedBody, row: int) -> Float32:
    """Return the vertices (V, 3) as a receiver of the skin has them in a frame."""
    rest = skin.vertices.copy()
    for morph in skin.morphs:
        rest[morph.vertices] += morph.weights[row] * morph.offsets
    blended = np.einsum("vk,vkab->vab", skin.weights, body.motions[skin.joints])
    moved = np.einsum("vab,vb->va", blended[:, :, :3], rest) + blended[:, :, 3]
    return np.asarray(moved, np.float32)


def tell_losses(take: Take, model: BodyModel) -> None:
    """Print distances from what was recorded, and from the body model."""
    rows = range(0, len(take), _STEP)
    bodies = [posed(take, row, model) for row in rows]
    joints = np.stack([body.joints for body in bodies])
    apart = np.linalg.norm(joints - take.world_joints()[rows], axis=2) * 1000
    print(f"joints: {apart.mean():.1f} mm, at most {apart.max():.1f} mm\n")
    truth = [body.vertices() for body in bodies]
    print("| joints a vertex | corrective morphs | mean | 99 % | largest | GLB |")
    print("|---|---|---|---|---|---|")
    for influences in get_args(Influences):
        for correctives in _CORRECTIVES:
            skin = Skin.of(take, model, influences=influences, correctives=correctives)
            found = [
                skinned(skin, body, row) for body, row in zip(bodies, rows, strict=True)
            ]
            apart = np.linalg.norm(np.stack(found) - np.stack(truth), axis=2) * 1000
            print(
                f"| {influences} | {correctives} | {apart.mean():.2f} mm "
                f"| {np.percentile(apart, 99):.1f} mm | {apart.max():.1f} mm "
                f"| {len(encode_glb(take, skin)) / 1e6:.1f} MB |"
            )


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("take", type=Path)
    parser.add_argument("--repeat", type=int, help="only sizes and times, longer")
    given = parser.parse_args()
    take = load_take(given.take)
    if given.repeat:
        tell_sizes(repeated(take, given.repeat))
    else:
        tell_sizes(take)
        tell_losses(take, embedded_body_model())


if __name__ == "__main__":
    main()
