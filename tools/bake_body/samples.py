"""Draws bodies and brings them to the rest pose: raw material of the shape space."""

from dataclasses import dataclass

import numpy as np

from tools.bake_body import people, rest_pose, skeleton
from tools.bake_body.arrays import Float
from tools.bake_body.source import Source
from tools.bake_body.topology import Topology

_BATCH = 50


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """M bodies in the rest pose, pelvis at the origin."""

    vertices: Float
    """(M, V, 3) float32 metres."""
    joints: Float
    """(M, 55, 3) metres."""
    finger_tips: Float
    """(M, 2, 5, 3) left and right; thumb, index, middle, ring, pinky."""
    phenotypes: Float
    """(M, len(people.LABELS))"""


def draw(source: Source, topology: Topology, *, count: int, seed: int) -> Samples:
    """Draw `count` adults."""
    rng = np.random.default_rng(seed)
    phenotypes = people.draw_phenotypes(rng, count)
    macro = people.macro_targets(source)
    pairs = source.local_pairs()
    changes = people.draw_local_changes(
        rng, [more for more, _ in pairs], phenotypes[:, 3]
    )
    names = [*macro.names, *(m for m, _ in pairs), *(ln for _, ln in pairs)]
    weights = np.concatenate(
        [
            people.macro_weights(phenotypes, macro),
            np.clip(changes, 0, None),
            np.clip(-changes, 0, None),
        ],
        1,
    ).astype(np.float32)
    base = source.mesh.vertices.astype(np.float32)
    targets = np.stack([source.target(name).ravel() for name in names])
    bone_weights = _bone_weights(source, topology)
    parts = []
    for start in range(0, count, _BATCH):
        offsets = weights[start : start + _BATCH] @ targets
        bodies = base + offsets.reshape(-1, *base.shape)
        points = skeleton.points(source.mesh, bodies)
        kept = bodies[:, topology.source_vertex]
        parts.append(rest_pose.to_t_pose(kept, points, bone_weights))
    return Samples(
        vertices=np.concatenate([vertices for vertices, _ in parts]),
        joints=np.concatenate([skeleton.joints(points) for _, points in parts]),
        finger_tips=np.concatenate([_tips(points) for _, points in parts]),
        phenotypes=phenotypes,
    )


def _bone_weights(source: Source, topology: Topology) -> dict[str, Float]:
    count = len(source.mesh.vertices)
    dense = {}
    total = np.zeros(count)
    for bone, (rows, values) in source.bone_weights().items():
        dense[bone] = np.zeros(count)
        np.add.at(dense[bone], rows, values)
        total += dense[bone]
    dense["head"] = np.where(total > 0, dense["head"], 1.0)
    total = np.where(total > 0, total, 1.0)
    return {bone: (w / total)[topology.source_vertex] for bone, w in dense.items()}


def _tips(points: dict[str, Float]) -> Float:
    return np.stack(
        [
            np.stack([points[f"{side}_{finger}4"] for finger in skeleton.FINGERS], 1)
            for side in ("left", "right")
        ],
        1,
    )
