# ruff: noqa: T201 (printing is what it does)
"""Receive people over OSC and print where each one's head looks.

With python-osc installed start this, then `pixie-live --demo --osc 127.0.0.1:9000`. The
messages are listed in `docs/osc.md`. Each person comes in several datagrams; a receiver
that only wants some joints can ignore how they are grouped, as this one does.

    python examples/01_osc_receiver.py [PORT]
"""

import sys
from typing import Any

try:
    from pythonosc.dispatcher import Dispatcher
    from pythonosc.osc_server import BlockingOSCUDPServer
except ImportError:
    sys.exit("this needs python-osc, which is not installed: pip install python-osc")


def on_root(address: str, *args: Any) -> None:
    """Take `/pixie/<id>/root`: the pelvis' position and rotation."""
    person = address.split("/")[2]
    x, y, z = args[:3]
    print(f"person {person}: pelvis {x:+.2f} right, {-y:+.2f} up, {z:.2f} m away")


def on_joint(address: str, *args: Any) -> None:
    """Take `/pixie/<id>/joint`: a joint's name and quaternion."""
    name, w, x, y, z = args
    if name == "head":
        print(
            f"person {address.split('/')[2]}: head {w:+.3f} {x:+.3f} {y:+.3f} {z:+.3f}"
        )


def on_alive(address: str, *args: Any) -> None:
    """Take `/pixie/alive`: frame number, seconds, how many people are in view."""
    frame, _, people = args
    if people == 0:
        print(f"frame {frame}: nobody in view")


def main() -> None:
    """Listen until interrupted."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9000
    dispatcher = Dispatcher()
    dispatcher.map("/pixie/*/root", on_root)
    dispatcher.map("/pixie/*/joint", on_joint)
    dispatcher.map("/pixie/alive", on_alive)
    with BlockingOSCUDPServer(("127.0.0.1", port), dispatcher) as server:
        print(f"listening on {port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
