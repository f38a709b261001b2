"""What is evaluated: something that sees a picture and says who is in it."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from pixie_runtime import rotations as rot
from pixie_runtime.assembly import open_landmarker
from pixie_runtime.body import BodyModel
from pixie_runtime.landmarks import Landmarker
from pixie_runtime.network import BundleEstimator, Network, open_network
from pixie_runtime.options import Options
from pixie_runtime.smplx import BODY_JOINTS
from pixie_runtime.types import Camera, Float32, Frame, Person, SmplxParams, UInt8
from pixie_runtime.weak_perspective import WeakCamera
from pixie_train.evaluation.cases import Box, Case, Estimate

Part = Literal["whole", "head", "hand"]
"""What looks: the whole network, or one part's expert alone."""


class Subject(Protocol):
    """A network and all that it takes to run it on a picture."""

    @property
    def name(self) -> str:
        """What it is called in reports."""
        ...

    @property
    def model(self) -> BodyModel:
        """The body of its estimates."""
        ...

    def estimate(self, case: Case, picture: UInt8) -> Estimate | None:
        """Return who is in the picture, or None where nobody was seen."""
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


class BundleSubject:
    """A bundle behind the runtime's own landmarks, as in `pixie-live`.

    Every picture is seen afresh: nothing is followed, nothing smoothed. Where the
    benchmark says where the person is only that part of the picture is looked at, wider
    by `margin` of its longer side, so that who is compared is who is meant; the paper's
    boxes are likewise given.
    """

    def __init__(
        self,
        network: Network,
        landmarker: Landmarker,
        *,
        field_of_view: float = 60.0,
        margin: float | None = 0.25,
    ) -> None:
        """Take an opened network and what finds landmarks for it.

        Args:
            network: the estimator and its body.
            landmarker: finds landmarks.
            field_of_view: degrees along the longer side, where a benchmark does not
                say with which camera it was taken.
            margin: around boxes; None: whole pictures are looked at.
        """
        self._estimator: BundleEstimator = network.estimator
        self._landmarker = landmarker
        self._field_of_view, self._margin = field_of_view, margin
        self.model = network.model
        self.name = network.setup["bundle"]

    def estimate(self, case: Case, picture: UInt8) -> Estimate | None:
        """Return who is in the picture, or None where nobody was seen."""
        camera = case.camera or _guessed(picture, self._field_of_view)
        seen, shifted = picture, camera
        if case.box is not None and self._margin is not None:
            seen, shifted = cut_about(picture, camera, case.box, self._margin)
        self._landmarker.reset()
        self._estimator.reset()
        frame = Frame(0, 0.0, time.monotonic_ns(), seen)
        landmarks = self._landmarker.detect(frame)
        person = self._estimator.estimate(landmarks, frame, shifted)
        return None if person is None else estimate_of(person, self.model, camera)

    def close(self) -> None:
        """Free the networks."""
        self._estimator.close()
        self._landmarker.close()


def open_bundle_subject(options: Options, *, margin: float | None) -> BundleSubject:
    """Open the bundle that the options name, or the one that ships.

    Raises:
        PixieError: it, its body model or the landmark networks cannot be used.
    """
    network = open_network(options)
    landmarker = open_landmarker(options)
    return BundleSubject(network, landmarker, field_of_view=options.fov, margin=margin)


def subject_options(
    bundle: Path | None,
    body_model: Path | None,
    pictures: Path,
    part: Part | None,
    fov: float,
) -> Options:
    """Return the runtime's options for pictures of whole people or of a part."""
    options = Options(bundle=bundle, body_model=body_model, images=pictures, fov=fov)
    if part == "hand":
        return replace(options, part="hand")
    return replace(options, part="head") if part == "head" else options


def estimate_of(person: Person, model: BodyModel, camera: Camera) -> Estimate:
    """Return a person as what is compared: with the surface that they have."""
    params = person.params
    shaped = model.shaped(params.betas, params.expression)
    posed = shaped.posed(params.rotations, params.transl)
    turned = posed.transforms[:, :3, :3]
    return Estimate(params, posed.vertices(), posed.joints, turned, camera)


def standing(
    model: BodyModel,
    R: Float32,
    betas: Float32,
    expression: Float32,
    weak: WeakCamera,
    camera: Camera,
    joints: Sequence[int] = (0, *BODY_JOINTS),
) -> Estimate:
    """Return whom a network says it sees in a square, as the picture's camera sees it.

    Args:
        model: the body.
        R: rotations (55, 3, 3), the root's in the square's axes.
        betas: shape coefficients.
        expression: expression coefficients.
        weak: the square and its camera.
        camera: the picture's.
        joints: those whose mean depth `weak` is about.
    """
    quaternions = rot.from_matrix(R).astype(np.float32)
    shaped = model.shaped(betas, expression)
    about_origin = shaped.posed(quaternions, np.zeros(3, np.float32))
    quaternions, transl = weak.placed(about_origin, quaternions, camera, joints=joints)
    posed = shaped.posed(quaternions, transl)
    return Estimate(
        SmplxParams(shaped.betas, shaped.expression, quaternions, transl),
        posed.vertices(),
        posed.joints,
        posed.transforms[:, :3, :3],
        camera,
    )


def cut_about(
    picture: UInt8, camera: Camera, box: Box, margin: float
) -> tuple[UInt8, Camera]:
    """Return the part of a picture about a box, and its camera.

    A box outside the picture gives the whole picture.
    """
    height, width = picture.shape[:2]
    more = margin * max(box[2] - box[0], box[3] - box[1])
    low = np.floor(np.array(box[:2]) - more).clip(0, (width, height)).astype(int)
    high = np.ceil(np.array(box[2:]) + more).clip(0, (width, height)).astype(int)
    if (high - low).min() < 8:
        return picture, camera
    (x0, y0), (x1, y1) = low.tolist(), high.tolist()
    centre = (camera.centre_px[0] - x0, camera.centre_px[1] - y0)
    shifted = Camera(camera.focal_px, centre, (x1 - x0, y1 - y0))
    return np.ascontiguousarray(picture[y0:y1, x0:x1]), shifted


def _guessed(picture: UInt8, degrees: float) -> Camera:
    height, width = picture.shape[:2]
    return Camera.with_field_of_view(width, height, degrees)
