import os
from pathlib import Path
from typing import Any

import pytest
import tyro

from pixie_runtime.addresses import Address
from pixie_runtime.errors import UsageError
from pixie_runtime.stream_options import StreamOptions
from pixie_runtime.vmc_settings import VmcSettings


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"osc": ("9000",)}, "--osc '9000': expected HOST:PORT"),
        ({"websocket": ("localhost:99999",)}, "'99999' is not a port"),
        ({"websocket": ("8765", "127.0.0.1:8765")}, "'127.0.0.1:8765' is there twice"),
        ({"live_link_face": ("a:b",)}, "--live-link-face 'a:b': 'b' is not a port"),
        ({"ifacialmocap": ("a", "a:49983")}, "--ifacialmocap 'a:49983' is there twice"),
        ({"ifacialmocap_listen": ("1.2.3",)}, "neither a host name nor an IP address"),
        ({"live_link_subject": "me"}, "--live-link-subject needs --live-link-face"),
        (
            {"live_link_face": ("a",), "live_link_subject": ""},
            "--live-link-subject '': expected 1 to 80 printable",
        ),
        ({"datagram": 511}, "--datagram 511: expected 512 to 65507 bytes"),
        ({"vmc": ("a",), "vmc_blends": ("vrm2",)}, "'vrm2': expected one or more of"),
        ({"vmc": ("a",), "vmc_rate": 0.5}, "--vmc-rate 0.5: expected 1 to 1000"),
        ({"vmc": ("a", "a:39539")}, "--vmc 'a:39539' is there twice"),
        ({"vmc": ("39539",)}, "'39539' is neither a host name nor an IP address"),
        ({"vmc_root": "root"}, "--vmc-root needs --vmc"),
        ({"vmc_origin": "camera"}, "--vmc-origin needs --vmc"),
        ({"vmc_blends": ("arkit",)}, "--vmc-blends needs --vmc"),
        ({"vmc_rate": 30}, "--vmc-rate needs --vmc"),
        ({"port_per_person": 2}, "--port-per-person needs an output over UDP"),
        (
            {"osc": ("a:9000",), "port_per_person": 0},
            "--port-per-person 0: expected 1 or more",
        ),
        (
            {"osc": ("a:65535",), "port_per_person": 2},
            "--osc a:65535: --port-per-person 2 ends beyond port 65535",
        ),
        ({"websocket_clients": 0}, "--websocket-clients 0: expected 1 or more"),
        ({"websocket_token": "secret-secret"}, "--websocket-token needs --websocket"),
        (
            {"websocket_tls": (Path("a"), Path("b"))},
            "--websocket-tls needs --websocket",
        ),
    ],
)
def test_streams_that_make_no_sense_are_refused_by_name(
    given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError) as caught:
        StreamOptions(**given)
    assert sentence in str(caught.value)


def test_a_websocket_without_host_stays_on_this_machine() -> None:
    options = StreamOptions(websocket=("8765",))
    assert options.websocket_addresses == (Address("127.0.0.1", 8765),)
    assert StreamOptions().websocket_addresses == ()


def test_an_output_may_be_given_any_number_of_times() -> None:
    words = "--osc 10.0.0.2:9000 --osc [::1]:9000 --websocket 1 --websocket 2"
    options = tyro.cli(StreamOptions, args=words.split())
    assert options.osc_addresses == (Address("10.0.0.2", 9000), Address("::1", 9000))
    assert [address.port for address in options.websocket_addresses] == [1, 2]


def test_outputs_for_faces_have_the_ports_of_their_apps() -> None:
    words = (
        "--live-link-face 10.0.0.2 --live-link-face [::1]:7 --live-link-subject Ann "
        "--ifacialmocap localhost --ifacialmocap-listen 0.0.0.0"
    )
    options = tyro.cli(StreamOptions, args=words.split())
    assert options.live_link_face_addresses == (
        Address("10.0.0.2", 11111),
        Address("::1", 7),
    )
    assert options.live_link_subject == "Ann"
    assert options.ifacialmocap_addresses == (Address("localhost", 49983),)
    assert options.ifacialmocap_places == (Address("0.0.0.0", 49983),)
    assert options.is_sent
    assert StreamOptions(ifacialmocap_listen=("127.0.0.1",)).is_sent


def test_origins_of_web_pages_may_be_listed_one_by_one() -> None:
    words = ["--websocket", "8765"]
    for origin in ("https://studio.example", "null"):
        words += ["--websocket-origin", origin]
    options = tyro.cli(StreamOptions, args=words)
    assert options.websocket_origin == ("https://studio.example", "null")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"websocket": ("8765",), "websocket_origin": ("studio",)}, "expected SCHEME"),
        ({"websocket_origin": ("null",)}, "needs --websocket"),
    ],
)
def test_origins_that_cannot_be_meant_are_refused(
    values: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        StreamOptions(**values)


def test_token_may_be_given_or_lie_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("from-a-file\n")
    for text, token in (("on-the-line", "on-the-line"), (f"@{path}", "from-a-file")):
        options = StreamOptions(websocket=("8765",), websocket_token=text)
        assert options.token == token
        assert token not in repr(options)
    assert StreamOptions().token is None


@pytest.mark.parametrize(
    "token", ["short", "with space", "x" * 129, "ümläut-token", ""]
)
def test_what_is_no_token_is_refused_without_repeating_it(token: str) -> None:
    with pytest.raises(UsageError) as caught:
        StreamOptions(websocket=("8765",), websocket_token=token)
    assert "expected 8 to 128 letters, digits" in str(caught.value)
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xff\xfe", b"bad token"])
def test_file_without_a_token_is_one_sentence_that_names_it(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        StreamOptions(websocket=("8765",), websocket_token=f"@{path}")
    assert str(caught.value).startswith(f"--websocket-token @{path}: ")
    assert os.linesep not in str(caught.value)


def test_certificate_and_key_are_two_words() -> None:
    words = "--websocket 8765 --websocket-tls cert.pem key.pem --websocket-clients 200"
    options = tyro.cli(StreamOptions, args=words.split())
    assert options.websocket_tls == (Path("cert.pem"), Path("key.pem"))
    assert options.websocket_clients == 200


def test_a_vmc_receiver_without_port_listens_where_they_all_do() -> None:
    options = StreamOptions(vmc=("192.168.1.20", "[::1]", "studio:40000"))
    assert [str(address) for address in options.vmc_addresses] == [
        "192.168.1.20:39539",
        "[::1]:39539",
        "studio:40000",
    ]


def test_vmc_is_as_asked_for() -> None:
    words = "--vmc a --vmc-root both --vmc-origin camera --vmc-rate 30 --datagram 1200"
    words += " --vmc-blends arkit,vrm1 --vmc-blends vrm0"
    options = tyro.cli(StreamOptions, args=words.split())
    assert options.vmc_settings == VmcSettings(
        root="both",
        origin="camera",
        expressions=("vrm0", "vrm1", "arkit"),
        rate_hz=30,
        datagram_bytes=1200,
    )
    assert StreamOptions(vmc=("a",)).vmc_settings == VmcSettings()
