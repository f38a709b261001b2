"""TLS for the websocket: a certificate and its key, checked before anybody connects."""

import contextlib
import ssl
import time
from pathlib import Path

from pixie_runtime.errors import SinkError

_NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME: we look at the dates ourselves, to name them."""
_ROUNDS = 5
"""More than a handshake in memory takes."""


def server_context(
    certificate: Path, key: Path, *, now_s: float | None = None
) -> ssl.SSLContext:
    """Return what a server needs to speak TLS.

    Args:
        certificate: PEM file with the server's certificate, and after it those that
            lead to a known authority.
        key: PEM file with its private key, without a passphrase.
        now_s: Unix time at which the certificate has to be valid; None is now.

    Raises:
        SinkError: a file is missing or no such thing, the key is not the
            certificate's, or the certificate is not valid now.
    """
    for path in (certificate, key):
        _check_readable(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # The empty passphrase is for keys that have one: OpenSSL would ask at the
        # terminal.
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        raise SinkError(_what_is_wrong(certificate, key, error)) from error
    _check_dates(certificate, context, time.time() if now_s is None else now_s)
    return context


def _check_readable(path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise SinkError(
            f"--websocket-tls: cannot read {path}: {error.strerror}"
        ) from error


def _what_is_wrong(certificate: Path, key: Path, error: ssl.SSLError) -> str:
    """Return why a certificate and a key cannot be used."""
    if error.reason == "KEY_VALUES_MISMATCH":
        return (
            f"--websocket-tls: the key {key} does not belong to the certificate "
            f"{certificate}; give the two that were made together, CERT before KEY"
        )
    if "-----BEGIN CERTIFICATE-----" not in _text(certificate):
        return (
            f"--websocket-tls: {certificate} holds no certificate in PEM format; "
            "expected CERT before KEY"
        )
    if "PRIVATE KEY-----" not in _text(key):
        return f"--websocket-tls: {key} holds no private key in PEM format"
    if "ENCRYPTED" in _text(key):
        return (
            f"--websocket-tls: the key {key} has a passphrase, and nobody could be "
            "asked for it; store it without one (openssl pkey -in KEY -out NEW)"
        )
    reason = (error.reason or str(error)).replace("_", " ").lower()
    return f"--websocket-tls: {certificate} and {key} cannot be used: {reason}"


def _text(path: Path) -> str:
    return path.read_bytes().decode("ascii", errors="replace")


def _check_dates(certificate: Path, context: ssl.SSLContext, now_s: float) -> None:
    """Raise unless the certificate is valid at `now_s`."""
    begins, ends = _validity(certificate, context)
    if now_s > ssl.cert_time_to_seconds(ends):
        raise SinkError(
            f"--websocket-tls: the certificate {certificate} expired on {ends}; "
            "make a new one"
        )
    if now_s < ssl.cert_time_to_seconds(begins):
        raise SinkError(
            f"--websocket-tls: the certificate {certificate} is not valid before "
            f"{begins}; set this machine's clock or make a new one"
        )


def _validity(certificate: Path, context: ssl.SSLContext) -> tuple[str, str]:
    """Return when the certificate's time begins and ends, from a handshake in memory.

    The standard library reads certificates of peers only. The client here trusts this
    very certificate, whoever signed it.

    Raises:
        SinkError: not even such a client accepts it.
    """
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_flags |= ssl.VerifyFlags(
        ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    )
    trusting.load_verify_locations(certificate)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    try:
        for _ in range(_ROUNDS):
            for side in (client, server):
                with contextlib.suppress(ssl.SSLWantReadError):
                    side.do_handshake()
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", None) or error.reason
        raise SinkError(
            f"--websocket-tls: no client would accept {certificate}: {reason}"
        ) from error
    found = client.getpeercert() or {}
    return str(found["notBefore"]), str(found["notAfter"])
