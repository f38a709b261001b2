"""Where MediaPipe's pose landmarks lie on the body model, measured on pictures of it.

    python -m tools.landmark_offsets --out body_points.json

Draws bodies in many poses from many sides, looks at them with the pose landmarker, and
finds for each landmark the point fixed to its joint that explains best where it was
seen. A detector's "ankle" or "hip" is not SMPL-X's joint of that name; taking one for
the other bends legs and leans bodies.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from scipy.spatial.transform import Rotation
from tqdm import tqdm

from pixie_runtime import rotations
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.rendering import draw_mesh
from pixie_runtime.types import Camera, Frame, UInt8
from pixie_train.data.landmark_points import LandmarkPoints, joint_points
from pixie_train.data.motion import load_motion_bank
from pixie_train.data.people import People, PeopleFactory
from pixie_train.data.sampling import Dice

Float64 = npt.NDArray[np.float64]

_SIZE = 512
_SKIN = (205, 160, 135)
# Left landmarks and their right partners; the nose is its own.
_FACE_PAIRS = ((0, 0), (1, 4), (2, 5), (3, 6), (7, 8), (9, 10))
_PAIRS = (*_FACE_PAIRS, *((i, i + 1) for i in range(11, 33, 2)))
_MIRROR = np.array([-1.0, 1.0, 1.0])
_ROUNDS = 8


@dataclass(frozen=True, eq=False)
class Sighting:
    """One drawn body and where its landmarks were seen."""

    rays: Float64
    """(33, 2): landmarks at focal length 1."""
    weight: Float64
    """(33,): visibility."""
    joints: Float64
    """(33, 3): the landmarks' joints, camera axes, metres."""
    R: Float64
    """(33, 3, 3): those joints' rotations."""
    world: Float64
    """(33, 3): the detector's 3D landmarks, metres from mid-hip."""


def look_at_bodies(model: BodyModel, count: int, seed: int) -> list[Sighting]:
    """Draw bodies and find their landmarks; those not found are left out."""
    factory = PeopleFactory(model, load_motion_bank(), n_betas=16)
    points = joint_points(model)
    dice, random = Dice(seed), np.random.default_rng(seed)
    landmarker = PixieLandmarker()
    sightings: list[Sighting] = []
    with torch.no_grad(), tqdm(total=count, unit="body") as bar:
        while len(sightings) < count:
            people = factory.draw(dice, 64)
            for i in range(64):
                sighting = _look(model, landmarker, people, i, points, random)
                if sighting is not None:
                    sightings.append(sighting)
                    bar.update()
    return sightings[:count]


def _look(
    model: BodyModel,
    landmarker: PixieLandmarker,
    people: People,
    i: int,
    points: LandmarkPoints,
    random: np.random.Generator,
) -> Sighting | None:
    upright = people.skeleton.R_root_joint[i, 9, 1, 1] < -0.6
    if not upright:
        return None
    q = rotations.from_matrix(people.rotations[i].numpy()).astype(np.float32)
    shaped = model.shaped(people.betas[i].numpy(), people.expression[i].numpy())
    about = shaped.posed(q, np.zeros(3, np.float32))
    joints = about.joints - about.joints[0]
    size = float(np.linalg.norm(joints - joints.mean(0), axis=1).max())
    camera = Camera.with_field_of_view(_SIZE, _SIZE, 50)
    at = np.array([*random.uniform(-0.2, 0.2, 2), random.uniform(2.6, 3.6)]) * size
    transl = at - joints.mean(0)
    vertices = about.vertices() - about.joints[0] + transl.astype(np.float32)
    picture = draw_mesh(
        _background(random),
        vertices.astype(np.float32),
        model.faces,
        camera,
        colour=_SKIN,
    )
    landmarker.reset()
    found = landmarker.detect(Frame(0, 0.0, 0, picture)).pose
    if found is None or found.score < 0.8:
        return None
    rays = (found.image[:, :2] - np.array(camera.centre_px)) / camera.focal_px
    joint = points.joint.numpy()
    sighting = Sighting(
        rays=rays.astype(np.float64),
        weight=found.visibility.astype(np.float64),
        joints=(joints + transl)[joint],
        R=about.transforms[joint, :3, :3].astype(np.float64),
        world=found.world.astype(np.float64),
    )
    return sighting if _sides_are_right(sighting) else None


def _background(random: np.random.Generator) -> UInt8:
    """Return a soft wall and floor, (512, 512, 3)."""
    wall, floor = random.integers(90, 235, (2, 3))
    picture = np.empty((_SIZE, _SIZE, 3), np.float64)
    horizon = int(random.uniform(0.55, 0.85) * _SIZE)
    picture[:horizon], picture[horizon:] = wall, floor
    picture += np.linspace(-18, 18, _SIZE)[None, :, None]
    return np.clip(picture + random.normal(0, 4, picture.shape), 0, 255).astype(
        np.uint8
    )


def _sides_are_right(sighting: Sighting) -> bool:
    """Whether the detector took left for left: a swapped body would teach nonsense."""
    true = sighting.joints[:, :2] / sighting.joints[:, 2:]
    limbs = [11, 12, 23, 24, 25, 26, 27, 28]
    swapped = [12, 11, 24, 23, 26, 25, 28, 27]
    gap = np.linalg.norm(sighting.rays[limbs] - true[limbs], axis=1).sum()
    other = np.linalg.norm(sighting.rays[swapped] - true[limbs], axis=1).sum()
    return bool(gap < other)


def fit(sightings: list[Sighting]) -> Float64:
    """Return rest offsets from the landmarks' joints, (33, 3) metres, mirror-symmetric.

    For each pair of landmarks solves (x + (R o)_x) = u (z + (R o)_z), and the same for
    y and v, over all sightings of both sides, trusting far-off ones less each round.
    """
    offsets = np.zeros((33, 3))
    for left, right in _PAIRS:
        blocks = [_equations(sightings, left, np.ones(3))]
        blocks.append(_equations(sightings, right, _MIRROR))
        A, b, w = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        robust, o = np.ones(len(b)), np.zeros(3)
        for _ in range(_ROUNDS):
            weight = (w * robust)[:, None]
            o = np.linalg.solve(
                (A * weight).T @ A + 1e-6 * np.eye(3), (A * weight).T @ b
            )
            gap = np.abs(A @ o - b)
            robust = np.minimum(1.0, 1.5 * np.median(gap) / np.maximum(gap, 1e-9))
        if left == right:
            o[0] = 0.0
        offsets[left], offsets[right] = o, o * _MIRROR
    return offsets


def _equations(
    sightings: list[Sighting], landmark: int, side: Float64
) -> tuple[Float64, Float64, Float64]:
    rows, values, weights = [], [], []
    for s in sightings:
        if s.weight[landmark] < 0.6:
            continue
        R, (x, y, z) = s.R[landmark] * side, s.joints[landmark]
        for axis, place in ((0, x), (1, y)):
            ray = s.rays[landmark, axis]
            rows.append(R[axis] - ray * R[2])
            values.append(ray * z - place)
            weights.append(s.weight[landmark])
    return np.array(rows), np.array(values), np.array(weights)


def describe_errors(sightings: list[Sighting], offsets: Float64) -> dict[str, float]:
    """Return how the detector errs: what `pixie_train.data.detector` imitates."""
    seen, hidden, turns, true_depth, depth, widths = [], [], [], [], [], []
    for s in sightings:
        true = s.joints + np.einsum("pab,pb->pa", s.R, offsets)
        rays = true[:, :2] / true[:, 2:]
        spread = 2 * np.sqrt(np.square(rays - rays[23:25].mean(0)).sum(1).mean())
        gap = np.linalg.norm(s.rays - rays, axis=1) / spread
        seen += gap[s.weight > 0.9].tolist()
        hidden += gap[s.weight < 0.1].tolist()
        about = true - true[23:25].mean(0)
        limbs = slice(11, 33)
        turn, _ = Rotation.align_vectors(
            s.world[limbs], about[limbs], weights=np.square(s.weight[limbs])
        )
        turns.append(turn.as_rotvec(degrees=True))
        visible = np.flatnonzero(s.weight[limbs] > 0.7) + 11
        true_depth += about[visible, 2].tolist()
        depth += s.world[visible, 2].tolist()
        width = [np.linalg.norm(points[23] - points[24]) for points in (s.world, about)]
        widths.append(width[0] / width[1])
    spread_of_turns = np.ptp(np.percentile(turns, [16, 84], axis=0), axis=0) / 2
    return {
        "2D error where visible, % of spread": 100 * float(np.median(seen)),
        "2D error where hidden, % of spread": 100 * float(np.median(hidden)),
        "3D turned about x, standard deviation, degrees": float(spread_of_turns[0]),
        "3D turned about y, standard deviation, degrees": float(spread_of_turns[1]),
        "3D depth scale": float(np.polyfit(true_depth, depth, 1)[0]),
        "hip width, detected over true": float(np.median(widths)),
    }


def main() -> None:
    """Measure, write, and print how far the landmarks lie from their joints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    model = embedded_body_model()
    sightings = look_at_bodies(model, options.count, options.seed)
    offsets = fit(sightings)
    joint = joint_points(model).joint.tolist()
    rows = [
        {"landmark": i, "joint": joint[i], "offset_m": [round(float(x), 4) for x in o]}
        for i, o in enumerate(offsets)
    ]
    text = ",\n  ".join(json.dumps(row) for row in rows)
    options.out.write_text(f"[\n  {text}\n]\n")
    for row in rows:
        print(row)
    for name, value in describe_errors(sightings, offsets).items():
        print(f"{name}: {value:.2f}")


if __name__ == "__main__":
    main()
