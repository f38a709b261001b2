// Receives OSC over UDP with the npm package "osc"; prints its port, then every message.
const osc = require("osc");

const port = new osc.UDPPort({
  localAddress: "127.0.0.1",
  localPort: 0,
  metadata: true,
});

function print(object) {
  process.stdout.write(JSON.stringify(object) + "\n");
}

port.on("ready", () => print({ port: port.socket.address().port }));
port.on("bundle", ({ timeTag, packets }) =>
  print({
    immediately: timeTag.raw[0] === 0 && timeTag.raw[1] === 1,
    messages: packets.map(({ address, args }) => ({
      address,
      types: args.map(({ type }) => type).join(""),
      values: args.map(({ value }) => value),
    })),
  })
);
port.on("error", (error) => print({ error: error.message }));
port.open();
