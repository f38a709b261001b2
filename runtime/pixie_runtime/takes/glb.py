"""Takes as GLB (binary glTF 2.0): a skinned, animated body in one file.

glTF's axes and units are the take's world's: right-handed, y up, metres; a body faces
+z in rest pose, the camera was at the origin and looked along -z. Nodes are SMPL-X's
joints under their own names, all of whose rest axes are the world's.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from pixie_runtime import __version__
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.sinks.whole_file import written_whole
from pixie_runtime.smplx import JOINT_COUNT, JOINT_NAMES, PARENTS
from pixie_runtime.takes.gltf import INDICES, VERTICES, GltfBuffer, Json, smallest_index
from pixie_runtime.takes.morphs import Morph
from pixie_runtime.takes.skin import CORRECTIVES, Skin, joints_at, local_offsets
from pixie_runtime.takes.take import Take
from pixie_runtime.types import Camera, Float32

_CAMERA_NODE, _BODY_NODE = JOINT_COUNT, JOINT_COUNT + 1
_NEAREST_M = 0.01
_CLAY_LINEAR = [0.61, 0.515, 0.445, 1.0]


def write_glb(
    take: Take,
    path: Path | str,
    *,
    model: BodyModel | None = None,
    mesh: bool = True,
    influences: Literal[4, 8] = 4,
    correctives: int = CORRECTIVES,
) -> None:
    """Write a take as GLB; an existing file is replaced when the new one is whole.

    Args:
        take: Its frames are written as they come, at `take.mocap_frame_rate`.
        path: Where to write.
        model: The body model that the take was recorded with; None for the embedded
            one. Its mesh becomes part of the file, in the take's one shape: with a
            licensed model the file may not be passed on.
        mesh: False for the bones alone, which are the take's own; `model` is not used.
        influences: Joints per vertex. Every program reads four; more are exact.
        correctives: Morphs to say pose correctives with; 0 for none.

    Raises:
        ModelFileError: the take was recorded with another body model.
        SinkError: it cannot be written, for example because the disk is full.
    """
    skin = None
    if mesh:
        model = embedded_body_model() if model is None else model
        skin = Skin.of(take, model, influences=influences, correctives=correctives)
    with written_whole(path) as file:
        file.write(encode_glb(take, skin))


def encode_glb(take: Take, skin: Skin | None) -> bytes:
    """Return the file of a take: its skin and bones, or the bones alone."""
    buffer = GltfBuffer()
    rest_joints = joints_at(take.rest_offsets()) if skin is None else skin.rest_joints
    document: Json = {
        "asset": {"version": "2.0", "generator": f"pixie-live {__version__}"},
        "scene": 0,
        "scenes": [{"nodes": [0, _CAMERA_NODE]}],
        "nodes": [*_joint_nodes(rest_joints), {"name": "camera", "camera": 0}],
        "cameras": [_camera(take.camera)],
        "skins": [_skin(buffer, rest_joints)],
        "animations": [_animation(buffer, take, () if skin is None else skin.morphs)],
    }
    if skin is not None:
        document["scenes"][0]["nodes"].append(_BODY_NODE)
        document["nodes"].append({"name": "body", "mesh": 0, "skin": 0})
        document["meshes"] = [_mesh(buffer, skin)]
        document["materials"] = [_material()]
    return buffer.to_glb(document)


def _camera(camera: Camera) -> Json:
    """Return the camera that recorded the take; its principal point is the middle."""
    width, height = camera.size_px
    perspective = {
        "yfov": 2 * math.atan(height / 2 / camera.focal_px),
        "aspectRatio": width / height,
        "znear": _NEAREST_M,
    }
    return {"type": "perspective", "perspective": perspective}


def _joint_nodes(rest_joints: Float32) -> list[Json]:
    """Return a node per joint, numbered as the joints are."""
    nodes: list[Json] = [
        {"name": name, "translation": offset}
        for name, offset in zip(
            JOINT_NAMES, local_offsets(rest_joints).tolist(), strict=True
        )
    ]
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            nodes[parent].setdefault("children", []).append(joint)
    return nodes


def _skin(buffer: GltfBuffer, rest_joints: Float32) -> Json:
    """Return the skeleton; importers make bones of it even where no mesh uses it."""
    unbind = np.tile(np.eye(4, dtype=np.float32), (JOINT_COUNT, 1, 1))
    unbind[:, :3, 3] = -rest_joints
    return {
        "name": "skeleton",
        "joints": list(range(JOINT_COUNT)),
        "skeleton": 0,
        "inverseBindMatrices": buffer.add(unbind),
    }


def _mesh(buffer: GltfBuffer, skin: Skin) -> Json:
    source, triangles, uv = _corners(skin.model)
    attributes = {
        "POSITION": buffer.add(skin.vertices[source], VERTICES, bounds=True),
        "NORMAL": buffer.add(skin.normals[source], VERTICES),
    }
    if uv is not None:
        attributes["TEXCOORD_0"] = buffer.add(uv, VERTICES)
    for number, start in enumerate(range(0, skin.joints.shape[1], 4)):
        columns = slice(start, start + 4)
        joints, weights = skin.joints[source, columns], skin.weights[source, columns]
        attributes[f"JOINTS_{number}"] = buffer.add(joints, VERTICES)
        attributes[f"WEIGHTS_{number}"] = buffer.add(weights, VERTICES)
    indices = triangles.ravel().astype(smallest_index(len(source)))
    primitive: Json = {
        "attributes": attributes,
        "indices": buffer.add(indices, INDICES),
        "material": 0,
    }
    mesh: Json = {"name": skin.model.name, "primitives": [primitive]}
    if skin.morphs:
        primitive["targets"] = [
            {"POSITION": _target(buffer, morph, source)} for morph in skin.morphs
        ]
        mesh["weights"] = [0.0] * len(skin.morphs)
        mesh["extras"] = {"targetNames": [morph.name for morph in skin.morphs]}
    return mesh


def _material() -> Json:
    surface = {
        "baseColorFactor": _CLAY_LINEAR,
        "metallicFactor": 0.0,
        "roughnessFactor": 0.8,
    }
    # The mouth is open at the back.
    return {"name": "body", "pbrMetallicRoughness": surface, "doubleSided": True}


def _corners(
    model: BodyModel,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Float32 | None]:
    """Return the model's vertex of each of the file's, triangles, texture coordinates.

    glTF gives a vertex one texture coordinate, so that vertices on a seam are there
    more than once. Its v runs downwards.
    """
    if model.vt is None or model.ft is None:
        everything = np.arange(model.vertex_count)
        return everything, model.faces.astype(np.intp), None
    pairs = model.faces.astype(np.int64) * len(model.vt) + model.ft
    distinct, triangles = np.unique(pairs, return_inverse=True)
    source, texture = np.divmod(distinct, len(model.vt))
    uv = model.vt[texture].copy()
    uv[:, 1] = 1 - uv[:, 1]
    return source.astype(np.intp), triangles.reshape(-1, 3), uv


def _target(buffer: GltfBuffer, morph: Morph, source: npt.NDArray[np.intp]) -> int:
    place = np.full(max(source.max(), morph.vertices.max()) + 1, -1)
    place[morph.vertices] = np.arange(len(morph.vertices))
    of_corner = place[source]
    corners = np.flatnonzero(of_corner >= 0)
    return buffer.add_sparse(len(source), corners, morph.offsets[of_corner[corners]])


def _animation(buffer: GltfBuffer, take: Take, morphs: Sequence[Morph]) -> Json:
    seconds = (np.arange(len(take)) / take.mocap_frame_rate).astype(np.float32)
    time = buffer.add(seconds, bounds=True)
    samplers: list[Json] = []
    channels: list[Json] = []

    def animate(node: int, path: str, values: Float32) -> None:
        target = {"node": node, "path": path}
        channels.append({"sampler": len(samplers), "target": target})
        samplers.append({"input": time, "output": buffer.add(values)})

    animate(0, "translation", take.world_joints()[:, 0])
    xyzw = np.roll(take.rotations(), -1, axis=-1)
    for joint in range(JOINT_COUNT):
        animate(joint, "rotation", xyzw[:, joint])
    if morphs:
        weights = np.stack([morph.weights for morph in morphs], axis=1)
        animate(_BODY_NODE, "weights", weights.ravel())
    return {"name": "take", "channels": channels, "samplers": samplers}
