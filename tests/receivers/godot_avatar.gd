extends SceneTree
# Lets avatar.gd move an avatar of other proportions, whose bones rest with axes askew;
# prints both skeletons' bones after every frame.

const Body = preload("res://body.gd")
const Avatar = preload("res://avatar.gd")
const VmcReceiver = preload("res://vmc_receiver.gd")

# Directions of an avatar's bones in its T-pose, looking along +z; its left is +x.
const ALONG = {
	"LowerArm": Vector3(1, 0, 0),
	"Hand": Vector3(1, 0, 0),
	"LowerLeg": Vector3(0, -1, 0),
	"Foot": Vector3(0, -1, 0),
}

var body = Body.new()
var avatar = Skeleton.new()
var follower = Avatar.new()
var receiver = VmcReceiver.new()


func _init():
	Engine.target_fps = 500
	_build_avatar()
	root.add_child(body)
	root.add_child(avatar)
	var words = OS.get_cmdline_args()
	for i in range(words.size()):
		if words[i] == "--port":
			receiver.start(int(words[i + 1]))
	print("listening")


func _iteration(_delta):
	for _frame in receiver.poll(body):
		follower.follow(body, avatar)
		print(to_json({"body": body.places(), "avatar": _places()}))


func _build_avatar():
	var standing = []
	for bone in range(body.get_bone_count()):
		var unity = body.get_bone_name(bone)
		var parent = body.get_bone_parent(bone)
		var askew = Basis(Vector3(1, bone, 2).normalized(), 0.7 * bone)
		var origin = Vector3(0.02, 0.1, 0.01)
		for end in ALONG:
			if unity.ends_with(end):
				origin = 0.17 * ALONG[end]
				if unity.begins_with("Right"):
					origin.x = -origin.x
		var above = standing[parent] if parent >= 0 else Transform.IDENTITY
		var global = Transform(askew, above.origin + origin)
		standing.append(global)
		avatar.add_bone("rig_" + unity)
		follower.names[unity] = "rig_" + unity
		if parent >= 0:
			avatar.set_bone_parent(bone, parent)
		avatar.set_bone_rest(bone, above.inverse() * global)


func _places():
	var found = {}
	for bone in range(avatar.get_bone_count()):
		var origin = avatar.get_bone_global_pose(bone).origin
		found[body.get_bone_name(bone)] = [origin.x, origin.y, origin.z]
	return found


func _finalize():
	follower.free()
