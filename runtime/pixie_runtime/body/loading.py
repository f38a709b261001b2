"""Body models out of files: our own compact format and SMPL-X's, by the same code."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from pixie_runtime.body.archive import AnyArray, ModelArchive, Shape
from pixie_runtime.body.directions import Directions
from pixie_runtime.body.model import BodyModel, Int32
from pixie_runtime.errors import ModelFileError
from pixie_runtime.smplx import JOINT_COUNT, PARENTS
from pixie_runtime.types import Float32

FORMAT = "pixie-body-1"
"""What the key `format` of our own files says."""

_POSE_FEATURES = 9 * (JOINT_COUNT - 1)
_MOST_VERTICES = 200_000
"""Every field holds three numbers for each, and a model has some 900 fields: 2 GB."""

_SHAPE_SPLITS = {400: 300, 20: 10}
"""How many of SMPL-X's shapedirs are shape, by their number; others: expression."""

_FACE_TABLES: dict[str, Shape] = {
    "lmk_faces_idx": (51,),
    "dynamic_lmk_faces_idx": (79, 17),
    "mediapipe468_faces_idx": (468,),
}


@dataclass(frozen=True, slots=True, eq=False)
class _Core:
    """What the two layouts store differently."""

    name: str
    v_template: Float32
    shape_field: Float32
    expression_field: Directions
    pose_fields: tuple[Directions, ...]
    weights: Float32


def load_body_model(path: Path | str) -> BodyModel:
    """Read a body model: the embedded format or a user's SMPLX_*.npz.

    Never unpickles: of a licensed file only plain arrays are touched. Raises
    ModelFileError for anything that is not such a file, whole and consistent.
    """
    path = Path(path)
    with ModelArchive(path) as archive:
        core = _read_compact(archive) if "format" in archive else _read_smplx(archive)
        _check_skeleton(archive)
        faces = _indices(archive, "f", ("F", 3), archive.size("V"))
        J_regressor = archive.array("J_regressor", "f", (JOINT_COUNT, "V"))
        J_regressor = _float32(J_regressor)
        weights = core.weights / core.weights.sum(axis=1, keepdims=True)
        model = BodyModel(
            name=core.name,
            sha256=_sha256(path),
            v_template=core.v_template,
            faces=faces,
            shape_field=core.shape_field,
            expression_field=core.expression_field,
            pose_fields=core.pose_fields,
            weights_by_joint=np.ascontiguousarray(weights.T),
            J_regressor=J_regressor,
            J_template=J_regressor @ core.v_template,
            J_shapedirs=_regressed(J_regressor, core.shape_field),
            J_expressiondirs=_regressed(J_regressor, core.expression_field.dense()),
            part=weights.argmax(axis=1).astype(np.uint8),
            **_face_tables(archive, len(faces)),
            **_face_units(archive),
            **_mean_hands(archive),
            **_texture(archive),
        )
    for array in vars(model).values():
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    return model


def embedded_body_file() -> Path:
    """Return the file of the body model that ships inside this package."""
    assets = resources.files("pixie_runtime") / "assets"
    return Path(str(assets / "body" / "pixie_body.npz"))


@cache
def embedded_body_model() -> BodyModel:
    """Return the body model that ships inside this package."""
    return load_body_model(embedded_body_file())


def _read_compact(archive: ModelArchive) -> _Core:
    """Read our own layout: displacements as int16 steps, weights as sparse rows."""
    found = str(archive.array("format", "U", ()))
    if found != FORMAT:
        raise ModelFileError(
            f'the body model {archive.path} has format "{found}", this version reads '
            f'"{FORMAT}"; use the file of the same version of pixie-live'
        )
    v_template = _template(archive)
    step = float(archive.array("dirs_step", "f", ()))
    shape = archive.array("shapedirs_q", "i", ("n_betas", 3, "V"))
    expression = archive.array("expressiondirs_q", "i", ("n_expression", 3, "V"))
    pose = archive.array("posedirs_q", "i", (_POSE_FEATURES, 3, "V"))
    joints = _indices(archive, "weights_index", ("V", "K"), JOINT_COUNT)
    values = archive.array("weights_value", "u", ("V", "K"))
    weights = np.zeros((len(v_template), JOINT_COUNT), np.float32)
    # Unused places repeat an index with the value 0, hence a sum.
    np.add.at(weights, (np.arange(len(joints))[:, None], joints), values / 65535)
    return _Core(
        name=str(archive.array("name", "U", ())),
        v_template=v_template,
        shape_field=_float32(shape) * np.float32(step),
        expression_field=Directions.from_dense(expression, step),
        pose_fields=_by_joint(pose, step),
        weights=_checked_weights(archive, weights),
    )


def _read_smplx(archive: ModelArchive) -> _Core:
    """Read SMPL-X's layout, whatever its number of vertices."""
    v_template = _template(archive)
    dirs = archive.array("shapedirs", "f", ("V", 3, "columns"))
    n_betas = _SHAPE_SPLITS.get(dirs.shape[2])
    if n_betas is None:
        raise ModelFileError(
            f'"shapedirs" of the body model {archive.path} has {dirs.shape[2]} '
            "columns; expected 400 (300 shape, 100 expression) or 20 (10 and 10) as in "
            "SMPL-X's own files, so use an unchanged SMPLX_NEUTRAL.npz"
        )
    fields = _float32(dirs.transpose(2, 1, 0))
    pose = archive.array("posedirs", "f", ("V", 3, _POSE_FEATURES)).transpose(2, 1, 0)
    weights = _float32(archive.array("weights", "f", ("V", JOINT_COUNT)))
    return _Core(
        name=archive.path.stem,
        v_template=v_template,
        shape_field=fields[:n_betas],
        expression_field=Directions.from_dense(fields[n_betas:]),
        pose_fields=_by_joint(pose, 1.0),
        weights=_checked_weights(archive, weights),
    )


def _template(archive: ModelArchive) -> Float32:
    """Read the vertices at rest, first of all: what follows is as large in each."""
    v_template = _float32(archive.array("v_template", "f", ("V", 3)))
    if len(v_template) > _MOST_VERTICES:
        raise ModelFileError(
            f"the body model {archive.path} has {len(v_template)} vertices; expected "
            f"at most {_MOST_VERTICES} (SMPL-X has 10475), so use a coarser one"
        )
    return v_template


def _by_joint(pose: AnyArray, scale: float) -> tuple[Directions, ...]:
    rows = (slice(start, start + 9) for start in range(0, _POSE_FEATURES, 9))
    return tuple(Directions.from_dense(pose[r], scale) for r in rows)


def _regressed(J_regressor: Float32, field: Float32) -> Float32:
    """Return the joints' displacement (55, 3, k) of a vertex field (k, 3, V)."""
    # One large product: k small ones, threaded each, take seconds on a busy machine.
    moved = field.reshape(-1, field.shape[-1]) @ J_regressor.T
    return _float32(moved.reshape(*field.shape[:2], JOINT_COUNT).transpose(2, 1, 0))


def _check_skeleton(archive: ModelArchive) -> None:
    tree = archive.array("kintree_table", "iu", (2, JOINT_COUNT)).astype(np.int64)
    # The root's parent is stored as -1 or, unsigned, as 2^32 - 1.
    if tree[1].tolist() != [*range(JOINT_COUNT)] or tree[0, 1:].tolist() != [
        *PARENTS[1:]
    ]:
        raise ModelFileError(
            f'"kintree_table" of the body model {archive.path} is not the skeleton of '
            "SMPL-X; expected its 55 joints in their usual order"
        )


def _checked_weights(archive: ModelArchive, weights: Float32) -> Float32:
    if (weights < -1e-6).any() or (np.abs(weights.sum(axis=1) - 1) > 1e-2).any():
        raise ModelFileError(
            f'"weights" of the body model {archive.path} do not add up to 1 at every '
            "vertex; expected skinning weights, so get a fresh copy"
        )
    return weights


def _indices(archive: ModelArchive, key: str, shape: Shape, limit: int) -> Int32:
    array = archive.array(key, "iu", shape)
    if array.size and (array.min() < 0 or array.max() >= limit):
        raise ModelFileError(
            f'"{key}" of the body model {archive.path} points to number {array.max()}; '
            f"expected 0 to {limit - 1}, so get a fresh copy"
        )
    return np.ascontiguousarray(array, np.int32)


def _float32(array: AnyArray) -> Float32:
    """Convert to float32 in C order; files may hold either order and either width."""
    return np.ascontiguousarray(array, np.float32)


def _face_tables(archive: ModelArchive, face_count: int) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for key, shape in _FACE_TABLES.items():
        if key in archive:
            weights_key = key.replace("faces_idx", "bary_coords")
            tables[key] = _indices(archive, key, shape, face_count)
            weights = archive.array(weights_key, "f", (*shape, 3))
            tables[weights_key] = _float32(weights)
    return tables


def _face_units(archive: ModelArchive) -> dict[str, Any]:
    """Read what only our own files have: ARKit's units and the sexes' statistics."""
    if "format" not in archive:
        return {}
    names = archive.array("arkit_names", "U", ("units",))
    to_expression = archive.array("arkit_to_expression", "f", ("n_expression", "units"))
    units: dict[str, Any] = {
        "arkit_names": tuple(str(name) for name in names),
        "arkit_to_expression": _float32(to_expression.T),
        "jaw_open_angle": float(archive.array("jaw_open_angle", "f", ())),
    }
    for sex in ("male", "female"):
        mean = archive.array(f"betas_mean_{sex}", "f", ("n_betas",))
        cov = archive.array(f"betas_cov_{sex}", "f", ("n_betas", "n_betas"))
        units[f"betas_mean_{sex}"] = _float32(mean)
        units[f"betas_cov_{sex}"] = _float32(cov)
    return units


def _mean_hands(archive: ModelArchive) -> dict[str, Any]:
    sides = ("hands_meanl", "hands_meanr")
    if not all(key in archive for key in sides):
        return {}
    both = [archive.array(key, "f", (45,)) for key in sides]
    return {"hands_mean": _float32(np.concatenate(both).reshape(30, 3))}


def _texture(archive: ModelArchive) -> dict[str, Any]:
    if "vt_q" in archive:
        vt = archive.array("vt_q", "u", ("T", 2)) / np.float32(65535)
    elif "vt" in archive:
        vt = archive.array("vt", "f", ("T", 2))
    else:
        return {}
    ft = _indices(archive, "ft", ("F", 3), len(vt))
    return {"vt": _float32(vt), "ft": ft}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
