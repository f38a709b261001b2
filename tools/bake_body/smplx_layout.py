"""`python -m tools.bake_body.smplx_layout IN OUT`: pixie_body.npz as an SMPL-X file.

The result has the keys, shapes and float32 values that the `smplx` package and other
tools read from SMPLX_NEUTRAL.npz: shape components in columns 0.. of `shapedirs`
(V, 3, 400), expression components in columns 300.. .
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[np.generic]]

_SHAPE_COLUMNS = 300
_COLUMNS = 400
_COPIED = (
    "J_regressor",
    "kintree_table",
    "lmk_faces_idx",
    "lmk_bary_coords",
    "dynamic_lmk_faces_idx",
    "dynamic_lmk_bary_coords",
    "hands_meanl",
    "hands_meanr",
    "hands_componentsl",
    "hands_componentsr",
)


def convert(body: Arrays) -> Arrays:
    """Return the arrays of an SMPL-X file from those of a `pixie-body-1` file."""
    step = np.float32(body["dirs_step"])
    vertices = len(body["v_template"])
    shapedirs = np.zeros((vertices, 3, _COLUMNS), np.float32)
    for first, key in ((0, "shapedirs_q"), (_SHAPE_COLUMNS, "expressiondirs_q")):
        columns = np.asarray(body[key], np.float32) * step
        shapedirs[:, :, first : first + len(columns)] = columns.transpose(2, 1, 0)
    posedirs = np.asarray(body["posedirs_q"], np.float32) * step
    weights = np.zeros((vertices, body["kintree_table"].shape[1]), np.float32)
    values = np.asarray(body["weights_value"], np.float64) / 65535
    rows = np.arange(vertices)[:, None]
    np.add.at(weights, (rows, np.asarray(body["weights_index"], np.int64)), values)
    identity = np.eye(45, dtype=np.float32)
    return {
        "v_template": body["v_template"],
        "f": np.asarray(body["f"], np.uint32),
        "shapedirs": shapedirs,
        "posedirs": np.ascontiguousarray(posedirs.transpose(2, 1, 0)),
        "weights": weights,
        "vt": np.asarray(body["vt_q"], np.float32) / np.float32(65535),
        "ft": np.asarray(body["ft"], np.uint32),
        "hands_coeffsl": identity,
        "hands_coeffsr": identity,
        **{key: body[key] for key in _COPIED},
    }


def main() -> None:
    """Convert one file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("body", type=Path, metavar="IN", help="a pixie-body-1 file")
    parser.add_argument("out", type=Path, metavar="OUT", help="the .npz to write")
    options = parser.parse_args()
    with np.load(options.body) as body:
        arrays = convert(dict(body))
    np.savez(options.out, allow_pickle=False, **arrays)
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
