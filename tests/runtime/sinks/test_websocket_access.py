"""Who gets in: origins, tokens, TLS, and how many, each with real connections."""

import logging
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from pixie_runtime.errors import SinkError
from pixie_runtime.sinks.websocket import WebsocketSink
from pixie_runtime.sinks.websocket_admission import Admission
from pixie_runtime.sinks.websocket_messages import BINARY, JSON
from pixie_runtime.sinks.websocket_tls import server_context
from tests.runtime.sinks.websocket_peers import (
    ANY_PORT,
    HANDSHAKE,
    INFO,
    client,
    first_over_tls,
    raw_socket,
    read_json,
    until,
)

TOKEN = "correct-horse-battery"


@pytest.fixture
def sink() -> Iterator[WebsocketSink]:
    sink = WebsocketSink(ANY_PORT, INFO, admission=Admission(max_clients=3))
    yield sink
    sink.close()


@pytest.fixture
def locked() -> Iterator[WebsocketSink]:
    sink = WebsocketSink(ANY_PORT, INFO, admission=Admission(token=TOKEN))
    yield sink
    sink.close()


def test_foreign_page_is_refused_and_told_the_option(sink: WebsocketSink) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        client(sink, origin="https://evil.example"),
    ):
        pass
    response = refused.value.response
    assert response.status_code == 403
    assert b"--websocket-origin https://evil.example" in (response.body or b"")


@pytest.mark.parametrize("origin", ["http://localhost:3000", None])
def test_own_page_and_plain_program_are_let_in(
    sink: WebsocketSink, origin: str | None
) -> None:
    with client(sink, origin=origin) as connection:
        assert read_json(connection)["type"] == "hello"


def test_listed_origin_is_let_in() -> None:
    sink = WebsocketSink(ANY_PORT, INFO, admission=Admission(origins=["null"]))
    with client(sink, origin="null") as connection:
        assert read_json(connection)["type"] == "hello"
    sink.close()


def test_one_client_too_many_is_turned_away(sink: WebsocketSink) -> None:
    with client(sink) as one, client(sink), client(sink):
        read_json(one)
        with pytest.raises(InvalidStatus, match="503"), client(sink):
            pass
        assert len(sink.clients) == 3


def test_of_many_that_come_at_once_no_more_stay_than_may(sink: WebsocketSink) -> None:
    with ExitStack() as opened:
        crowd = [opened.enter_context(raw_socket(sink)) for _ in range(20)]
        for raw in crowd:
            raw.sendall(HANDSHAKE)
        answers = [raw.recv(12) for raw in crowd]
        assert set(answers) <= {b"HTTP/1.1 101", b"HTTP/1.1 503"}
        until(lambda: sink.clients, lambda clients: len(clients) == 3)


@pytest.mark.parametrize(
    "known",
    [
        {"query": f"?token={TOKEN}"},
        {"query": f"?a=b&token={TOKEN}"},
        {"headers": {"Authorization": f"Bearer {TOKEN}"}},
        {"headers": {"Authorization": f"bearer  {TOKEN}"}},
    ],
)
def test_token_lets_in_from_query_and_header(
    locked: WebsocketSink, known: dict[str, Any]
) -> None:
    with client(locked, **known) as connection:
        assert read_json(connection)["type"] == "hello"


@pytest.mark.parametrize("form", [BINARY, JSON])
def test_token_lets_in_as_a_subprotocol_and_is_not_sent_back(
    locked: WebsocketSink, form: str
) -> None:
    with client(locked, f"pixie.token.{TOKEN}", form) as connection:
        assert connection.subprotocol == form
        assert read_json(connection)["type"] == "hello"
        assert [status.format for status in locked.clients] == [form]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"query": "?token="},
        {"query": f"?token={TOKEN[:-1]}"},
        {"query": f"?token={TOKEN}x"},
        {"query": f"?TOKEN={TOKEN}"},
        {"query": "?token=%ff%00"},
        {"headers": {"Authorization": TOKEN}},
        {"headers": {"Authorization": f"Basic {TOKEN}"}},
        {"headers": {"Authorization": "Bearer"}},
    ],
)
def test_without_the_token_nobody_gets_in_and_all_are_told_how(
    locked: WebsocketSink, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InvalidStatus) as refused, client(locked, **wrong):
        pass
    response = refused.value.response
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert b"?token=TOKEN" in (response.body or b"")
    assert TOKEN.encode() not in (response.body or b"")


def test_token_alone_is_no_format(locked: WebsocketSink) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        client(locked, f"pixie.token.{TOKEN}"),
    ):
        pass
    assert refused.value.response.status_code == 400
    assert TOKEN.encode() not in (refused.value.response.body or b"")


def test_page_with_the_token_still_needs_its_origin_listed(
    locked: WebsocketSink,
) -> None:
    with (
        pytest.raises(InvalidStatus, match="403"),
        client(locked, query=f"?token={TOKEN}", origin="https://evil.example"),
    ):
        pass


def test_token_is_in_no_log_not_even_when_an_application_logs_everything(
    locked: WebsocketSink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server_records = "pixie_runtime.websocket"
    caplog.set_level(logging.DEBUG, server_records)
    with client(locked, query=f"?token={TOKEN}") as connection:
        read_json(connection)
    # Its request line is quoted in the exception that the server's library logs.
    with socket.create_connection((locked.address.host, locked.address.port)) as raw:
        raw.sendall(f"GET /?token={TOKEN} HTTP/1.0\r\n\r\n".encode())
        raw.recv(100)
    locked.close()
    records = [r for r in caplog.records if r.name.startswith(server_records)]
    assert records
    said = "\n".join(logging.Formatter().format(record) for record in records)
    assert TOKEN not in said
    assert TOKEN not in repr(Admission(token=TOKEN))


def openssl(*args: str) -> None:
    subprocess.run(["openssl", *args], check=True, capture_output=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two certificates, their keys, and what is none of these."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make certificates with")
    folder = tmp_path_factory.mktemp("tls")
    for name in ("our", "other"):
        openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt"),
            *("ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"),
        )
    openssl(
        *("pkey", "-in", f"{folder}/our.key", "-aes128", "-passout", "pass:secret"),
        *("-out", f"{folder}/locked.key"),
    )
    (folder / "notes.txt").write_text("not a certificate")
    return folder


def test_with_a_certificate_clients_that_trust_it_speak_tls(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    context = server_context(folder / "our.pem", folder / "our.key")
    sink = WebsocketSink(ANY_PORT, INFO, tls=context)
    trusting = ssl.create_default_context(cafile=str(folder / "our.pem"))
    version, message = first_over_tls(sink, trusting)
    assert version in ("TLSv1.2", "TLSv1.3")
    assert message["type"] == "hello"
    strangers = ssl.create_default_context(cafile=str(folder / "other.pem"))
    with pytest.raises(ssl.SSLCertVerificationError):
        first_over_tls(sink, strangers)
    # One without TLS harms nobody.
    with socket.create_connection((sink.address.host, sink.address.port)) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert b"hello" not in raw.recv(100)
    assert first_over_tls(sink, trusting)[1]["type"] == "hello"
    sink.close()
    assert not [r for r in caplog.records if r.exc_info], "nobody's leaving is an error"


def test_peer_that_never_begins_tls_is_cut_off_and_does_not_hold_up_the_end(
    folder: Path,
) -> None:
    context = server_context(folder / "our.pem", folder / "our.key")
    sink = WebsocketSink(ANY_PORT, INFO, tls=context)
    address = (sink.address.host, sink.address.port)
    with socket.create_connection(address) as one, socket.create_connection(address):
        one.settimeout(10)
        assert one.recv(1) == b"", "cut off"
        sink.close()


@pytest.mark.parametrize(
    ("certificate", "key", "sentence"),
    [
        ("none.pem", "our.key", r"cannot read .*none\.pem: No such file"),
        ("our.pem", ".", r"cannot read .*: Is a directory"),
        ("notes.txt", "our.key", r"notes\.txt holds no certificate in PEM format"),
        ("our.key", "our.pem", r"our\.key holds no cert.*expected CERT before KEY"),
        ("our.pem", "notes.txt", r"notes\.txt holds no private key in PEM format"),
        ("our.pem", "other.key", r"other\.key does not belong to the certificate"),
        ("our.pem", "locked.key", r"locked\.key has a passphrase"),
    ],
)
def test_files_that_do_not_fit_are_one_sentence(
    folder: Path, certificate: str, key: str, sentence: str
) -> None:
    with pytest.raises(SinkError, match=f"^--websocket-tls: .*{sentence}"):
        server_context(folder / certificate, folder / key)


@pytest.mark.parametrize(
    ("now_s", "sentence"),
    [
        (4e9, r"our\.pem expired on .* GMT; make a new one"),
        (1e9, r"our\.pem is not valid before .* GMT; set this machine's clock"),
    ],
)
def test_certificate_out_of_its_time_is_one_sentence(
    folder: Path, now_s: float, sentence: str
) -> None:
    with pytest.raises(SinkError, match=sentence):
        server_context(folder / "our.pem", folder / "our.key", now_s=now_s)


def test_certificate_of_no_server_is_one_sentence(folder: Path) -> None:
    openssl(
        *("req", "-x509", "-key", f"{folder}/our.key", "-days", "30"),
        *("-subj", "/CN=someone", "-addext", "extendedKeyUsage=clientAuth"),
        *("-out", f"{folder}/client.pem"),
    )
    with pytest.raises(SinkError, match=r"no client would accept .*client\.pem: "):
        server_context(folder / "client.pem", folder / "our.key")
