extends Skeleton
# A person's 55 bones, in Godot's axes: right-handed, y up, metres. Who faces the camera
# looks along +z, as models in glTF do.

# Unity's name, SMPL-X's name, Unity's name of the parent.
const BONES = [
	["Hips", "pelvis", ""],
	["LeftUpperLeg", "left_hip", "Hips"],
	["RightUpperLeg", "right_hip", "Hips"],
	["Spine", "spine1", "Hips"],
	["LeftLowerLeg", "left_knee", "LeftUpperLeg"],
	["RightLowerLeg", "right_knee", "RightUpperLeg"],
	["Chest", "spine2", "Spine"],
	["LeftFoot", "left_ankle", "LeftLowerLeg"],
	["RightFoot", "right_ankle", "RightLowerLeg"],
	["UpperChest", "spine3", "Chest"],
	["LeftToes", "left_foot", "LeftFoot"],
	["RightToes", "right_foot", "RightFoot"],
	["Neck", "neck", "UpperChest"],
	["LeftShoulder", "left_collar", "UpperChest"],
	["RightShoulder", "right_collar", "UpperChest"],
	["Head", "head", "Neck"],
	["LeftUpperArm", "left_shoulder", "LeftShoulder"],
	["RightUpperArm", "right_shoulder", "RightShoulder"],
	["LeftLowerArm", "left_elbow", "LeftUpperArm"],
	["RightLowerArm", "right_elbow", "RightUpperArm"],
	["LeftHand", "left_wrist", "LeftLowerArm"],
	["RightHand", "right_wrist", "RightLowerArm"],
	["Jaw", "jaw", "Head"],
	["LeftEye", "left_eye_smplhf", "Head"],
	["RightEye", "right_eye_smplhf", "Head"],
]
const FINGERS = [
	["Index", "index"],
	["Middle", "middle"],
	["Little", "pinky"],
	["Ring", "ring"],
	["Thumb", "thumb"],
]
const PHALANGES = ["Proximal", "Intermediate", "Distal"]

# Number of a bone by either name; the numbers are those of SMPL-X's joints.
var number = {}


func _init():
	for bone in BONES:
		_add(bone[0], bone[1], bone[2])
	for side in ["Left", "Right"]:
		for finger in FINGERS:
			var parent = side + "Hand"
			for i in range(3):
				var joint = "%s_%s%d" % [side.to_lower(), finger[1], i + 1]
				_add(side + finger[0] + PHALANGES[i], joint, parent)
				parent = side + finger[0] + PHALANGES[i]


# Says where a bone begins, relative to its parent.
func place(bone, origin):
	set_bone_rest(bone, Transform(Basis.IDENTITY, origin))


# Turns a bone, relative to its parent.
func turn(bone, rotation):
	set_bone_pose(bone, Transform(Basis(rotation), Vector3.ZERO))


# Where all bones begin, by Unity's names: metres, in this skeleton's space.
func places():
	var found = {}
	for bone in range(get_bone_count()):
		var origin = get_bone_global_pose(bone).origin
		found[get_bone_name(bone)] = [origin.x, origin.y, origin.z]
	return found


func _add(bone, joint, parent):
	add_bone(bone)
	var added = get_bone_count() - 1
	number[bone] = added
	number[joint] = added
	if parent != "":
		set_bone_parent(added, number[parent])
