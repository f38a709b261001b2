"""Run by Blender's own Python: draws one frame of a GLB through the take's camera.

    .venv-blender/bin/python render.py FILE.glb OUT.png FRAME FPS WIDTH HEIGHT SAMPLES

The picture is transparent where there is no body. Cycles on the processor: it needs
neither a screen nor a graphics card.
"""

import math
import sys

import bpy

file, out, *numbers = sys.argv[1:]
frame, fps, width, height, samples = map(int, numbers)

bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.fps = fps
bpy.ops.import_scene.gltf(filepath=file)
scene.camera = next(o for o in bpy.data.objects if o.type == "CAMERA")

for turn, strength in (((0.9, 0.2, 0.4), 3.0), ((1.2, 0.0, math.pi - 1), 1.0)):
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy, sun.rotation_euler = strength, turn
    scene.collection.objects.link(sun)
scene.world = bpy.data.worlds.new("world")
scene.world.use_nodes = True
scene.world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.6

scene.render.engine = "CYCLES"
scene.cycles.samples = samples
scene.cycles.use_denoising = False
scene.render.film_transparent = True
scene.render.resolution_x, scene.render.resolution_y = width, height
scene.render.resolution_percentage = 100
scene.view_settings.view_transform = "Standard"
scene.render.filepath = out
scene.frame_set(frame)
bpy.ops.render.render(write_still=True)
