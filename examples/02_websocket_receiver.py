# ruff: noqa: T201 (printing is what it does)
"""Receive people over a websocket and print how old each frame is on arrival.

Start `pixie-live --demo --loop --websocket 8765`, then this. The reader of the binary
frames is built from what the hello announces, as a receiver in any language can; the
messages are listed in `docs/websocket.md`.

    python examples/02_websocket_receiver.py [URL]
"""

import json
import sys
import time
from typing import Any

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol


def dtype_from(hello: dict[str, Any]) -> np.dtype[np.void]:
    """Build a numpy layout from the fields that the hello announces."""
    codes = {"bytes": "S", "uint32": "<u4", "float32": "<f4", "float64": "<f8"}
    fields = []
    for field in hello["binary"]["fields"]:
        code, shape = codes[field["type"]], tuple(field["shape"])
        fields.append(
            (field["name"], f"S{shape[0]}")
            if code == "S"
            else (field["name"], code, shape)
        )
    return np.dtype(fields)


def main() -> None:
    """Print until the stream ends."""
    url = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8765"
    try:
        connection = connect(url, subprotocols=[Subprotocol("pixie.v1.bin")])
    except OSError as error:
        sys.exit(f"cannot connect to {url} ({error}): start pixie-live first")
    with connection as stream:
        hello = json.loads(stream.recv())
        print(f"connected: {len(hello['joint_names'])} joints", flush=True)
        dtype = dtype_from(hello)
        while True:
            try:
                message = stream.recv()
            except ConnectionClosed:
                return
            if isinstance(message, str):
                print(json.loads(message)["type"], flush=True)
                continue
            person = np.frombuffer(message, dtype)[0]
            # Right on the sender's own machine, where both read the same clock.
            age_ms = (time.monotonic() - person["t_capture_s"]) * 1e3
            x, y, z = person["joints"][0]
            print(
                f"person {person['track_id']} frame {person['frame_index']}: "
                f"pelvis {x:+.2f} {y:+.2f} {z:+.2f} m, {age_ms:.0f} ms old",
                flush=True,
            )


if __name__ == "__main__":
    main()
