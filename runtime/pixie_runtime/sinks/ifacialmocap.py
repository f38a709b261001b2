"""Sends a face as the iFacialMocap app does, to one receiver that need not ask."""

from pixie_runtime.addresses import Address
from pixie_runtime.face import FaceAngles, head_place
from pixie_runtime.sinks import Tick, Traffic
from pixie_runtime.sinks.datagrams import DatagramSender
from pixie_runtime.sinks.faces import FaceWeights
from pixie_runtime.sinks.ifacialmocap_messages import face_datagram


def first_face(tick: Tick, face: FaceWeights, *, separator: str = "-") -> bytes | None:
    """Encode the first face that is seen, since receivers know of one person.

    None: none is seen, and nothing is to be sent.
    """
    for person in tick.people:
        if person.confidence.face:
            angles, place = FaceAngles.of(person), head_place(person)
            return face_datagram(face(person), angles, place, separator=separator)
    return None


class IFacialMocapSink:
    """Streams a face to one receiver that did not ask for it, as most accept.

    Args:
        address: Of the receiver.
        face: Weights of a person's face.

    Raises:
        SinkError: the host's name cannot be resolved.
    """

    def __init__(self, address: Address, *, face: FaceWeights) -> None:
        self._address = address
        self._face = face
        self._sender = DatagramSender(address, "iFacialMocap")

    @property
    def name(self) -> str:
        """`ifacialmocap` and the receiver's address."""
        return f"ifacialmocap {self._address}"

    @property
    def dropped(self) -> int:
        """Datagrams that are known not to have arrived."""
        return self._sender.dropped

    @property
    def traffic(self) -> Traffic:
        """Datagrams sent and dropped."""
        return Traffic(self._sender.sent, self._sender.dropped)

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence about the first datagram that was lost, if any was."""
        return self._sender.warnings

    def send(self, tick: Tick) -> None:
        """Send the face, if one is seen."""
        datagram = first_face(tick, self._face)
        if datagram is not None:
            self._sender.send(datagram)

    def close(self) -> None:
        """Free the socket."""
        self._sender.close()
