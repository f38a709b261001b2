"""The bake from first to last."""

from dataclasses import dataclass

import numpy as np

from pixie_runtime.smplx import JAW, JOINT_COUNT, JOINT_INDEX, MIRRORED_JOINTS, PARENTS
from tools.bake_body import (
    correctives,
    eyelids,
    face,
    hands,
    landmarks,
    numbering,
    packing,
    people,
    regressor,
    samples,
    shape_space,
    skin_weights,
    skinning,
    topology,
)
from tools.bake_body.arrays import Bool, Float
from tools.bake_body.samples import Samples
from tools.bake_body.shape_space import ShapeSpace
from tools.bake_body.skinning import Rig
from tools.bake_body.source import Source
from tools.bake_body.topology import Topology

MIRROR_JOINTS = np.array(MIRRORED_JOINTS)
STILL_M = 2e-5
"""A vertex that no expression moves farther than this may carry joints."""
SKULL_BELOW_JAW_M = 0.13
"""How far below its hinge the jaw's regressor may look for still skin: the neck."""


@dataclass(frozen=True, slots=True, eq=False)
class Baked:
    """What the stages made, in the working numbering."""

    topology: Topology
    drawn: Samples
    space: ShapeSpace
    rig: Rig
    regressor: Float
    posedirs: Float
    expressions: face.Expressions
    jaw_angle: float
    look_angles: dict[str, float]


def bake(source: Source, *, sample_count: int, components: int, seed: int) -> Baked:
    """Run every stage up to, but not including, landmarks and packing."""
    mesh = topology.build(source)
    drawn = samples.draw(source, mesh, count=sample_count, seed=seed)
    space = shape_space.fit(drawn, mesh.mirror, MIRROR_JOINTS, components=components)
    units = face_units(source, mesh)
    jaw = face.fit_jaw(space.mean, mesh, units)
    eyes = {joint: face.eyeball(mesh, side) for side, joint in face.EYES.items()}
    space.mean_joints[JAW] = jaw.joint
    for joint, ball in eyes.items():
        space.mean_joints[JOINT_INDEX[joint]] = face.sphere_centre(space.mean[ball])
    lids = {
        side: eyelids.fit(
            source,
            mesh,
            space.mean,
            space.mean_joints[JOINT_INDEX[joint]],
            side,
            units[f"eyeBlink{side.capitalize()}"],
        )
        for side, joint in face.EYES.items()
    }
    for side, pair in lids.items():
        units[f"eyeBlink{side.capitalize()}"] = pair.closed()
    face.soften_smile(units, mesh, skin_weights.lips(source, mesh))
    expressions = face.fit_expressions(units, mesh)
    still: Bool = mesh.body & (expressions.reach < STILL_M)
    skull = still & (space.mean[:, 1] > jaw.joint[1] - SKULL_BELOW_JAW_M)
    pools = {**eyes, "jaw": skull}
    joint_regressor = regressor.fit(space, still, pools, mesh.mirror, MIRROR_JOINTS)
    joints = joint_regressor @ space.mean
    weights = skin_weights.build(source, mesh, space.mean, joints, MIRROR_JOINTS)
    rig = Rig(space.mean, joints, weights)
    posedirs = np.zeros(((JOINT_COUNT - 1) * skinning.FEATURES, len(space.mean), 3))
    angles = face.look_angles(rig, mesh, units)
    face.add_jaw_corrective(posedirs, rig, units, jaw.angle)
    face.add_eyelid_correctives(posedirs, lids)
    correctives.add_body_correctives(posedirs, rig, mesh, MIRROR_JOINTS)
    return Baked(
        topology=mesh,
        drawn=drawn,
        space=space,
        rig=rig,
        regressor=joint_regressor,
        posedirs=posedirs,
        expressions=expressions,
        jaw_angle=jaw.angle,
        look_angles=angles,
    )


def face_units(source: Source, mesh: Topology) -> face.Units:
    """Read the ARKit units on the kept vertices."""
    return {
        name: source.face_unit(name)[mesh.source_vertex].astype(np.float64)
        for name in source.face_unit_names()
    }


def pack(baked: Baked, detections: Float) -> packing.Arrays:
    """Lay the landmarks, renumber, quantise: the arrays of the file."""
    mesh, rig, space = baked.topology, baked.rig, baked.space
    old_of, new_of = numbering.permutation(rig.rest, rig.joints, rig.weights, mesh)
    index, value = packing.sparse_weights(rig.weights[old_of])
    arrays: packing.Arrays = {
        "format": np.array(packing.FORMAT),
        "name": np.array("pixie-body"),
        "v_template": rig.rest[old_of].astype(np.float32),
        "f": packing.faces16(new_of[mesh.triangles]),
        "shapedirs_q": packing.directions(space.directions[:, old_of]),
        "expressiondirs_q": packing.directions(baked.expressions.directions[:, old_of]),
        "posedirs_q": packing.directions(
            baked.posedirs[:, old_of], dead_zone=packing.DEAD_ZONE
        ),
        "dirs_step": np.array(packing.STEP, np.float32),
        "weights_index": index,
        "weights_value": value,
        "J_regressor": packing.unit_rows(baked.regressor[:, old_of]),
        "kintree_table": packing.kinematic_tree(PARENTS),
        "vt_q": packing.unit_interval(mesh.uv),
        "ft": packing.faces16(mesh.triangles_uv),
        "part": rig.weights[old_of].argmax(1).astype(np.uint8),
        "group": mesh.group[old_of].astype(np.uint8),
        "source_vertex": mesh.source_vertex[old_of].astype(np.int32),
    }
    return arrays | _landmarks(baked, detections) | _face(baked) | _priors(baked)


def _landmarks(baked: Baked, detections: Float) -> packing.Arrays:
    mesh, rig = baked.topology, baked.rig
    head = rig.joints[JOINT_INDEX["head"]]
    corners = mesh.triangles
    on_skin = mesh.body[corners].all(1)
    above = rig.rest[corners][..., 1].min(1) > head[1] - 0.11
    all_468 = landmarks.embed_detections(
        rig.rest, corners, np.flatnonzero(on_skin & above), head, detections
    )
    skull = rig.weights[:, [JOINT_INDEX[n] for n in ("neck", "head", "jaw")]].sum(1)
    facial = (skull > 0.95) & (np.abs(rig.rest[:, 1] - head[1]) < 0.105)
    contour_skin = np.flatnonzero(on_skin & facial[corners].all(1))
    ear_z = rig.rest[mesh.body & facial][
        np.abs(rig.rest[mesh.body & facial])[:, 0].argmax(), 2
    ]
    rest_contour = landmarks.Embedding(
        all_468.faces[list(landmarks.CONTOUR_17)],
        all_468.bary[list(landmarks.CONTOUR_17)],
    )
    turned = landmarks.contour(
        rig.rest, corners, contour_skin, float(ear_z) + 0.012, rest_contour
    )
    inner = list(landmarks.INNER_51)
    return {
        "lmk_faces_idx": all_468.faces[inner].astype(np.int32),
        "lmk_bary_coords": all_468.bary[inner].astype(np.float32),
        "dynamic_lmk_faces_idx": turned.faces.astype(np.int32),
        "dynamic_lmk_bary_coords": turned.bary.astype(np.float32),
        "mediapipe468_faces_idx": all_468.faces.astype(np.int32),
        "mediapipe468_bary_coords": all_468.bary.astype(np.float32),
    }


def _face(baked: Baked) -> packing.Arrays:
    return {
        "arkit_names": np.array(baked.expressions.names),
        "arkit_to_expression": baked.expressions.from_arkit.astype(np.float32),
        "jaw_open_angle": np.array(baked.jaw_angle, np.float32),
        "eye_look_names": np.array(list(baked.look_angles)),
        "eye_look_angles": np.array(list(baked.look_angles.values()), np.float32),
    }


def _priors(baked: Baked) -> packing.Arrays:
    """Hand poses and what is known about shapes."""
    drawn = baked.drawn
    left = hands.left_poses(hands.fist(baked.rig.joints, drawn.finger_tips.mean(0)[0]))
    right = hands.mirrored(left)
    betas = baked.space.betas_of(drawn.vertices)
    female = drawn.phenotypes[:, people.LABELS.index("gender")] > 0.5
    labels, columns = people.regressors(drawn.phenotypes)
    to_betas, *_ = np.linalg.lstsq(columns, betas, rcond=None)
    arrays: packing.Arrays = {
        "hands_meanl": left.mean.astype(np.float32),
        "hands_meanr": right.mean.astype(np.float32),
        "hands_componentsl": left.components.astype(np.float32),
        "hands_componentsr": right.components.astype(np.float32),
        "phenotype_labels": np.array(labels),
        "phenotype_to_betas": to_betas.astype(np.float32),
    }
    for gender, chosen in (("male", ~female), ("female", female)):
        arrays[f"betas_mean_{gender}"] = betas[chosen].mean(0).astype(np.float32)
        arrays[f"betas_cov_{gender}"] = np.cov(betas[chosen].T).astype(np.float32)
    return arrays
