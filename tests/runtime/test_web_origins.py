import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixie_runtime.errors import UsageError
from pixie_runtime.web_origins import check_origins, origin_allowed

HOST = "192.168.1.5:8765"


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:3000",
        "https://127.0.0.1",
        "http://[::1]:8080",
        "http://192.168.1.5",
        "http://192.168.1.5:8000",
    ],
)
def test_pages_of_this_machine_and_of_the_same_address_may_listen(origin: str) -> None:
    assert origin_allowed(origin, host_header=HOST, extra=())


@pytest.mark.parametrize(
    "origin",
    [
        "https://example.com",
        "http://192.168.1.6",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://example.com#localhost",
        "null",
        "file://",
        "",
        "http://[::1",
    ],
)
def test_other_pages_may_not(origin: str) -> None:
    assert not origin_allowed(origin, host_header=HOST, extra=())


def test_page_whose_name_was_pointed_at_this_machine_may_not() -> None:
    rebound = "evil.example:8765"
    assert not origin_allowed(f"http://{rebound}", host_header=rebound, extra=())


@pytest.mark.parametrize(
    ("listed", "origin"),
    [
        ("null", "null"),
        ("https://studio.example", "https://Studio.example"),
        ("*", "https://anything.example"),
    ],
)
def test_listed_pages_may_listen(listed: str, origin: str) -> None:
    extra = check_origins([listed], option="--websocket-origin")
    assert origin_allowed(origin, host_header=HOST, extra=extra)


@pytest.mark.parametrize("origin", ["example.com", "https://a.example/page", "", "//"])
def test_what_no_browser_sends_is_refused_as_an_option(origin: str) -> None:
    with pytest.raises(UsageError, match=r"^--websocket-origin .*expected SCHEME://"):
        check_origins([origin], option="--websocket-origin")


@given(st.text())
def test_no_header_is_an_error(text: str) -> None:
    assert origin_allowed(text, host_header=text, extra=()) in (True, False)
