extends Reference
# The raw SMPL-X stream over OSC, as docs/osc.md of pixie-live describes it.

const Osc = preload("res://osc.gd")
# Half a turn about x: from the camera frame (y down, z away) to y up, z to the camera.
const UPRIGHT = Quat(1, 0, 0, 0)

# Weights of ARKit's 52 units.
var face = []

var _port = PacketPeerUDP.new()
var _frame = 0
var _is_last_part = false


func start(port):
	return _port.listen(port, "127.0.0.1")


# Takes what has arrived; returns the numbers of the frames that are complete.
func poll(body):
	var frames = []
	while _port.get_available_packet_count() > 0:
		_is_last_part = false
		for message in Osc.messages(_port.get_packet()):
			_take(body, message)
		if _is_last_part:
			frames.append(_frame)
	return frames


func _take(body, message):
	# /pixie/0/joint: the first person; others are /pixie/1/... and so on.
	match message[0]:
		"/pixie/0/frame":
			_frame = message[1]
			_is_last_part = message[3] == message[4] - 1
		"/pixie/0/root":
			var place = Vector3(message[1], -message[2], -message[3])
			body.place(0, place)
			body.turn(0, UPRIGHT * _quat(message, 4))
		"/pixie/0/joint":
			body.turn(body.number[message[1]], _quat(message, 2))
		"/pixie/0/rest":
			_place_joints(body, message)
		"/pixie/0/arkit":
			face = message.slice(1, message.size() - 1)


# Values from number `first` on: x y z of the pelvis, then of every other joint.
func _place_joints(body, message):
	var first = message[1]
	for i in range(3, message.size()):
		var value = first + i - 3
		var bone = value / 3
		if bone == 0:
			continue  # the root's message says where the pelvis is
		var origin = body.get_bone_rest(bone).origin
		origin[value % 3] = message[i]
		body.place(bone, origin)


# Godot has x y z w.
func _quat(message, i):
	return Quat(message[i + 1], message[i + 2], message[i + 3], message[i]).normalized()
