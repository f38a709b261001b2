import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixie_runtime.addresses import Address, parse_address
from pixie_runtime.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:9000", Address("127.0.0.1", 9000)),
        ("localhost:1", Address("localhost", 1)),
        ("studio-pc.local:39539", Address("studio-pc.local", 39539)),
        ("[::1]:65535", Address("::1", 65535)),
        (" 10.0.0.7:8000 ", Address("10.0.0.7", 8000)),
    ],
)
def test_host_and_port_are_told_apart(text: str, expected: Address) -> None:
    assert parse_address(text, option="--osc") == expected


@pytest.mark.parametrize("text", ["8765", ":8765"])
def test_lone_port_gets_the_default_host(text: str) -> None:
    address = parse_address(text, option="--websocket", default_host="127.0.0.1")
    assert address == Address("127.0.0.1", 8765)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"expected HOST:PORT"),
        ("9000", r"expected HOST:PORT"),
        (":9000", r"'' is neither a host name nor an IP address"),
        ("localhost:", r"'' is not a port"),
        ("localhost:http", r"'http' is not a port"),
        ("localhost:0", r"from 1 to 65535"),
        ("localhost:65536", r"from 1 to 65535"),
        ("localhost:-1", r"from 1 to 65535"),
        ("localhost:²", r"'²' is not a port"),
        ("::1:9000", r"an IPv6 address goes in brackets"),
        ("[::g]:9000", r"neither a host name nor an IP address"),
        ("[::1:9000", r"neither a host name nor an IP address"),
        ("300.0.0.1:9000", r"neither a host name nor an IP address"),
        ("http://localhost:9000", r"IPv6 address goes in brackets|neither a host"),
        ("studio..local:9000", r"neither a host name nor an IP address"),
        ("a" * 64 + ".local:9000", r"neither a host name nor an IP address"),
        ("my host:9000", r"neither a host name nor an IP address"),
    ],
)
def test_bad_address_is_refused_with_the_option_named(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=rf"^--osc .*{sentence}"):
        parse_address(text, option="--osc")


@given(
    host=st.sampled_from(["127.0.0.1", "::1", "fe80::1", "localhost"]),
    port=st.integers(1, 65535),
)
def test_printed_address_reads_back(host: str, port: int) -> None:
    address = Address(host, port)
    assert parse_address(str(address), option="--osc") == address


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_a_usage_error(text: str) -> None:
    try:
        address = parse_address(text, option="--websocket", default_host="127.0.0.1")
    except UsageError:
        return
    assert address.host
    assert 1 <= address.port <= 65535
