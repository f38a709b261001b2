"""FreiHAND's evaluation set: 3960 pictures of right hands with their meshes.

Layout, of the data set's page and README
(https://lmb.informatik.uni-freiburg.de/projects/freihand):
`evaluation/rgb/00000000.jpg`, `evaluation_K.json` (3960, 3, 3), and from the later
download of the evaluation set's annotations `evaluation_xyz.json` (3960, 21, 3) and
`evaluation_verts.json` (3960, 778, 3), metres in camera axes. The order of the 21
points (wrist, thumb to little finger, each from the palm to the tip) is that of the
page's figure.
"""

from pathlib import Path

import numpy as np

from pixie_train.evaluation.benchmarks.files import (
    PictureFile,
    camera_of,
    complete,
    needed,
    read_numbers,
)
from pixie_train.evaluation.cases import Case, CaseList, Truth, box_about

COUNT = 3960


def read_freihand(folder: Path, count: int | None = COUNT) -> CaseList:
    """Read the evaluation set in a folder.

    Args:
        folder: FreiHAND_pub_v2, with the evaluation set's annotations beside.
        count: how many pictures there must be; None: any.

    Raises:
        SourceError: it is incomplete.
    """
    what = "annotations of the evaluation set, a download of their own"
    K, xyz, vertices = (
        read_numbers(
            needed(folder / f"evaluation_{name}.json", "FreiHAND", what), (None, *shape)
        )
        for name, shape in (("K", (3, 3)), ("xyz", (21, 3)), ("verts", (778, 3)))
    )
    complete("FreiHAND", len(K), count, "cameras of the evaluation set")
    for name, rows in (("joints", xyz), ("meshes", vertices)):
        complete("FreiHAND", len(rows), len(K), f"{name} of the evaluation set")
    cases = []
    for index, (camera_matrix, hand, mesh) in enumerate(
        zip(K, xyz, vertices, strict=True)
    ):
        camera = camera_of(camera_matrix, (224, 224))
        picture = folder / "evaluation" / "rgb" / f"{index:08d}.jpg"
        pixels = camera.project(np.asarray(hand, np.float32))
        cases.append(
            Case(
                name=f"FreiHAND/{index:08d}",
                picture=PictureFile(needed(picture, "FreiHAND", "a picture")),
                truth=Truth(hand=hand, hand_vertices=mesh),
                camera=camera,
                box=box_about(pixels, 0.3),
                extent=box_about(pixels, 0.0),
            )
        )
    return CaseList("FreiHAND", "hand", tuple(cases))
