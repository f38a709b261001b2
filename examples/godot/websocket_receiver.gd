extends Reference
# JSON over a websocket, as docs/websocket.md of pixie-live describes it.

const UPRIGHT = Quat(1, 0, 0, 0)

var _client = WebSocketClient.new()
var _url = ""
var _retry_ms = 0
var _frames = []
var _body


func start(port):
	_url = "ws://127.0.0.1:%d" % port
	_client.connect("data_received", self, "_on_data")
	return OK


# Takes what has arrived; returns the numbers of the frames that are complete.
func poll(body):
	_body = body
	_frames = []
	_connect_again_if_needed()
	_client.poll()
	return _frames


func _connect_again_if_needed():
	var state = _client.get_connection_status()
	if state != NetworkedMultiplayerPeer.CONNECTION_DISCONNECTED:
		return
	if OS.get_ticks_msec() >= _retry_ms:
		_retry_ms = OS.get_ticks_msec() + 500
		_client.connect_to_url(_url, PoolStringArray(["pixie.v1.json"]))


func _on_data():
	var text = _client.get_peer(1).get_packet().get_string_from_utf8()
	var message = parse_json(text)
	match message.type:
		"hello":
			for shape in message.shapes:
				_place_joints(shape)
		"shape":
			_place_joints(message)
		"person":
			if message.track_id == 0:
				_pose(message)


func _place_joints(shape):
	if shape.track_id != 0:
		return
	for bone in range(1, shape.rest_offsets.size()):
		_body.place(bone, _vector(shape.rest_offsets[bone]))


func _pose(person):
	var pelvis = _vector(person.joints[0])
	_body.place(0, Vector3(pelvis.x, -pelvis.y, -pelvis.z))
	for bone in range(person.rotations.size()):
		var wxyz = person.rotations[bone]
		var rotation = Quat(wxyz[1], wxyz[2], wxyz[3], wxyz[0]).normalized()
		_body.turn(bone, UPRIGHT * rotation if bone == 0 else rotation)
	_frames.append(person.frame_index)


func _vector(xyz):
	return Vector3(xyz[0], xyz[1], xyz[2])
