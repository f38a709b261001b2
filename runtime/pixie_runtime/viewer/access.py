"""Who may talk to the viewer: pure decisions from a request's headers.

The page has buttons. A website that the user happens to visit must be able neither to
press them nor to watch, even if its name was pointed at this machine (DNS rebinding).
"""

from collections.abc import Sequence

from pixie_runtime.web_origins import host_of, is_ip

_LOOPBACK_NAME = "localhost"


def refusal(
    hosts: Sequence[str], origins: Sequence[str], *, listening_on: str
) -> str | None:
    """Return why a request is refused, one sentence, or None.

    The host must be an IP address, `localhost`, or the very name that the user gave to
    listen on: other names are whoever's. An origin, which browsers send with every
    websocket, must be the viewer's own page. Programs that are no browsers send none.

    Args:
        hosts: The request's `Host` headers.
        origins: Its `Origin` headers.
        listening_on: The host that the user gave.
    """
    if len(hosts) != 1:
        return "A request has one Host header"
    host = host_of(f"//{hosts[0]}")
    if host is None or not (
        host in (_LOOPBACK_NAME, listening_on.lower()) or is_ip(host)
    ):
        return (
            "This name is not known here: open the viewer by its IP address, "
            "or by the name that it was told to listen on"
        )
    own = {f"{scheme}://{hosts[0].lower()}" for scheme in ("http", "https")}
    for origin in origins:
        if origin.lower() not in own:
            return "Only the viewer's own page may connect"
    return None
