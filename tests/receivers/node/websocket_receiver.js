// Receives a websocket with the npm package "ws"; prints every message as JSON. Reads
// binary frames by what the hello says of them, and knows nothing else.
//
//     node websocket_receiver.js URL SUBPROTOCOL...
const WebSocket = require("ws");

const [url, ...subprotocols] = process.argv.slice(2);
const socket = new WebSocket(url, subprotocols);
let layout;

function print(object) {
  process.stdout.write(JSON.stringify(object) + "\n");
}

function decoded(data) {
  const readers = {
    uint32: [4, (at) => data.readUInt32LE(at)],
    float32: [4, (at) => data.readFloatLE(at)],
    float64: [8, (at) => data.readDoubleLE(at)],
    bytes: [1, (at) => data.readUInt8(at)],
  };
  const entries = layout.fields.map(({ name, type, shape, offset }) => {
    const count = shape.reduce((product, length) => product * length, 1);
    const [size, read] = readers[type];
    return [name, Array.from({ length: count }, (_, i) => read(offset + i * size))];
  });
  return { type: "binary", bytes: data.length, ...Object.fromEntries(entries) };
}

socket.on("open", () =>
  print({ type: "open", subprotocol: socket.protocol, extensions: socket.extensions })
);
socket.on("message", (data, isBinary) => {
  if (isBinary) {
    print(decoded(data));
    return;
  }
  const message = JSON.parse(data.toString());
  if (message.type === "hello") layout = message.binary;
  print(message);
});
socket.on("close", (code) => print({ type: "close", code }));
socket.on("error", (error) => print({ type: "error", error: error.message }));
