"""Run by Blender's own Python: imports files as a user does and tells what is there.

    .venv-blender/bin/python read.py JOBS.json

JOBS is a list of objects: `file` (`.bvh`, `.glb` or `.usd`), `frames` (numbers from
0), `fps`, and `out`, the `.npz` to write: `bones` (names), `heads` (T, bones, 3),
`fps`; of a mesh also `keys` (names), `key_offsets` (keys, V, 3), `rest` (V, 3) and
`vertices` (T, V, 3) as Blender deforms it. Everything in metres and in the file's axes:
Blender's z-up world is turned back.
"""

import json
import sys
from typing import Any

import bpy
import numpy as np

Array = np.ndarray[Any, np.dtype[np.float32]]


def y_up(points: Array) -> Array:
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def places(points: Any, of: Any) -> Array:
    """Return the coordinates of vertices, or of a shape key, of a mesh object."""
    flat = np.empty(3 * len(points), np.float32)
    points.foreach_get("co", flat)
    world = np.array(of.matrix_world)
    return y_up(flat.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3])


def deformed(mesh: Any) -> Array:
    evaluated = mesh.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return places(evaluated.data.vertices, evaluated)


def imported(file: str, fps: int) -> tuple[Any, Any]:
    """Import into an empty scene; return the armature and the mesh, if there is one."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if file.endswith(".bvh"):
        # Centimetres; the scene takes the file's frame rate.
        bpy.ops.import_anim.bvh(filepath=file, global_scale=0.01, update_scene_fps=True)
    elif file.endswith(".usd"):
        bpy.ops.wm.usd_import(filepath=file)
    else:
        # Its times are seconds: the scene's frame rate makes frames of them.
        bpy.context.scene.render.fps = fps
        bpy.ops.import_scene.gltf(filepath=file)
    armature = next(o for o in bpy.data.objects if o.type == "ARMATURE")
    # The importer adds an icosphere to draw bones by.
    skinned = [o for o in bpy.data.objects if o.type == "MESH" and o.modifiers]
    return armature, next(iter(skinned), None)


def read(job: dict[str, Any]) -> None:
    armature, mesh = imported(job["file"], job["fps"])
    render = bpy.context.scene.render
    bones = [bone.name for bone in armature.pose.bones]
    heads, vertices = [], []
    # By default a BVH begins at frame 1, the others at 0.
    first = 1 if job["file"].endswith(".bvh") else 0
    for frame in job["frames"]:
        bpy.context.scene.frame_set(first + frame)
        world = armature.matrix_world
        heads.append([list(world @ bone.head) for bone in armature.pose.bones])
        if mesh is not None:
            vertices.append(deformed(mesh))
    found = {
        "bones": bones,
        "heads": y_up(np.array(heads, np.float32)),
        "fps": render.fps / render.fps_base,
    }
    if mesh is not None:
        basis, *keys = mesh.data.shape_keys.key_blocks
        rest = places(basis.data, mesh)
        found |= {
            "keys": [key.name for key in keys],
            "key_offsets": np.array([places(key.data, mesh) - rest for key in keys]),
            "rest": rest,
            "vertices": np.array(vertices),
        }
    np.savez(job["out"], **found)


with open(sys.argv[1], encoding="utf-8") as file:
    for job in json.load(file):
        read(job)
