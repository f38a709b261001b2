extends ImmediateGeometry
# Draws a skeleton as lines from each bone to its parent: left red, right blue.

const LEFT = Color(0.95, 0.45, 0.4)
const RIGHT = Color(0.4, 0.65, 0.95)
const MIDDLE = Color(0.9, 0.9, 0.9)


func _ready():
	var flat = SpatialMaterial.new()
	flat.flags_unshaded = true
	flat.vertex_color_use_as_albedo = true
	material_override = flat


func draw(skeleton):
	clear()
	begin(Mesh.PRIMITIVE_LINES)
	for bone in range(skeleton.get_bone_count()):
		var parent = skeleton.get_bone_parent(bone)
		if parent < 0:
			continue
		var side = skeleton.get_bone_name(bone)
		var middle = not (side.begins_with("Left") or side.begins_with("Right"))
		set_color(MIDDLE if middle else (LEFT if side.begins_with("Left") else RIGHT))
		add_vertex(skeleton.get_bone_global_pose(parent).origin)
		add_vertex(skeleton.get_bone_global_pose(bone).origin)
	end()
