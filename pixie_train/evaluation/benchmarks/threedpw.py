"""3DPW's test set: people outdoors, filmed with a telephone.

`pixie_train.data.threedpw` reads its files and says where their layout is from. The
truth is SMPL's own 24 joints, of which 14 are LSP's. Published figures regress the
14 joints from SMPL's vertices, which takes that licensed model; hips, neck and head
then lie some centimetres elsewhere.
"""

from pathlib import Path

import numpy as np

from pixie_train.data.threedpw import SEQUENCES, Sequence3dpw, read_sequences
from pixie_train.evaluation.benchmarks.files import PictureFile
from pixie_train.evaluation.cases import Case, CaseList, Truth, box_about
from pixie_train.key_points import REGRESSED_JOINTS

_FPS = 30.0


def read_3dpw(folder: Path, count: int | None = SEQUENCES["test"]) -> CaseList:
    """Read the test set in a folder.

    Args:
        folder: with sequenceFiles and imageFiles.
        count: how many sequences there must be; None: any.

    Raises:
        SourceError: it is incomplete.
        ModelFileError: a sequence's file is damaged.
    """
    sequences = read_sequences(folder, "test", count)
    cases = [
        _case(sequence, person, frame)
        for sequence in sequences
        for person in range(len(sequence.people))
        for frame in sequence.frames(person)
    ]
    return CaseList("3DPW", "joints", tuple(cases), _FPS)


def _case(sequence: Sequence3dpw, person: int, frame: int) -> Case:
    joints = sequence.joints(person, frame)
    pixels = sequence.camera.project(joints.astype(np.float32))
    return Case(
        name=f"3DPW/{sequence.name}/{person}/{frame}",
        picture=PictureFile(sequence.picture(frame)),
        truth=Truth(joints14=joints[list(REGRESSED_JOINTS)]),
        camera=sequence.camera,
        box=box_about(pixels, 0.12),
        group=f"{sequence.name}/{person}",
        number=frame,
    )
