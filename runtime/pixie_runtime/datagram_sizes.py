"""How long the datagrams may be that go out over UDP."""

DEFAULT_DATAGRAM_BYTES = 1400
"""Fits one Ethernet frame (1472) with room for what VPNs and Wi-Fi add."""
SMALLEST_DATAGRAM_BYTES = 512
"""Every IPv4 network passes these whole: 576 with the headers."""
LARGEST_DATAGRAM_BYTES = 65507
"""What IPv4 can carry."""
