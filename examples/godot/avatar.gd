extends Node
# Moves an imported avatar (glTF, VRM 1) as the received body moves. For VMC: only its
# rotations are from a T-pose, which avatars rest in.
#
# Put the avatar into main.tscn, add a Node with this script, choose both skeletons, and
# list in `names` what your avatar's bones are called, such as {"Hips": "J_Bip_C_Hips"}.
# Bones that are called as Unity calls them need not be listed; those that the avatar
# lacks are left out.

export(NodePath) var body_path = NodePath("../Body")
export(NodePath) var skeleton_path
export(Dictionary) var names = {}
# Steps of a smaller avatar are smaller: its hips' height over the person's.
export(float) var stride = 1.0

onready var _body = get_node(body_path)
onready var _skeleton = get_node(skeleton_path)


func _process(_delta):
	follow(_body, _skeleton)


func follow(body, skeleton):
	var followed = _followed(body, skeleton)
	# How each bone stands in its skeleton: at rest, and now. Parents come first.
	var rest = []
	var now = []
	for bone in range(skeleton.get_bone_count()):
		var local = skeleton.get_bone_rest(bone)
		var parent = skeleton.get_bone_parent(bone)
		var rest_above = rest[parent] if parent >= 0 else Basis.IDENTITY
		var now_above = now[parent] if parent >= 0 else Basis.IDENTITY
		rest.append(rest_above * local.basis)
		var turned = now_above * local.basis
		if bone in followed:
			# The body's bones rest with the skeleton's own axes, so that where they
			# have turned to is how far the avatar's bones turn from rest.
			turned = body.get_bone_global_pose(followed[bone]).basis * rest[bone]
		now.append(turned)
		var pose = Transform((now_above * local.basis).inverse() * turned, Vector3.ZERO)
		if followed.get(bone, -1) == 0:
			var place = now_above.inverse() * body.get_bone_global_pose(0).origin * stride
			pose.origin = local.basis.inverse() * (place - local.origin)
		skeleton.set_bone_pose(bone, pose)


# The body's bone for each of the avatar's bones that has one.
func _followed(body, skeleton):
	var followed = {}
	for bone in range(body.get_bone_count()):
		var unity = body.get_bone_name(bone)
		var found = skeleton.find_bone(names.get(unity, unity))
		if found >= 0:
			followed[found] = bone
	return followed
