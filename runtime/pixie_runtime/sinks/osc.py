"""Sends people over OSC, as UDP datagrams that nothing waits for."""

from pixie_runtime.addresses import Address
from pixie_runtime.datagram_sizes import DEFAULT_DATAGRAM_BYTES
from pixie_runtime.sinks import Tick
from pixie_runtime.sinks.datagrams import DatagramSink
from pixie_runtime.sinks.faces import FaceWeights
from pixie_runtime.sinks.osc_messages import alive_datagram, person_datagrams


class OscSink(DatagramSink):
    """Streams every tick to one receiver; `docs/osc.md` lists the messages.

    Args:
        address: Of the receiver.
        datagram_bytes: The longest datagram to send.
        face: Weights of a person's face; None sends none.

    Raises:
        SinkError: the host's name cannot be resolved.
    """

    def __init__(
        self,
        address: Address,
        *,
        datagram_bytes: int = DEFAULT_DATAGRAM_BYTES,
        face: FaceWeights | None = None,
    ) -> None:
        super().__init__("osc", address, "OSC")
        self._datagram_bytes = datagram_bytes
        self._face = face

    def send(self, tick: Tick) -> None:
        """Send the liveness message, then each person's datagrams."""
        self._sender.send(alive_datagram(tick))
        for person in tick.people:
            arkit = None if self._face is None else self._face(person)
            for datagram in person_datagrams(person, self._datagram_bytes, arkit):
                self._sender.send(datagram)
