"""What the servers of AGORA and NoW take."""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Protocol

import numpy as np

from pixie_runtime.errors import SinkError, UsageError
from pixie_runtime.types import Float64
from pixie_train.evaluation.anatomy import Anatomy
from pixie_train.evaluation.cases import Case, Estimate
from pixie_train.evaluation.point_errors import MM
from pixie_train.evaluation.scoring import neutral_head
from pixie_train.evaluation.surface_distance import Surface
from pixie_train.smplx_space import SMPLX_VERTICES

_AGORA_WIDTH = 3840


class Submission(Protocol):
    """Takes estimates and writes them down."""

    def add(self, case: Case, estimate: Estimate) -> None:
        """Take one; raises SinkError."""
        ...

    def close(self) -> None:
        """End; raises SinkError."""
        ...


class AgoraSubmission:
    """A zip with a pickle of plain arrays a person.

    As the benchmark's `docs/prediction_format.md` has it: Image_personId_0.pkl with
    joints (24, 2) in pixels of 3840 x 2160, verts (10475, 3) and allSmplJoints3d (127,
    3) in metres and camera axes. Which 24 joints it does not say; those are the first
    24 of the 127, as the truth's.
    """

    def __init__(
        self, path: Path, anatomy: Anatomy, vertices: int = SMPLX_VERTICES
    ) -> None:
        """Begin the file.

        Args:
            path: a .zip.
            anatomy: of the body of the estimates.
            vertices: how many its server wants.

        Raises:
            UsageError: the body model is not SMPL-X's, or the file no .zip.
            SinkError: the file cannot be written.
        """
        count = anatomy.model.vertex_count
        if count != vertices or path.suffix != ".zip":
            raise UsageError(
                f"--submission {path} with the body model {anatomy.model.name} of "
                f"{count} vertices; AGORA takes a .zip of SMPL-X's {vertices}: "
                "use --body-model with the licensed model"
            )
        self._anatomy = anatomy
        self._counts: dict[str, int] = {}
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        except OSError as error:
            raise _unwritten(path, error) from error

    def add(self, case: Case, estimate: Estimate) -> None:
        """Take one person."""
        picture = Path(case.group).stem.removesuffix("_1280x720")
        number = self._counts.get(picture, 0)
        self._counts[picture] = number + 1
        joints = self._anatomy.joints127(estimate)
        larger = _AGORA_WIDTH / estimate.camera.size_px[0]
        values = {
            "joints": estimate.camera.project(joints[:24]) * np.float32(larger),
            "verts": estimate.vertices,
            "allSmplJoints3d": joints,
        }
        plain = {k: np.ascontiguousarray(v, np.float32) for k, v in values.items()}
        try:
            self._zip.writestr(
                f"predictions/{picture}_personId_{number}.pkl",
                pickle.dumps(plain, protocol=2),
            )
        except OSError as error:
            raise _unwritten(self._path, error) from error

    def close(self) -> None:
        """End the file."""
        try:
            self._zip.close()
        except OSError as error:
            raise _unwritten(self._path, error) from error


class NowSubmission:
    """A folder like the pictures': SUBJECT/CHALLENGE/IMG.obj and its landmarks.

    Each mesh is a neutral head, in millimetres, and beside it lies IMG.npy with NoW's
    seven landmarks on it, (7, 3), as the challenge's page asks.
    """

    def __init__(self, folder: Path, anatomy: Anatomy) -> None:
        """Take the folder; it is made with the first face."""
        self._folder, self._anatomy = folder, anatomy

    def add(self, case: Case, estimate: Estimate) -> None:
        """Take one face."""
        surface, landmarks = neutral_head(self._anatomy, estimate)
        parts = case.name.split("/")[-3:]
        path = self._folder.joinpath(*parts).with_suffix(".obj")
        array = io.BytesIO()
        np.save(array, (landmarks * MM).astype(np.float64), allow_pickle=False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_obj(surface), encoding="ascii")
            path.with_suffix(".npy").write_bytes(array.getvalue())
        except OSError as error:
            raise _unwritten(path, error) from error

    def close(self) -> None:
        """Nothing is open."""


def open_submission(benchmark: str, path: Path, anatomy: Anatomy) -> Submission:
    """Begin what the server of a benchmark takes.

    Raises:
        UsageError: it has none, or the body model is of no use to it.
        SinkError: it cannot be written.
    """
    if benchmark == "AGORA":
        return AgoraSubmission(path, anatomy)
    if benchmark == "NoW":
        return NowSubmission(path, anatomy)
    raise UsageError(
        f"--submission {path}: {benchmark} takes none here; expected agora or now"
    )


def _obj(surface: Surface) -> str:
    vertices: Float64 = surface.vertices * MM
    lines = [f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in vertices]
    lines += [f"f {a} {b} {c}" for a, b, c in surface.faces + 1]
    return "\n".join(lines) + "\n"


def _unwritten(path: Path, error: OSError) -> SinkError:
    return SinkError(
        f"cannot write the submission {path}: {error.strerror or error}; choose "
        "another place"
    )
