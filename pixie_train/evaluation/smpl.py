"""SMPL's surface out of a user's own files, as far as a regressor looks at it.

3DPW's published figures are of 14 joints that a regressor takes from the surface of the
woman's or man's SMPL in the data set's pose and shape. Inferred: that it is the
14 x 6890 matrix that goes about as `SMPL_to_J14.pkl`, its rows in the order of
`key_points.REGRESSED_JOINTS` as SMPLX_to_J14.pkl's are. The files are licensed; the
user puts them in one folder:

    SMPL_FEMALE.npz, SMPL_MALE.npz, or .pkl    v_template (6890, 3), shapedirs
        (6890, 3, n), posedirs (6890, 3, 207), J_regressor (24, 6890), weights
        (6890, 24), kintree_table (2, 24)

A .pkl is read without running it; the sparse matrix and chumpy's arrays that SMPL's own
files hold are recorded like numpy's. Nobody has tried that on the real ones yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from scipy.sparse import csc_matrix

from pixie_runtime import rotations
from pixie_runtime.body.archive import AnyArray
from pixie_runtime.errors import ModelFileError
from pixie_runtime.types import Float64
from pixie_train.array_pickle import PlainValues, read_array, read_recorded

JOINTS = 24
_MOST_VERTICES = 100_000
REGRESSOR_FILE = "SMPL_to_J14.pkl"
GENDERS = {"f": "SMPL_FEMALE", "m": "SMPL_MALE"}
_NAMES = (
    "v_template",
    "shapedirs",
    "posedirs",
    "J_regressor",
    "weights",
    "kintree_table",
)


class _Attributes:
    """What a pickle says of an object with attributes."""

    def __new__(cls, *_: Any) -> Self:
        """Take nothing of what it is made of."""
        return super().__new__(cls)

    def __init__(self, *_: Any) -> None:
        self.state: Mapping[str, Any] = {}

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Sparse(_Attributes):
    pass


class _Chumpy(_Attributes):
    pass


def _reconstructor(made: Any, *_: Any) -> Any:
    return made()


_RECORDERS: dict[tuple[str, str], Any] = {
    ("scipy.sparse.csc", "csc_matrix"): _Sparse,
    ("scipy.sparse._csc", "csc_matrix"): _Sparse,
    ("chumpy.ch", "Ch"): _Chumpy,
    ("copy_reg", "_reconstructor"): _reconstructor,
    ("__builtin__", "object"): _Attributes,
}


@dataclass(frozen=True, eq=False)
class SmplPoints:
    """Points that are linear in SMPL's posed vertices, and what poses those."""

    regressor: Float64
    """(n, v): of the vertices that any of the points depends on."""
    template: Float64
    """(v, 3)."""
    shapedirs: Float64
    """(v, 3, b)."""
    posedirs: Float64
    """(v, 3, 207)."""
    weights: Float64
    """(v, 24)."""
    joints: Float64
    """Of the mean shape, (24, 3)."""
    joint_dirs: Float64
    """How they move with shape, (24, 3, b)."""
    parents: tuple[int, ...]

    @classmethod
    def read(cls, path: Path, regressor: AnyArray) -> Self:
        """Read a body, .npz or .pkl.

        Raises:
            ModelFileError: it is damaged, or of another kind or size.
        """
        arrays = _arrays(path)
        try:
            vertices = len(arrays["v_template"])
            for name, shape in (
                ("v_template", (vertices, 3)),
                ("posedirs", (vertices, 3, 9 * (JOINTS - 1))),
                ("J_regressor", (JOINTS, vertices)),
                ("weights", (vertices, JOINTS)),
                ("kintree_table", (2, JOINTS)),
            ):
                if arrays[name].shape != shape:
                    raise _refusal(path, f'"{name}" is {arrays[name].shape}')
            if arrays["shapedirs"].shape[:2] != (vertices, 3):
                raise _refusal(path, f'"shapedirs" is {arrays["shapedirs"].shape}')
        except KeyError as error:
            raise _refusal(path, f"it has no {error}") from error
        if regressor.ndim != 2 or regressor.shape[1] != vertices:
            raise _refusal(path, f"{vertices} vertices, not {regressor.shape[-1]}")
        used = np.flatnonzero(regressor.any(0))
        shapedirs = arrays["shapedirs"].astype(np.float64)
        J = arrays["J_regressor"].astype(np.float64)
        return cls(
            regressor[:, used].astype(np.float64),
            arrays["v_template"][used].astype(np.float64),
            shapedirs[used],
            arrays["posedirs"][used].astype(np.float64),
            arrays["weights"][used].astype(np.float64),
            J @ arrays["v_template"].astype(np.float64),
            np.einsum("jv,vcb->jcb", J, shapedirs),
            (-1, *(int(parent) for parent in arrays["kintree_table"][0, 1:])),
        )

    def posed(self, pose: Float64, betas: Float64, transl: Float64) -> Float64:
        """Return the points (n, 3).

        Args:
            pose: axis-angles of the joints, the root first, (24, 3).
            betas: shape; as many as there are of both are used.
            transl: added to every point, (3,).
        """
        n = min(len(betas), self.shapedirs.shape[-1])
        shape = np.asarray(betas[:n], np.float64)
        rest = self.template + self.shapedirs[..., :n] @ shape
        joints = self.joints + self.joint_dirs[..., :n] @ shape
        R = rotations.to_matrix(rotations.from_rotvec(np.asarray(pose, np.float64)))
        rest = rest + self.posedirs @ (R[1:] - np.eye(3)).ravel()
        turns, places = [R[0]], [joints[0]]
        for joint in range(1, JOINTS):
            parent = self.parents[joint]
            bone = joints[joint] - joints[parent]
            turns.append(turns[parent] @ R[joint])
            places.append(places[parent] + turns[parent] @ bone)
        shift = np.stack(places) - np.einsum("jab,jb->ja", np.stack(turns), joints)
        mixed = np.einsum("vj,jab->vab", self.weights, np.stack(turns))
        vertices = np.einsum("vab,vb->va", mixed, rest) + self.weights @ shift
        points: Float64 = self.regressor @ vertices + self.regressor.sum(1)[
            :, None
        ] * np.asarray(transl, np.float64)
        return points


def smpl_of(folder: Path | None) -> dict[str, SmplPoints] | None:
    """Return women's and men's points by 3DPW's letters; None: the files are not there.

    Raises:
        ModelFileError: some are there and others not, or one is damaged.
    """
    if folder is None or not (folder / REGRESSOR_FILE).exists():
        return None
    regressor = read_array(folder / REGRESSOR_FILE)
    bodies = {}
    for letter, name in GENDERS.items():
        places = [folder / f"{name}{suffix}" for suffix in (".npz", ".pkl")]
        there = [path for path in places if path.exists()]
        if not there:
            raise ModelFileError(
                f"{folder} has {REGRESSOR_FILE} and neither {name}.npz nor {name}.pkl; "
                "put SMPL's models for women and men beside it"
            )
        bodies[letter] = SmplPoints.read(there[0], regressor)
    return bodies


def _arrays(path: Path) -> dict[str, AnyArray]:
    if path.suffix == ".pkl":
        recorded, plain = read_recorded(path, _RECORDERS)
        try:
            return {name: _array(recorded[name], plain) for name in _NAMES}
        except (KeyError, TypeError, ValueError) as error:
            raise _refusal(path, str(error)) from error
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in _NAMES if name in archive.files}
    # A damaged archive can fail in any way that a parser can.
    except Exception as error:
        raise _refusal(path, str(error)) from error


def _array(value: Any, plain: PlainValues) -> AnyArray:
    """Return an array that is stored as numpy's, as chumpy's, or sparse."""
    if isinstance(value, _Chumpy):
        value = value.state["x"]
    if not isinstance(value, _Sparse):
        return np.asarray(plain.of(value))
    data, rows, starts = (
        np.asarray(plain.of(value.state[n])) for n in ("data", "indices", "indptr")
    )
    shape = plain.of(value.state["_shape"])
    if int(shape[0]) != JOINTS or not 0 < int(shape[1]) <= _MOST_VERTICES:
        raise ValueError(f"a sparse array is {shape}")
    matrix = csc_matrix((data, rows, starts), shape=(int(shape[0]), int(shape[1])))
    # Places outside of the matrix would be written to without a question.
    matrix.check_format(full_check=True)
    return np.asarray(matrix.toarray())


def _refusal(path: Path, found: str) -> ModelFileError:
    return ModelFileError(
        f"{path} is not a model of SMPL ({found}); expected {', '.join(_NAMES)} of one "
        "body, so get a fresh copy"
    )
