"""Who may connect to the websocket: pure decisions from a request's headers."""

import contextlib
import hmac
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from pixie_runtime.web_origins import origin_allowed

TOKEN_SUBPROTOCOL = "pixie.token."
"""What a token begins with where it is offered as a subprotocol."""
HEADERS = ("Host", "Origin", "Authorization", "Sec-WebSocket-Protocol")
"""What it takes to decide."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a client is turned away, as it is told."""

    status: HTTPStatus
    sentence: str


@dataclass(frozen=True, slots=True)
class Admission:
    """Decides who is let in."""

    origins: Collection[str] = ()
    """Origins of web pages allowed besides this machine's own."""
    token: str | None = field(default=None, repr=False)
    """What every client has to know."""
    max_clients: int = 128
    """How many may be connected at one time."""

    def refusal(
        self, path: str, headers: Mapping[str, Sequence[str]], clients: int
    ) -> Refusal | None:
        """Return why a request is turned away, or None.

        Args:
            path: Of the request, with its query.
            headers: Values of each of `HEADERS`, as often as it was sent.
            clients: How many are connected.
        """
        host = next(iter(headers["Host"]), None)
        for origin in headers["Origin"]:
            if not origin_allowed(origin, host_header=host, extra=self.origins):
                return Refusal(
                    HTTPStatus.FORBIDDEN,
                    f"Pages from {origin} may not listen; "
                    f"allow them with --websocket-origin {origin}",
                )
        if self.token is not None and not _offers(self.token, path, headers):
            return Refusal(
                HTTPStatus.UNAUTHORIZED,
                "A token is needed: in the URL as ?token=TOKEN, as a header "
                f"Authorization: Bearer TOKEN, or as a subprotocol "
                f"{TOKEN_SUBPROTOCOL}TOKEN beside the format",
            )
        if clients >= self.max_clients:
            return Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"There are {self.max_clients} clients already; "
                "more are let in with --websocket-clients",
            )
        return None


def _offers(token: str, path: str, headers: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether a request knows the token; how long it takes tells nothing of it."""
    expected = token.encode()
    offered = [text.encode(errors="replace") for text in _offered(path, headers)]
    return any(hmac.compare_digest(one, expected) for one in offered)


def _offered(path: str, headers: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield everything that a request gives as its token."""
    with contextlib.suppress(ValueError):  # a path that is none, or too many fields
        yield from parse_qs(urlsplit(path).query).get("token", ())
    for value in headers["Authorization"]:
        scheme, _, credentials = value.strip().partition(" ")
        if scheme.lower() == "bearer":
            yield credentials.strip()
    for value in headers["Sec-WebSocket-Protocol"]:
        for subprotocol in value.split(","):
            name = subprotocol.strip()
            if name.startswith(TOKEN_SUBPROTOCOL):
                yield name.removeprefix(TOKEN_SUBPROTOCOL)
