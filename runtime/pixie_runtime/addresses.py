"""Network addresses as users write them: `HOST:PORT`, `PORT`, `[::1]:PORT`."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pixie_runtime.errors import UsageError

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*\.?")


@dataclass(frozen=True, slots=True)
class Address:
    """Where to send to or to listen."""

    host: str
    """A name, an IPv4 literal, or an IPv6 literal without its brackets."""
    port: int
    """1..65535; 0 where the system shall choose a free one."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(
    text: str,
    *,
    option: str,
    default_host: str | None = None,
    default_port: int | None = None,
) -> Address:
    """Read an address from the command line.

    Args:
        text: `HOST:PORT`, `[IPV6]:PORT`, or `PORT` alone where there is a default host.
        option: The option that it was given to; errors name it.
        default_host: Host of a lone port; None makes the host obligatory.
        default_port: Port of a lone host; not together with a default host.

    Raises:
        UsageError: the text is no such address.
    """
    expected = "HOST:PORT" if default_host is None else "[HOST:]PORT"
    full = text.strip()
    if default_port is not None:
        expected = "HOST[:PORT]"
        if ":" not in full or full.endswith("]"):
            full = f"{full}:{default_port}"
    host, colon, port = full.rpartition(":")
    if host.count(":") and not host.startswith("["):
        raise UsageError(
            f'{option} {text!r}: an IPv6 address goes in brackets, as in "[::1]:9000"'
        )
    if not colon or (not host and default_host is not None):
        if default_host is None:
            raise UsageError(
                f"{option} {text!r}: expected {expected}, as in 127.0.0.1:9000"
            )
        host = default_host
    elif not _is_host(host):
        raise UsageError(
            f"{option} {text!r}: {host!r} is neither a host name nor an IP address; "
            f"expected {expected}"
        )
    return Address(host.strip("[]"), _parse_port(port, text, option))


def parse_addresses(
    texts: Iterable[str],
    *,
    option: str,
    default_host: str | None = None,
    default_port: int | None = None,
) -> tuple[Address, ...]:
    """Read the addresses that an option was given, one after the other.

    Raises:
        UsageError: one is no address, or was given before.
    """
    addresses: dict[Address, None] = {}
    for text in texts:
        address = parse_address(
            text, option=option, default_host=default_host, default_port=default_port
        )
        if address in addresses:
            raise UsageError(f"{option} {text!r} is there twice; leave one out")
        addresses[address] = None
    return tuple(addresses)


def _parse_port(port: str, text: str, option: str) -> int:
    if not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65535):
        raise UsageError(
            f"{option} {text!r}: {port!r} is not a port; "
            "expected a whole number from 1 to 65535"
        )
    return int(port)


def _is_host(host: str) -> bool:
    if host.startswith("["):
        return host.endswith("]") and _is_ipv6(host[1:-1])
    if re.fullmatch(r"[0-9.]+", host):
        return _is_ipv4(host)
    return _HOST_NAME.fullmatch(host) is not None


def _is_ipv4(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


def _is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True
