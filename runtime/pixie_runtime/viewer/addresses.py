"""Where the viewer is opened, and who can."""

import ipaddress
import socket

from pixie_runtime.addresses import Address

_ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses of documentation, to which nothing is sent: the way there is asked for."""


def urls_of(address: Address) -> tuple[str, ...]:
    """Return what to type into a browser: on this machine, then on others."""
    if not _is_any(address.host):
        return (f"http://{address}",)
    version = ipaddress.ip_address(address.host).version
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    here = Address("127.0.0.1" if version == 4 else "::1", address.port)
    outside = _outside(family)
    found = [here] if outside is None else [here, Address(outside, address.port)]
    return tuple(f"http://{place}" for place in found)


def greeting(address: Address) -> str:
    """Return where to open the viewer, and who can, one line."""
    line = f"viewer: {', '.join(urls_of(address))}"
    if _is_loopback(address.host):
        return line
    return f"{line} (everybody on the network can watch, and press its buttons)"


def _outside(family: socket.AddressFamily) -> str | None:
    """Return the address under which the network knows this machine, if any does."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((_ELSEWHERE[family], 9))  # of UDP: sends nothing
            return str(probe.getsockname()[0])
    except OSError:
        return None


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
