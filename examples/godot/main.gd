extends Spatial
# Receives people from pixie-live and poses a skeleton with them.
#
#     pixie-live --camera 0 --vmc 127.0.0.1          (VMC, the default here)
#     pixie-live --camera 0 --osc 127.0.0.1:9000     (Input: OSC)
#     pixie-live --camera 0 --websocket 8765         (Input: WEBSOCKET)
#
# Without a camera: pixie-live --demo --loop --vmc 127.0.0.1
#
# From a command line: godot3 --path examples/godot -- --input osc --port 9000 --print

const PORTS = {"vmc": 39539, "osc": 9000, "websocket": 8765}
const Receivers = {
	"vmc": preload("res://vmc_receiver.gd"),
	"osc": preload("res://osc_receiver.gd"),
	"websocket": preload("res://websocket_receiver.gd"),
}

export(String, "vmc", "osc", "websocket") var input = "vmc"
# 0: the usual port of the input.
export(int) var port = 0
# Prints where all bones are, in metres, as one line of JSON a frame.
export(bool) var print_bones = false

var receiver


func _ready():
	_read_command_line()
	if not input in Receivers:
		printerr("--input %s: expected vmc, osc or websocket" % input)
		get_tree().quit(2)
		return
	receiver = Receivers[input].new()
	var chosen = port if port > 0 else PORTS[input]
	if receiver.start(chosen) != OK:
		printerr("cannot listen on port %d: is another receiver running?" % chosen)
		get_tree().quit(1)
		return
	print("%s on port %d" % [input, chosen])


func _process(_delta):
	if receiver == null:
		return
	for frame in receiver.poll($Body):
		$Bones.draw($Body)
		if print_bones:
			print(to_json({"frame": frame, "bones": $Body.places()}))


func _read_command_line():
	var words = OS.get_cmdline_args()
	for i in range(words.size()):
		match words[i]:
			"--input":
				input = words[i + 1]
			"--port":
				port = int(words[i + 1])
			"--print":
				print_bones = true
				# As often as frames may come, not as often as a screen shows them.
				Engine.target_fps = 500
