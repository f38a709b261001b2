extends Reference
# VMC, as docs/vmc.md of pixie-live describes it.

const Osc = preload("res://osc.gd")

# Values of the face by their names, for blend shapes of your own avatar.
var face = {}
# Whether somebody is in view.
var tracking = false

var _port = PacketPeerUDP.new()
var _time = 0.0


func start(port):
	return _port.listen(port, "127.0.0.1")


# Takes what has arrived; returns the capture times of the frames that are complete.
func poll(body):
	var frames = []
	while _port.get_available_packet_count() > 0:
		for message in Osc.messages(_port.get_packet()):
			match message[0]:
				"/VMC/Ext/OK":
					tracking = message.size() > 4 and message[4] == 1
				"/VMC/Ext/T":
					_time = message[1]
				"/VMC/Ext/Bone/Pos":
					_set_bone(body, message)
				"/VMC/Ext/Blend/Val":
					face[message[1]] = message[2]
				"/VMC/Ext/Blend/Apply":
					frames.append(_time)
	return frames


# From Unity's axes: the mirror image in x, so that the avatar looks along +z.
func _set_bone(body, message):
	if message.size() < 9 or not message[1] in body.number:
		return
	var bone = body.number[message[1]]
	body.place(bone, Vector3(-message[2], message[3], message[4]))
	body.turn(bone, Quat(message[5], -message[6], -message[7], message[8]).normalized())
