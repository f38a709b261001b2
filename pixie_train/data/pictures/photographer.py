"""Takes pictures of synthetic people; the same number is the same picture."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from pixie_runtime import rotations as rot
from pixie_runtime.body import BodyModel
from pixie_runtime.rendering.rasteriser import VisibleSurface, rasterise
from pixie_runtime.skinning import open_skinner
from pixie_runtime.smplx import JAW, JOINT_INDEX
from pixie_runtime.types import Camera, Float32, UInt8
from pixie_train.batch import CropKind
from pixie_train.body_model import SurfaceOutput, TorchBody
from pixie_train.data.motion import MotionBank
from pixie_train.data.pictures import looks
from pixie_train.data.pictures.backdrops import background_files, draw_backdrop
from pixie_train.data.pictures.config import PictureConfig
from pixie_train.data.pictures.light import draw_light, shading
from pixie_train.data.pictures.line_of_sight import turned_ahead
from pixie_train.data.pictures.occluders import draw_occluder, mask_at, put_before
from pixie_train.data.pictures.relief import Relief, ReliefArtist
from pixie_train.data.pictures.sample import PART_POINTS, Bools, Sample
from pixie_train.data.pictures.scene import (
    Parameters,
    SceneSampler,
    framed,
    place,
    target_points,
)
from pixie_train.data.pictures.surface_map import FACE, SKIN, SurfaceMap
from pixie_train.data.pictures.visibility import (
    PartsAlone,
    PartTriangles,
    points_seen,
)
from pixie_train.data.sampling import Dice
from pixie_train.gender import Gender
from pixie_train.key_points import FACE_POINTS, SurfaceKeyPoints
from pixie_train.utilities import read_utilities

_ABSOLUTE = [JOINT_INDEX[name] for name in ("head", "left_wrist", "right_wrist")]
_PERSON, _PICTURE, _DEEDS, _RELIEF = range(4)
"""What chance decides, each from numbers of its own."""
_ATTEMPTS = 6
_AROUND_FACE_M = 0.02
"""How far beyond the face's outline skin has a relief."""
_HIDDEN = 0.5
"""Heads and hands that the person hides more of are posed again."""


@dataclass(frozen=True, eq=False)
class _Posed:
    """A person in camera axes, metres from the camera."""

    who: Parameters
    vertices: Float32
    points: Float32
    """Key points, (145, 3)."""
    R_root_joint: Float32
    """(55, 3, 3), accumulated."""


@dataclass(frozen=True, eq=False)
class _Shot:
    """A person as a camera sees them."""

    posed: _Posed
    camera: Camera
    drawn: VisibleSurface
    alone: PartsAlone
    hidden: Float32
    """How much of each part the person and the picture's edge hide, (3,)."""


class Photographer:
    """A sequence of samples, made when asked for."""

    def __init__(
        self,
        config: PictureConfig,
        model: BodyModel,
        bank: MotionBank,
        *,
        count: int = 1_000_000,
    ) -> None:
        """Get ready.

        Args:
            config: what the pictures show.
            model: the body; its own coefficients are drawn.
            bank: how people move.
            count: the sequence's length; picture i is the same whatever it is.

        Raises:
            ModelFileError: the model has no face landmarks.
            MissingExtraError: numba is not installed.
            SourceError: the folder of backgrounds has none.
        """
        self.config = config
        self.model = model
        self._count = count
        self.motion = bank.origin
        self._scenes = SceneSampler(config, model, bank)
        self._surface = SurfaceMap.of(model)
        self._skinner = open_skinner(model, "numba", threads=1)
        self._skeleton = TorchBody(model, n_betas=model.n_betas)
        tables, _ = read_utilities(None, model)
        self._key_points = SurfaceKeyPoints(tables, np.arange(model.vertex_count))
        self._parts = PartTriangles.of(model)
        self._files = background_files(config.backgrounds)
        self._artist = (
            ReliefArtist.of(model, self._surface) if config.wrinkles else None
        )

    def __len__(self) -> int:
        """Return how many there are."""
        return self._count

    def __getitem__(self, index: int) -> Sample:
        """Return a sample; which one depends on the configuration and `index` only."""
        if not -self._count <= index < self._count:
            raise IndexError(index)
        index %= self._count
        config = self.config
        identity = index // config.pictures_of_each
        person, picture = (config.seed, identity, _PERSON), (config.seed, index)
        for attempt in range(_ATTEMPTS):
            who = self._scenes.parameters(
                _dice(person), _dice((*picture, _DEEDS, attempt))
            )
            random = np.random.default_rng((*picture, _PICTURE, attempt))
            look = looks.Look(
                looks.draw_head(
                    np.random.default_rng(person), male=who.gender != Gender.FEMALE
                ),
                looks.draw_clothes(random, self._surface),
            )
            shot = self._shot(random, who, look)
            if config.kind is CropKind.BODY or shot.hidden[who.part] < _HIDDEN:
                break
        image, skin = self._developed(random, look, shot, self.relief(index))
        return self._finished(random, shot, image, skin, identity)

    def relief(self, index: int) -> Relief | None:
        """Return the wrinkles of the person in a picture; None: pictures without."""
        if self._artist is None:
            return None
        identity = index % self._count // self.config.pictures_of_each
        random = np.random.default_rng((self.config.seed, identity, _RELIEF))
        return self._artist.draw(random, self.config.wrinkles)

    def _shot(
        self, random: np.random.Generator, who: Parameters, look: looks.Look
    ) -> _Shot:
        """Pose a person, place them before a camera, and see what it sees."""
        posed = self._posed(random, who, looks.thickness(look, self._surface))
        points = posed.points[PART_POINTS[who.part]]
        camera = framed(random, self.config, points, posed.vertices, self._surface.rest)
        drawn = rasterise(posed.vertices, self.model.faces, camera)
        alone = self._parts.alone(posed.vertices, camera)
        hidden = alone.share_hidden(drawn.triangles)
        return _Shot(posed, camera, drawn, alone, hidden)

    def _posed(
        self, random: np.random.Generator, who: Parameters, off: Float32
    ) -> _Posed:
        """Pose a person and place them before the camera, hair and clothes on."""
        origin = np.zeros(3, np.float32)
        quaternions = rot.from_matrix(who.R).astype(np.float32)
        body = self.model.shaped(who.betas, who.expression).posed(quaternions, origin)
        bare = self._skinner.vertices(body)
        normals = self._skinner.normals(bare)
        R_root_joint = body.transforms[:, :3, :3]
        surface = SurfaceOutput(
            *(
                torch.from_numpy(np.ascontiguousarray(a))[None]
                for a in (bare, body.joints, R_root_joint)
            )
        )
        points = self._key_points(surface)[0].numpy()
        of = points[target_points(self.config.kind, who.part)]
        shift = place(random, self.config.kind, of, bare)
        # Where the face ends depends on where it is seen from.
        ahead = torch.from_numpy(turned_ahead(points[FACE_POINTS].mean(0) + shift))
        surface = replace(surface, R_root_joint=ahead @ surface.R_root_joint)
        points = self._key_points(surface)[0].numpy()
        vertices = bare + normals * off[:, None] + shift
        return _Posed(who, vertices.astype(np.float32), points + shift, R_root_joint)

    def _developed(
        self,
        random: np.random.Generator,
        look: looks.Look,
        shot: _Shot,
        relief: Relief | None,
    ) -> tuple[UInt8, Bools]:
        """Return the picture, background included, and the face's skin in it."""
        posed, drawn = shot.posed, shot.drawn
        surface = self._surface
        corners = self.model.faces[drawn.triangles].T
        normals = self._skinner.normals(posed.vertices)
        table = np.concatenate([surface.rest, surface.fields, normals], axis=1)
        mixed = sum(
            table[corner] * weight[:, None]
            for corner, weight in zip(corners, drawn.weights, strict=True)
        )
        rest, fields, normals = np.split(mixed, (3, 8), axis=1)
        at = looks.Points(rest, fields, surface.material[corners[0]])
        normals /= np.sqrt(np.einsum("nk,nk->n", normals, normals))[:, None].clip(1e-6)
        if relief is not None:
            jaw = self.model.weights_by_joint[JAW][corners[0]] > 0.5
            normals = _wrinkled(normals, at, jaw, relief, posed.R_root_joint)
        light = draw_light(random)
        colour = looks.albedo(look, surface, at) * shading(normals, light)
        size = shot.camera.size_px[0]
        layer = np.zeros((size * size, 4), np.float32)
        layer[drawn.pixels, :3] = colour.clip(0, 1)
        layer[drawn.pixels, 3] = 1
        skin = np.zeros(size * size, np.float32)
        skin[drawn.pixels] = looks.face_skin(look, surface, at)
        small = self._reduced(layer.reshape(size, size, 4))
        behind = draw_backdrop(random, self.config.size, self._files)
        image = small[..., :3] * 255 + behind * (1 - small[..., 3:])
        face = self._reduced(skin.reshape(size, size)) > 0.5
        return np.clip(image, 0, 255).round().astype(np.uint8), face

    def _finished(
        self,
        random: np.random.Generator,
        shot: _Shot,
        image: UInt8,
        skin: Bools,
        identity: int,
    ) -> Sample:
        """Put things before the person and write everything down."""
        config, posed, who = self.config, shot.posed, shot.posed.who
        ss = config.supersampling
        pixels = shot.camera.project(posed.points) / np.float32(ss)
        things = np.zeros(image.shape[:2], bool)
        if random.random() < config.occluded:
            part = int(random.integers(3)) if config.kind is CropKind.BODY else who.part
            low, high = _box(pixels, part, random)
            most = 1.2 if config.kind is CropKind.BODY else 0.9
            share = float(random.uniform(0.2, most))
            image, things = put_before(image, draw_occluder(random, low, high, share))
        free = ~np.repeat(np.repeat(things, ss, 0), ss, 1).ravel()[shot.drawn.pixels]
        seen = points_seen(posed.points, shot.camera, shot.drawn)
        return Sample(
            picture=image,
            skin=skin & ~things,
            pixels=pixels.astype(np.float32),
            seen=seen & ~mask_at(things, pixels),
            xyz=posed.points.astype(np.float32),
            rotations=who.R,
            absolute=posed.R_root_joint[_ABSOLUTE],
            betas=who.betas,
            expression=who.expression,
            covered=shot.alone.share_hidden(shot.drawn.triangles[free]),
            gender=who.gender,
            identity=identity,
        )

    def _reduced(self, layer: Float32) -> Float32:
        size = (self.config.size, self.config.size)
        return np.asarray(cv2.resize(layer, size, interpolation=cv2.INTER_AREA))


def _wrinkled(
    normals: Float32, at: looks.Points, jaw: Bools, relief: Relief, R: Float32
) -> Float32:
    """Return normals as the relief bends them (Blinn 1978), (n, 3).

    Args:
        normals: of the smooth surface, unit vectors, camera axes.
        at: the points.
        jaw: which of them follow the jaw.
        relief: on the mean body at rest.
        R: accumulated rotations of the joints, (55, 3, 3).
    """
    on = (at.material == SKIN) & (at.fields[:, FACE] > -_AROUND_FACE_M)
    _, slope = relief.heights(at.rest[on])
    # Shape and expression stretch the skin a little; that much is left out.
    with_jaw = (slope @ R[JAW].T) * jaw[on, None]
    slope = with_jaw + (slope @ R[JOINT_INDEX["head"]].T) * ~jaw[on, None]
    bent = normals.copy()
    steep = np.einsum("nk,nk->n", slope, normals[on])[:, None]
    bent[on] += steep * normals[on] - slope
    bent[on] /= np.linalg.norm(bent[on], axis=1, keepdims=True)
    return bent


def _box(
    pixels: Float32, part: int, random: np.random.Generator
) -> tuple[Float32, Float32]:
    """Return what a thing is put before: mostly a part, else somewhere on the body."""
    points = pixels[PART_POINTS[part]]
    if random.random() < 0.3:
        middle = pixels[int(random.integers(22))]
        reach = (pixels[:22].max(0) - pixels[:22].min(0)) * random.uniform(0.1, 0.3)
        return middle - reach, middle + reach
    return points.min(0), points.max(0)


def _dice(key: tuple[int, ...]) -> Dice:
    state = np.random.SeedSequence(key).generate_state(1, np.uint64)
    return Dice(int(state[0] >> np.uint64(1)))
