"""The face: jaw, eyes and the 43 ARKit expression units.

MakeHuman's artist-made units are kept: a unit is reproduced exactly by expression
coefficients, opening the jaw and turning the eyes by pose correctives.
"""

from dataclasses import dataclass

import numpy as np

from pixie_runtime.smplx import JAW, JOINT_INDEX
from tools.bake_body import skinning
from tools.bake_body.arrays import Bool, Float
from tools.bake_body.eyelids import Lids
from tools.bake_body.geometry import matrix_of, nearest_rotation, rotvec_of
from tools.bake_body.skinning import Rig
from tools.bake_body.topology import GROUPS, Topology

EYES = {"left": "left_eye_smplhf", "right": "right_eye_smplhf"}
_LOOKS = {"eyeLookDown": 0, "eyeLookUp": 0, "eyeLookIn": 1, "eyeLookOut": 1}
"""The axis that each unit turns the eyeball about."""

Units = dict[str, Float]
"""ARKit name to offsets (V, 3) in metres."""


@dataclass(frozen=True, slots=True, eq=False)
class Jaw:
    """The hinge that explains how the lower teeth move when `jawOpen` is 1."""

    joint: Float
    """(3,) metres"""
    angle: float
    """radians about +x"""


def eyeball(topology: Topology, side: str) -> Bool:
    """Return which vertices (V,) belong to an eyeball."""
    return np.asarray(topology.group == GROUPS.index(f"helper-{side[0]}-eye"))


def sphere_centre(points: Float) -> Float:
    """Return the centre (3,) of the sphere that fits points (N, 3) best."""
    A = np.c_[2 * points, np.ones(len(points))]
    solution, *_ = np.linalg.lstsq(A, (points**2).sum(1), rcond=None)
    return np.asarray(solution[:3])


def fit_jaw(mean: Float, topology: Topology, units: Units) -> Jaw:
    """Fit the hinge to the lower teeth, in the plane of symmetry."""
    teeth = topology.group == GROUPS.index("helper-lower-teeth")
    before = mean[teeth][:, 1:]
    after = before + units["jawOpen"][teeth][:, 1:]
    a, b = before - before.mean(0), after - after.mean(0)
    H = a.T @ b
    angle = float(np.arctan2(H[0, 1] - H[1, 0], H[0, 0] + H[1, 1]))
    c, s = np.cos(angle), np.sin(angle)
    R = np.array([[c, -s], [s, c]])
    centre = np.linalg.solve(np.eye(2) - R, after.mean(0) - R @ before.mean(0))
    return Jaw(np.array([0.0, *centre]), angle)


def add_jaw_corrective(posedirs: Float, rig: Rig, units: Units, angle: float) -> None:
    """Make a jaw turned by `angle` look as the unit `jawOpen` does.

    Only the features that are odd in the angle are used, so a slightly open jaw gets a
    proportionate share.
    """
    pose = {JAW: matrix_of([angle, 0.0, 0.0])}
    offsets = rig.rest_offsets(rig.rest + units["jawOpen"], pose)
    rows = posedirs[skinning.feature_rows(JAW)]
    rows[7] += 0.5 * offsets / np.sin(angle)
    rows[5] -= 0.5 * offsets / np.sin(angle)


def look_angles(rig: Rig, topology: Topology, units: Units) -> dict[str, float]:
    """Return by how many radians each eyeLook unit turns the left eye, signed."""
    ball = eyeball(topology, "left")
    around = rig.rest[ball] - rig.joints[JOINT_INDEX[EYES["left"]]]
    angles = {}
    for name, axis in _LOOKS.items():
        moved = around + units[f"{name}Left"][ball]
        angles[name] = float(rotvec_of(nearest_rotation(moved.T @ around))[axis])
    return angles


def add_eyelid_correctives(posedirs: Float, lids: dict[str, Lids]) -> None:
    """Let the lids follow the eyeballs' pitch; looking sideways leaves them alone."""
    for side, joint in EYES.items():
        rows = posedirs[skinning.feature_rows(JOINT_INDEX[joint])]
        per_sine, per_cosine = lids[side].following()
        rows[7] += 0.5 * per_sine
        rows[5] -= 0.5 * per_sine
        rows[4] += per_cosine


def soften_smile(units: Units, topology: Topology, lips: Float) -> None:
    """Spread the fold beside the mouth, which the artist's smile cuts in sharply.

    `lips` (V,) is 1 where the lips' own motion is kept as it is.
    """
    for name in ("mouthSmileLeft", "mouthSmileRight"):
        units[name] = topology.smoothed(units[name], 24, 0.7 * (1.0 - lips))


@dataclass(frozen=True, slots=True, eq=False)
class Expressions:
    """Principal components of plausible faces."""

    names: tuple[str, ...]
    """(U,) ARKit names"""
    directions: Float
    """(U, V, 3) metres per standard deviation"""
    from_arkit: Float
    """(U, U) ARKit scores to coefficients"""
    reach: Float
    """(V,) how far any unit moves a vertex, metres"""


def fit_expressions(units: Units, topology: Topology) -> Expressions:
    """Rotate the units to components of unit variance over plausible scores."""
    names = tuple(n for n in units if not n.startswith("eyeLook") and n != "jawOpen")
    offsets = np.stack([units[n] for n in names])
    offsets[:, eyeball(topology, "left") | eyeball(topology, "right")] = 0.0
    scores = _plausible_scores(names, count=6000)
    scores -= scores.mean(0)
    flat = offsets.reshape(len(names), -1)
    L = np.linalg.cholesky(flat @ flat.T + 1e-12 * np.eye(len(names)))
    variance, U = np.linalg.eigh(L.T @ (scores.T @ scores / len(scores)) @ L)
    order = np.argsort(-variance)
    mix = np.linalg.solve(L.T, U[:, order]).T * np.sqrt(variance[order])[:, None]
    mix *= np.sign(mix[np.arange(len(mix)), np.abs(mix).argmax(1)])[:, None]
    return Expressions(
        names=names,
        directions=(mix @ flat).reshape(-1, *offsets.shape[1:]),
        from_arkit=np.linalg.inv(mix.T),
        reach=np.linalg.norm(offsets, axis=2).max(0),
    )


_FREQUENT = {
    "eyeBlink": 0.35,
    "mouthSmile": 0.4,
    "browInnerUp": 0.4,
    "tongueOut": 0.03,
    "jawForward": 0.1,
    "jawLeft": 0.1,
    "mouthClose": 0.1,
}


def _plausible_scores(names: tuple[str, ...], *, count: int) -> Float:
    """Draw ARKit scores (count, U); left and right go nearly together."""
    rng = np.random.default_rng(1)
    scores: dict[str, Float] = {}
    for name in names:
        stem = name.replace("Left", "").replace("Right", "")
        twin = f"{stem}Left"
        if name.endswith("Right") and stem not in ("mouth", "jaw"):
            left = scores[twin]
            wobble = rng.normal(0, 0.12, count) * (left > 0)
            scores[name] = np.clip(left + wobble, 0, 1)
        else:
            active = rng.random(count) < _FREQUENT.get(stem, 0.22)
            scores[name] = active * rng.beta(1.2, 1.8, count)
    return np.stack([scores[name] for name in names], 1)
