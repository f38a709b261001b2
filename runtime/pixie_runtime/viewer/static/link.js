// The connection to the server: comes back by itself, and says when it can take more.

const RETRY_MS = 1000;

export class Link {
  constructor({ opened, closed, text, binary }) {
    this.handlers = { opened, closed, text, binary };
    this.connect();
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/socket`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.handlers.opened();
    this.socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.handlers.text(JSON.parse(data));
      else this.handlers.binary(data);
    };
    this.socket.onclose = () => {
      this.handlers.closed();
      setTimeout(() => this.connect(), RETRY_MS);
    };
  }

  send(name, value) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ [name]: value }));
  }
}
