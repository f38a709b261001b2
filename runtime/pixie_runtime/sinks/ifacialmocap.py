"""Sends a face as the iFacialMocap app does, to one receiver that need not ask."""

from pixie_runtime.addresses import Address
from pixie_runtime.face import FaceAngles, head_place
from pixie_runtime.sinks import Tick
from pixie_runtime.sinks.datagrams import DatagramSink
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


class IFacialMocapSink(DatagramSink):
    """Streams a face to one receiver that did not ask for it, as most accept.

    Args:
        address: Of the receiver.
        face: Weights of a person's face.

    Raises:
        SinkError: the host's name cannot be resolved.
    """

    def __init__(self, address: Address, *, face: FaceWeights) -> None:
        super().__init__("ifacialmocap", address, "iFacialMocap")
        self._face = face

    def send(self, tick: Tick) -> None:
        """Send the face, if one is seen."""
        datagram = first_face(tick, self._face)
        if datagram is not None:
            self._sender.send(datagram)
