import pytest

from pixie_runtime.viewer.access import refusal


@pytest.mark.parametrize(
    ("host", "origin", "listening_on"),
    [
        ("127.0.0.1:8700", None, "127.0.0.1"),
        ("localhost:8700", "http://localhost:8700", "127.0.0.1"),
        ("[::1]:8700", "http://[::1]:8700", "::1"),
        ("192.168.1.5:8700", "http://192.168.1.5:8700", "0.0.0.0"),
        ("studio.local:8700", "http://Studio.local:8700", "studio.local"),
        ("127.0.0.1:8443", "https://127.0.0.1:8443", "127.0.0.1"),
    ],
)
def test_the_viewer_s_own_page_and_programs_may_connect(
    host: str, origin: str | None, listening_on: str
) -> None:
    origins = [] if origin is None else [origin]
    assert refusal([host], origins, listening_on=listening_on) is None


@pytest.mark.parametrize(
    ("hosts", "origins"),
    [
        (["127.0.0.1:8700"], ["http://evil.example"]),
        (["127.0.0.1:8700"], ["null"]),
        (["127.0.0.1:8700"], ["http://127.0.0.1:3000"]),
        (["127.0.0.1:8700"], ["http://localhost:8700"]),
        (["127.0.0.1:8700"], ["http://127.0.0.1:8700", "http://evil.example"]),
        # A name that somebody points at this machine: page and socket agree.
        (["evil.example:8700"], ["http://evil.example:8700"]),
        (["evil.example:8700"], []),
        (["localhost.evil.example:8700"], []),
        (["[::1"], []),
        ([""], []),
        ([], []),
        (["127.0.0.1:8700", "evil.example"], []),
    ],
)
def test_other_pages_and_names_are_refused(
    hosts: list[str], origins: list[str]
) -> None:
    assert refusal(hosts, origins, listening_on="127.0.0.1")
