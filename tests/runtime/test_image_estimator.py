from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pixie_runtime import rotations
from pixie_runtime.attention import person_box
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.bundle import Bundle, CropSpec, embedded_bundle
from pixie_runtime.crops import BodyView, Square, body_square
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.errors import BundleError
from pixie_runtime.fusion_rules import FusionRules
from pixie_runtime.image_estimator import ATTENTIONS, Attention, ImageEstimator
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.rates import Rates
from pixie_runtime.sources.images import ImageFolder
from pixie_runtime.types import (
    Camera,
    Float32,
    Frame,
    Person,
    PersonLandmarks,
    UInt8,
)
from tests.runtime.image_bundle import (
    BOXES,
    CAMERA,
    N_BETAS,
    N_EXPRESSION,
    watched_engines,
    write_image_bundle,
)
from tests.runtime.sources.media import with_exif_orientation
from tests.runtime.test_attention import body, hand_at, mesh_of, pose_of

FOOTAGE = Path(__file__).parents[1] / "footage"
VIEW = Camera.with_field_of_view(1280, 720, 50)
SPEC = CropSpec()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return write_image_bundle(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


@pytest.fixture(params=ATTENTIONS)
def estimator(
    request: pytest.FixtureRequest, bundle: Bundle, model: BodyModel
) -> Iterator[ImageEstimator]:
    attention: Attention = request.param
    estimator = ImageEstimator(bundle, model, attention=attention)
    yield estimator
    estimator.close()


def frame(index: int = 0, *, seed: int = 0) -> Frame:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (72, 128, 3), np.uint8)
    image = np.asarray(cv2.resize(coarse, (1280, 720)), np.uint8)
    return Frame(index, index / 30, 0, image)


def somebody() -> PersonLandmarks:
    """Return landmarks of a whole person, the left hand not found."""
    posed = body(7)
    pose = pose_of(posed)
    wrist = pose.image[16]
    return PersonLandmarks(
        pose=pose,
        face=mesh_of(posed),
        right_hand=hand_at(float(wrist[0]), float(wrist[1]), 40.0),
    )


def view_of(landmarks: PersonLandmarks) -> BodyView:
    box = person_box(landmarks, VIEW.size_px)
    assert box is not None
    return BodyView(body_square(box, SPEC.body_scale), SPEC)


def same(a: Person, b: Person) -> bool:
    return all(
        np.array_equal(getattr(a.params, name), getattr(b.params, name))
        for name in ("betas", "expression", "rotations", "transl")
    )


def test_two_passes_are_the_whole_network_on_the_coarse_pass_s_crops(
    bundle: Bundle, model: BodyModel
) -> None:
    landmarks, picture = somebody(), frame()
    rules = FusionRules.release()
    estimator = ImageEstimator(bundle, model, attention="two-pass", rules=rules)
    person = estimator.estimate(landmarks, picture, VIEW)
    estimator.close()
    assert person is not None

    view = view_of(landmarks)
    head, left, right = (
        view.part(picture.image, Square(*box), mirrored=mirrored).image[None]
        for box, mirrored in zip(BOXES, (False, True, False), strict=True)
    )
    with OnnxRuntimeEngine(bundle.path_of("whole")) as whole:
        expected = whole.infer(
            {
                "image_body": view.body(picture.image).image[None],
                "image_head": head,
                "image_left_hand": left,
                "image_right_hand": right,
                "present": np.ones((1, 3), np.float32),
                "rules": rules.row()[None],
            }
        )
    np.testing.assert_allclose(person.params.betas, expected["betas"][0], atol=1e-5)
    np.testing.assert_allclose(
        person.params.expression, expected["expression"][0], atol=1e-5
    )
    ours = rotations.to_matrix(person.params.rotations)[1:]
    np.testing.assert_allclose(ours, expected["rotations"][0][1:], atol=1e-5)


def test_tracked_crops_are_cut_where_the_landmarks_are(
    bundle: Bundle, model: BodyModel
) -> None:
    engines = watched_engines(bundle)
    estimator = ImageEstimator(bundle, model, engines=engines)
    landmarks, picture = somebody(), frame()
    estimator.estimate(landmarks, picture, VIEW)
    hand = landmarks.right_hand
    assert hand is not None
    view = view_of(landmarks)
    square = Square.around(view.to_hd(hand.image[:, :2]), 2.4)
    (given,) = engines["hand"].given
    np.testing.assert_array_equal(
        given["image"][-1], view.part(picture.image, square).image
    )
    (given,) = engines["fuse"].given
    np.testing.assert_array_equal(given["rules"], [FusionRules().row()])
    estimator.close()


def test_all_engines_are_closed_with_the_estimator(
    bundle: Bundle, model: BodyModel
) -> None:
    engines = watched_engines(bundle)
    ImageEstimator(bundle, model, engines=engines).close()
    assert all(engine.closed for engine in engines.values())


def test_one_pass_needs_the_coarse_one_only_for_parts_never_seen(
    bundle: Bundle, model: BodyModel
) -> None:
    engines = watched_engines(bundle)
    estimator = ImageEstimator(bundle, model, engines=engines)
    landmarks = somebody()
    estimator.estimate(landmarks, frame(0), VIEW)
    assert len(engines["coarse"].given) == 1, "where the left hand is, nobody knows"
    estimator.estimate(landmarks, frame(1), VIEW)
    assert len(engines["coarse"].given) == 1, "the last frame knows"
    estimator.estimate(landmarks, frame(40), VIEW)
    assert len(engines["coarse"].given) == 2, "the last frame was long ago"
    estimator.reset()
    estimator.estimate(landmarks, frame(41), VIEW)
    assert len(engines["coarse"].given) == 3, "the person was to be forgotten"
    found = replace(landmarks, left_hand=hand_at(700, 400, 50))
    estimator.reset()
    estimator.estimate(found, frame(42), VIEW)
    assert len(engines["coarse"].given) == 3, "everything was found"
    estimator.close()


def test_the_body_alone_needs_no_other_expert(bundle: Bundle, model: BodyModel) -> None:
    engines = watched_engines(bundle)
    rules = FusionRules.naive()
    estimator = ImageEstimator(bundle, model, rules=rules, engines=engines)
    person = estimator.estimate(somebody(), frame(), VIEW)
    estimator.close()
    assert person is not None
    used = {name for name, engine in engines.items() if engine.given}
    assert used == {"body", "fuse"}
    assert not engines["fuse"].given[0]["present"].any()
    confidence = person.confidence
    assert (confidence.left_hand, confidence.right_hand, confidence.face) == (0, 0, 0)


def test_a_part_out_of_the_picture_is_not_looked_at(
    bundle: Bundle, model: BodyModel
) -> None:
    engines = watched_engines(bundle)
    estimator = ImageEstimator(bundle, model, engines=engines)
    # The body's square reaches beyond the picture on the left and on the right.
    posed = body(7, z=1.6)
    landmarks = PersonLandmarks(pose=pose_of(posed))
    person = estimator.estimate(landmarks, frame(), VIEW)
    estimator.close()
    assert person is not None
    (given,) = engines["fuse"].given
    view = view_of(landmarks)
    for column, box in enumerate(BOXES):
        visible = view.part(frame().image, Square(*box)).visible
        assert given["present"][0, column] == (visible > 0.25)
    absent = [
        name
        for name, seen in zip(
            ("face", "left_hand", "right_hand"), given["present"][0], strict=True
        )
        if not seen
    ]
    assert all(getattr(person.confidence, name) == 0 for name in absent)


def test_left_hands_are_shown_to_the_network_mirrored(
    bundle: Bundle, model: BodyModel
) -> None:
    picture, hand = frame(), hand_at(640, 360, 60)
    mirrored = replace(hand, image=hand.image.copy())
    mirrored.image[:, 0] = 1280 - mirrored.image[:, 0]
    twin = replace(picture, image=np.ascontiguousarray(picture.image[:, ::-1]))

    def shown(landmarks: PersonLandmarks, seen: Frame, row: int) -> Float32:
        engines = watched_engines(bundle)
        estimator = ImageEstimator(bundle, model, engines=engines)
        estimator.estimate(landmarks, seen, VIEW)
        estimator.close()
        image: Float32 = engines["hand"].given[0]["image"][row]
        return image

    left = shown(PersonLandmarks(left_hand=hand), picture, 0)
    right = shown(PersonLandmarks(right_hand=mirrored), twin, -1)
    np.testing.assert_allclose(left, right, atol=1e-5)


def test_a_person_s_values_are_what_every_sink_expects(
    estimator: ImageEstimator, model: BodyModel
) -> None:
    person = estimator.estimate(somebody(), frame(3), VIEW)
    assert person is not None
    assert estimator.warning is None
    assert person.frame_index == 3
    assert person.params.betas.shape == (N_BETAS,) == (estimator.n_betas,)
    assert person.params.expression.shape == (N_EXPRESSION,)
    assert estimator.n_expression == N_EXPRESSION
    lengths = np.linalg.norm(person.params.rotations, axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-5)
    shaped = model.shaped(person.params.betas, person.params.expression)
    posed = shaped.posed(person.params.rotations, person.params.transl)
    np.testing.assert_allclose(person.joints, posed.joints, atol=1e-6)
    up = rotations.to_matrix(person.params.rotations[0])[:, 1]
    assert up[1] < -0.7
    assert 0 < person.confidence.body <= 1
    assert 0 < person.confidence.face <= 1
    assert person.params.transl.dtype == np.float32


def test_joints_project_to_where_the_network_s_camera_has_them(
    estimator: ImageEstimator, model: BodyModel
) -> None:
    landmarks = somebody()
    narrow = Camera.with_field_of_view(1280, 720, 2)
    person = estimator.estimate(landmarks, frame(), narrow)
    assert person is not None
    s, tx, ty = CAMERA
    facing = person.params.rotations.copy()
    # As far off as this, the ray to the square is the optical axis.
    shaped = model.shaped(person.params.betas, person.params.expression)
    seen = shaped.posed(facing, np.zeros(3, np.float32)).joints
    span = view_of(landmarks).projected
    expected = s * (seen[:, :2] + [tx, ty]) * span.side / 2 + [span.x, span.y]
    ours = narrow.project(person.joints)
    np.testing.assert_allclose(ours, expected, atol=0.02 * span.side)


def test_nobody_gives_nobody(estimator: ImageEstimator) -> None:
    assert estimator.estimate(PersonLandmarks(), frame(), VIEW) is None


def test_confidence_needs_a_detector_or_visible_landmarks(
    estimator: ImageEstimator,
) -> None:
    landmarks = somebody()
    pose = landmarks.pose
    assert pose is not None
    pose.visibility[[15, 17, 19, 21]] = 0
    person = estimator.estimate(landmarks, frame(), VIEW)
    assert person is not None
    assert person.confidence.left_hand == 0
    assert person.confidence.right_hand > 0


def test_another_body_gets_rotations_only_and_says_so(
    bundle: Bundle, model: BodyModel
) -> None:
    stranger = replace(model, sha256="0" * 64, name="stranger")
    estimator = ImageEstimator(bundle, stranger)
    assert estimator.warning is not None
    assert "stranger" in estimator.warning
    person = estimator.estimate(somebody(), frame(), VIEW)
    assert person is not None
    assert person.params.betas.shape == person.params.expression.shape == (0,)
    assert estimator.n_betas == estimator.n_expression == 0


def test_a_bundle_that_promises_more_than_its_body_has_is_refused(
    bundle: Bundle, model: BodyModel
) -> None:
    spec = replace(bundle.manifest.body_model, n_betas=400)
    greedy = replace(bundle, manifest=replace(bundle.manifest, body_model=spec))
    with pytest.raises(BundleError, match="400 shape"):
        ImageEstimator(greedy, model)


def test_a_bundle_of_another_kind_is_refused(model: BodyModel) -> None:
    with pytest.raises(BundleError, match="of kind 'image'"):
        ImageEstimator(embedded_bundle(), model)


@pytest.mark.parametrize("where", [(-1.4, 0.0), (1.5, 0.2), (0.0, 1.2), (0.0, -1.3)])
def test_people_cut_by_the_border_are_people(
    estimator: ImageEstimator, where: tuple[float, float]
) -> None:
    posed = body(9, x=where[0], y=where[1], z=3.0)
    landmarks = PersonLandmarks(pose=pose_of(posed), face=mesh_of(posed))
    person = estimator.estimate(landmarks, frame(), VIEW)
    assert person is not None
    assert np.isfinite(person.joints).all()
    square = view_of(landmarks).square
    pelvis = VIEW.project(person.joints)[0]
    assert abs(pelvis[0] - square.x) < 0.7 * square.side


@pytest.fixture(scope="module")
def portrait() -> UInt8:
    (seen,) = ImageFolder(FOOTAGE / "skimage_astronaut.png")
    return seen.image


def person_in(path: Path, estimator: ImageEstimator) -> Person:
    (seen,) = ImageFolder(path)
    height, width = seen.image.shape[:2]
    landmarker = PixieLandmarker()
    try:
        landmarks = landmarker.detect(seen)
    finally:
        landmarker.close()
    estimator.reset()
    camera = Camera.with_field_of_view(width, height, 60)
    person = estimator.estimate(landmarks, seen, camera)
    assert person is not None
    return person


def test_grey_transparent_and_turned_pictures_give_the_upright_rgb_one_s_person(
    tmp_path: Path, portrait: UInt8, bundle: Bundle, model: BodyModel
) -> None:
    def saved(name: str, image: UInt8) -> Path:
        assert cv2.imwrite(str(tmp_path / name), image)
        return tmp_path / name

    bgr = np.ascontiguousarray(portrait[..., ::-1])
    estimator = ImageEstimator(bundle, model)
    upright = person_in(saved("rgb.png", bgr), estimator)
    alpha = np.full((*bgr.shape[:2], 1), 9, np.uint8)
    clear = person_in(saved("rgba.png", np.concatenate([bgr, alpha], -1)), estimator)
    assert same(clear, upright)

    grey = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)
    in_grey = person_in(saved("grey.png", grey), estimator)
    in_three = person_in(
        saved("three.png", np.repeat(grey[..., None], 3, -1)), estimator
    )
    assert same(in_grey, in_three)

    lying = saved("lying.jpg", np.rot90(bgr).copy())
    stored = cv2.imread(str(lying), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    assert stored is not None
    standing = saved("standing.png", np.rot90(stored, -1).astype(np.uint8))
    lying.write_bytes(with_exif_orientation(lying.read_bytes(), 6))
    assert same(person_in(lying, estimator), person_in(standing, estimator))
    estimator.close()


def looks_of(
    bundle: Bundle, model: BodyModel, rates: str, landmarks: list[PersonLandmarks]
) -> tuple[list[Person], list[dict[str, int]]]:
    """Return people at 30 Hz, and how many crops each expert had seen by then."""
    engines = watched_engines(bundle)
    estimator = ImageEstimator(bundle, model, rates=Rates.parse(rates), engines=engines)
    people, counts = [], []
    for index, seen in enumerate(landmarks):
        person = estimator.estimate(seen, frame(index, seed=index), VIEW)
        assert person is not None
        people.append(person)
        experts = ("body", "head", "hand")
        counts.append(
            {n: sum(len(g["image"]) for g in engines[n].given) for n in experts}
        )
    estimator.close()
    return people, counts


def test_each_expert_looks_at_its_own_rate_and_everything_is_fused_each_time(
    bundle: Bundle, model: BodyModel
) -> None:
    _, counts = looks_of(bundle, model, "body=2,hands=2,head=4", [somebody()] * 6)
    assert [count["body"] for count in counts] == [1, 1, 2, 2, 3, 3]
    assert [count["hand"] for count in counts] == [2, 4, 4, 6, 6, 8]
    assert [count["head"] for count in counts] == [1, 1, 1, 2, 2, 2]


def test_what_was_last_seen_is_fused_again(bundle: Bundle, model: BodyModel) -> None:
    slow, _ = looks_of(bundle, model, "body=9,hands=9,head=9", [somebody()] * 4)
    every, _ = looks_of(bundle, model, "hands=1", [somebody()] * 4)
    assert all(same(person, every[0]) for person in slow)
    assert not same(every[1], every[0])


def test_a_body_between_two_looks_moves_along_with_its_torso(
    bundle: Bundle, model: BodyModel
) -> None:
    """The picture of the body is 60 pixels further right; so is where it stands."""
    still = somebody()
    moved = shifted(still, 60.0)
    slow, _ = looks_of(bundle, model, "body=9,hands=9,head=9", [still, moved])
    before, after = (VIEW.project(person.joints) for person in slow)
    offset = after - before
    assert np.median(offset[:, 0]) == pytest.approx(60, rel=0.05)
    assert np.abs(np.median(offset[:, 1])) < 3


def test_somebody_else_is_looked_at_at_once(bundle: Bundle, model: BodyModel) -> None:
    there, elsewhere = somebody(), shifted(somebody(), 600.0)
    _, counts = looks_of(
        bundle, model, "body=9,hands=9,head=9", [there, there, elsewhere]
    )
    assert [count["body"] for count in counts] == [1, 1, 2]
    assert [count["head"] for count in counts] == [1, 1, 2]


def shifted(landmarks: PersonLandmarks, x: float) -> PersonLandmarks:
    """Return the same person so many pixels further right."""

    def moved(image: Float32) -> Float32:
        return image + np.array([x, 0, 0], np.float32)

    pose, face, hand = landmarks.pose, landmarks.face, landmarks.right_hand
    assert pose is not None
    assert face is not None
    assert hand is not None
    return replace(
        landmarks,
        pose=replace(pose, image=moved(pose.image)),
        face=replace(face, image=moved(face.image)),
        right_hand=replace(hand, image=moved(hand.image)),
    )


def test_several_people_are_each_estimated_as_if_alone(
    bundle: Bundle, model: BodyModel
) -> None:
    rates = Rates.parse("body=2,hands=2,head=3")
    people = {0: somebody(), 1: shifted(somebody(), 300.0)}

    def opened() -> ImageEstimator:
        return ImageEstimator(bundle, model, rates=rates)

    with closing(opened()) as shared:
        together = {number: shared.for_another_person() for number in people}
        alone = {number: opened() for number in people}
        for index in range(4):
            for number, landmarks in people.items():
                picture = frame(index, seed=index)
                found = together[number].estimate(landmarks, picture, VIEW)
                expected = alone[number].estimate(landmarks, picture, VIEW)
                assert found is not None
                assert expected is not None
                assert same(found, expected)
        for one in alone.values():
            one.close()
