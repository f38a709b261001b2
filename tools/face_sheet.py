"""Faces of the embedded body beside the ARKit weights that are read off them.

python -m tools.face_sheet docs/images/face-units.jpg
python -m tools.face_sheet docs/images/face-portraits.jpg PICTURE...

With pictures, the faces are those of the people in them, as they are estimated.
"""

import argparse
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from pixie_runtime import rotations
from pixie_runtime.body import BodyModel, embedded_body_file, embedded_body_model
from pixie_runtime.bundle import embedded_bundle
from pixie_runtime.estimator import LandmarkEstimator
from pixie_runtime.eye_estimator import EyeEstimator
from pixie_runtime.face import ARKIT_NAMES, FaceMap
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.landmarks.regions import Region
from pixie_runtime.rendering import draw_mesh
from pixie_runtime.smplx import JAW, JOINT_COUNT, JOINT_INDEX, LEFT_EYE, RIGHT_EYE
from pixie_runtime.sources.images import ImageFolder
from pixie_runtime.types import (
    Camera,
    FaceLandmarks,
    Float32,
    PartConfidence,
    Person,
    SmplxParams,
    UInt8,
)

_SIZE = 300
_TEXT_WIDTH = 190
_FINER = 3
_FIELD_OF_VIEW = 14.5
"""Degrees."""
_PAPER = (238, 240, 244)
_INK = (40, 44, 52)
_SKIN, _TONGUE, _WHITE = (214, 184, 166), (206, 120, 118), (244, 244, 240)
_COLOURS = (_SKIN, _WHITE, _WHITE, _WHITE, _WHITE, _TONGUE)
_IRIS, _PUPIL = (92, 70, 52), (20, 20, 20)


@dataclass(frozen=True, slots=True)
class Face:
    """What a face does."""

    units: dict[str, float] = field(default_factory=dict)
    """Weights of the units that are expressions."""
    jaw: float = 0.0
    """How far the jaw is open, of `jawOpen` = 1."""
    eyes: tuple[float, float] = (0.0, 0.0)
    """Where both eyes look, radians: down, and to the person's left."""


_SMILE = {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9, "cheekSquintLeft": 0.5}
_BROWS_UP = {"browInnerUp": 0.9, "browOuterUpLeft": 0.9, "browOuterUpRight": 0.9}
FACES = (
    Face(),
    Face(jaw=1.0),
    Face({**_SMILE, "cheekSquintRight": 0.5}, jaw=0.25),
    Face({"eyeBlinkLeft": 1.0, "mouthLeft": 0.6}),
    Face({"mouthPucker": 1.0, **_BROWS_UP}),
    Face({"browDownLeft": 1.0, "browDownRight": 1.0, "mouthFrownLeft": 0.8,
          "mouthFrownRight": 0.8}, eyes=(0.0, 0.2)),
)  # fmt: skip


def person_with(face: Face, model: BodyModel) -> Person:
    """Return a person who looks into the camera with this face."""
    assert model.arkit_names is not None
    assert model.arkit_to_expression is not None
    assert model.jaw_open_angle is not None
    scores = [face.units.get(name, 0.0) for name in model.arkit_names]
    turns = rotations.identity(JOINT_COUNT)
    turns[0] = 0, 1, 0, 0
    turns[JAW] = rotations.from_rotvec(
        np.array([face.jaw * model.jaw_open_angle, 0, 0], np.float32)
    )
    look = rotations.from_rotvec(np.array([*face.eyes, 0], np.float32))
    turns[[LEFT_EYE, RIGHT_EYE]] = look
    params = SmplxParams(
        betas=np.zeros(0, np.float32),
        expression=np.array(scores, np.float32) @ model.arkit_to_expression,
        rotations=turns,
        transl=np.zeros(3, np.float32),
    )
    return Person(
        track_id=0,
        frame_index=0,
        timestamp_s=0.0,
        params=params,
        joints=np.zeros((JOINT_COUNT, 3), np.float32),
        confidence=PartConfidence(1, 1, 1, 1),
        camera=Camera.with_field_of_view(_SIZE, _SIZE, _FIELD_OF_VIEW),
    )


def portrait(
    person: Person, model: BodyModel, colours: UInt8, *, size: int = _SIZE
) -> UInt8:
    """Return the picture of a person's face, (size, size, 3) RGB."""
    shaped = model.shaped(person.params.betas, person.params.expression)
    posed = shaped.posed(person.params.rotations, np.zeros(3, np.float32))
    head = posed.joints[JOINT_INDEX["head"]]
    place = np.array([0.0, 0.018, 1.0], np.float32) - head
    vertices = shaped.posed(person.params.rotations, place).vertices()
    side = size * _FINER
    paper = np.full((side, side, 3), _PAPER, np.uint8)
    camera = Camera.with_field_of_view(side, side, _FIELD_OF_VIEW)
    fine = draw_mesh(paper, vertices, model.faces, camera, colour=colours)
    return np.asarray(
        cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA), np.uint8
    )


def colours_of(model: BodyModel) -> UInt8:
    """Return a colour for each vertex, (V, 3): skin, teeth, eyes."""
    with np.load(embedded_body_file()) as file:
        group = np.asarray(file["group"])
    colours: UInt8 = np.array(_COLOURS, np.uint8)[group]
    for eye in (LEFT_EYE, RIGHT_EYE):
        ball = np.flatnonzero(model.part == eye)
        arm = model.v_template[ball] - model.J_template[eye]
        ahead = arm[:, 2] / np.linalg.norm(arm, axis=1)
        colours[ball[ahead > 0.9]] = _IRIS
        colours[ball[ahead > 0.985]] = _PUPIL
    return colours


def table(weights: Float32, *, least: float = 0.005, rows: int = 12) -> UInt8:
    """Return the units that a face shows and their weights, as a picture.

    Those of `least` or more, and of more than `rows` the largest.
    """
    picture = np.full((_SIZE, _TEXT_WIDTH, 3), _PAPER, np.uint8)
    largest = set(np.argsort(-weights)[:rows].tolist())
    shown = [
        f"{name} {weight:.2f}"
        for place, (name, weight) in enumerate(
            zip(ARKIT_NAMES, weights.tolist(), strict=True)
        )
        if weight >= least and place in largest
    ]
    for row, line in enumerate(shown or ["all 0.00"]):
        cv2.putText(
            picture, line, (6, 40 + 20 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.42, _INK, 1,
            cv2.LINE_AA,
        )  # fmt: skip
    return picture


def sheet(columns: int = 3) -> UInt8:
    """Return all faces with their weights, in rows of `columns`."""
    model = embedded_body_model()
    face_map, colours = FaceMap.of(model, model.n_expression), colours_of(model)
    cells = []
    for face in FACES:
        person = person_with(face, model)
        drawn = portrait(person, model, colours)
        cells.append(np.hstack([drawn, table(face_map.weights(person))]))
    rows = [
        np.hstack(cells[start : start + columns])
        for start in range(0, len(cells), columns)
    ]
    return np.asarray(np.vstack(rows), np.uint8)


def sheet_of_pictures(paths: list[Path]) -> UInt8:
    """Return for each picture its face, what was estimated of it, and the weights."""
    model = embedded_body_model()
    face_map, colours = FaceMap.of(model, model.n_expression), colours_of(model)
    landmarker = PixieLandmarker()
    estimator = EyeEstimator(LandmarkEstimator(embedded_bundle(), model), model)
    rows = []
    for path in paths:
        frame = next(iter(ImageFolder(path)))
        height, width = frame.image.shape[:2]
        camera = Camera.with_field_of_view(width, height, 60)
        landmarker.reset()
        estimator.reset()
        seen = landmarker.detect(frame)
        person = estimator.estimate(seen, frame, camera)
        if person is None or seen.face is None:
            raise SystemExit(f"{path}: no face is seen")
        turns = person.params.rotations.copy()
        turns[:JAW] = rotations.identity()
        turns[0] = 0, 1, 0, 0
        none = np.zeros(0, np.float32)
        params = replace(person.params, rotations=turns, betas=none)
        facing = replace(person, params=params)
        weights = face_map.weights(person)
        drawn = portrait(facing, model, colours), table(weights, least=0.1)
        rows.append(np.hstack([_cut(frame.image, seen.face), *drawn]))
    return np.asarray(np.vstack(rows), np.uint8)


def _cut(image: UInt8, face: FaceLandmarks) -> UInt8:
    """Return the square about a face, (300, 300, 3)."""
    low, high = (f(face.image[:, :2], axis=0) for f in (np.min, np.max))
    x, y = ((low + high) / 2).tolist()
    region = Region(x, y, float(1.5 * max(high - low)), 0.0)
    return cv2.resize(
        region.crop(image, 3 * _SIZE), (_SIZE, _SIZE), interpolation=cv2.INTER_AREA
    ).astype(np.uint8)


def main() -> None:
    """Write the picture that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("pictures", type=Path, nargs="*")
    given = parser.parse_args()
    picture = sheet_of_pictures(given.pictures) if given.pictures else sheet()
    cv2.imwrite(str(given.picture), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    print(f"{given.picture}: {picture.shape[1]} x {picture.shape[0]}")


if __name__ == "__main__":
    main()
