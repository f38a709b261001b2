extends Reference
# Reads OSC datagrams, as far as pixie-live sends them: bundles of messages whose
# arguments are integers, floats and strings.


# Returns messages, each an array: the address, then the arguments. What is no OSC, or
# ends too early, is left out.
static func messages(datagram):
	var found = []
	var stream = StreamPeerBuffer.new()
	stream.big_endian = true
	stream.data_array = datagram
	if datagram.size() < 16 or _text(stream) != "#bundle":
		return found
	stream.seek(16)
	while stream.get_position() + 4 <= datagram.size():
		var size = stream.get_32()
		var end = stream.get_position() + size
		if size <= 0 or end > datagram.size():
			break
		found.append(_message(stream, end))
		stream.seek(end)
	return found


static func _message(stream, end):
	var message = [_text(stream)]
	var types = _text(stream)
	for i in range(1, types.length()):
		if stream.get_position() + 4 > end:
			break
		match types[i]:
			"f":
				message.append(stream.get_float())
			"i":
				message.append(stream.get_32())
			"s":
				message.append(_text(stream))
	return message


# Reads a string that ends with a zero and is filled up to a multiple of four bytes.
static func _text(stream):
	var bytes = stream.data_array
	var start = stream.get_position()
	var end = start
	while end < bytes.size() and bytes[end] != 0:
		end += 1
	stream.seek(int(min((end / 4 + 1) * 4, bytes.size())))
	if end == start:
		return ""
	return bytes.subarray(start, end - 1).get_string_from_utf8()
