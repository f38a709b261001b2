"""Which web pages may listen: a browser tells where the page came from, and asks."""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from pixie_runtime.errors import UsageError

_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}


def origin_allowed(
    origin: str, *, host_header: str | None, extra: Collection[str]
) -> bool:
    """Tell whether a connection with this `Origin` header may be accepted.

    Allowed are pages of this very machine (loopback), pages served from the same IP
    address as the stream, and what the user listed. A page that shares only a *name*
    with the stream is not: a name can be pointed at this machine by whoever owns it
    (DNS rebinding). Programs that are no browsers send no origin and need not ask.

    Args:
        origin: The header; pages opened as a file send `null`.
        host_header: The request's `Host`.
        extra: Origins that the user allows besides; `*` for any.
    """
    if "*" in extra or origin.lower() in extra:
        return True
    host = host_of(origin)
    if host is None:
        return False
    if host in _LOOPBACK_NAMES:
        return True
    return is_ip(host) and host == host_of(f"//{host_header}")


def check_origins(origins: Collection[str], *, option: str) -> tuple[str, ...]:
    """Return the user's origins as browsers write them.

    Raises:
        UsageError: one is neither `SCHEME://HOST[:PORT]` nor `null` nor `*`.
    """
    for origin in origins:
        bare = origin in ("*", "null")
        if not bare and (not host_of(origin) or urlsplit(origin).path):
            raise UsageError(
                f"{option} {origin!r}: expected SCHEME://HOST[:PORT] without a path, "
                "`null` for pages opened as a file, or `*`"
            )
    return tuple(origin.lower() for origin in origins)


def host_of(url: str) -> str | None:
    """Return a URL's host in lower case; None where it has none or is no URL."""
    try:
        return urlsplit(url).hostname
    except ValueError:  # for example an unclosed bracket
        return None


def is_ip(host: str) -> bool:
    """Whether a host is an IP address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
