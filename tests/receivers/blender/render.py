"""Run by Blender's own Python: draws one frame of a GLB through the take's camera.

    render.py FILE.glb OUT.png FRAME FPS WIDTH HEIGHT SAMPLES [TURN]

The picture is transparent where there is no body. TURN takes the camera that many
degrees around it. Cycles on the processor: it needs
neither a screen nor a graphics card.
"""

import math
import sys

import bpy
from mathutils import Matrix

file, out, *numbers = sys.argv[1:]
frame, fps, width, height, samples, *turns = map(int, numbers)

bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.fps = fps
bpy.ops.import_scene.gltf(filepath=file)
scene.camera = next(o for o in bpy.data.objects if o.type == "CAMERA")

# Soft light from above and the camera's left, and from everywhere.
sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
sun.data.energy, sun.data.angle = 3.0, math.radians(40)
sun.rotation_euler = (math.radians(35), math.radians(-25), 0)
scene.collection.objects.link(sun)
scene.world = bpy.data.worlds.new("world")
scene.world.use_nodes = True
scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (1, 1, 1, 1)
scene.world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.25

scene.render.engine = "CYCLES"
scene.cycles.samples = samples
scene.cycles.use_denoising = False
scene.render.film_transparent = True
scene.render.resolution_x, scene.render.resolution_y = width, height
scene.render.resolution_percentage = 100
scene.view_settings.view_transform = "Standard"
scene.render.filepath = out
scene.frame_set(frame)
for turn in turns:
    armature = next(o for o in bpy.data.objects if o.type == "ARMATURE")
    pelvis = Matrix.Translation(armature.pose.bones["pelvis"].head)
    around = pelvis @ Matrix.Rotation(math.radians(turn), 4, "Z") @ pelvis.inverted()
    scene.camera.matrix_world = around @ scene.camera.matrix_world
bpy.ops.render.render(write_still=True)
