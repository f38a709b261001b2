from pathlib import Path
from typing import Any

import pytest
import tyro

from pixie_runtime.addresses import Address
from pixie_runtime.errors import UsageError
from pixie_runtime.options import Options


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"realtime": True, "as_fast_as_possible": True}, "choose --realtime or"),
        ({"demo": False, "camera": "0", "loop": True}, "--loop is for --video"),
        ({"fov": 0.0}, "--fov 0: expected 5 to 170 degrees"),
        ({"fov": float("nan")}, "--fov nan: expected 5 to 170 degrees"),
        ({"max_frames": 0}, "--max-frames 0: expected 1 or more"),
        ({"osc": ("9000",)}, "--osc '9000': expected HOST:PORT"),
        ({"websocket": ("localhost:99999",)}, "'99999' is not a port"),
        ({"websocket": ("8765", "127.0.0.1:8765")}, "'127.0.0.1:8765' is there twice"),
        ({"datagram": 511}, "--datagram 511: expected 512 to 65507 bytes"),
        ({"port_per_person": 2}, "--port-per-person needs an output over UDP"),
        (
            {"osc": ("a:9000",), "port_per_person": 0},
            "--port-per-person 0: expected 1 or more",
        ),
        (
            {"osc": ("a:65535",), "port_per_person": 2},
            "--osc a:65535: --port-per-person 2 ends beyond port 65535",
        ),
        ({"results": Path("a")}, "--results is for pictures: it needs --images"),
        ({"rates": "feet=2"}, "rates: 'feet=2' in 'feet=2', expected each of body,"),
        ({"attention": "tracked"}, "--attention: only for bundles that look at images"),
        (
            {"fusion": "paper", "part": "whole"},
            "--fusion and --part: only for bundles that look at images; name one",
        ),
        (
            {"bundle": Path("a"), "part": "hand", "head_check": "off"},
            "--head-check: --part hand looks at it alone and fuses nothing",
        ),
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(
    given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError) as caught:
        Options(**{"demo": True, **given})
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("given", "real_time"),
    [
        ({}, False),
        ({"overlay": Path("a.mp4")}, False),
        ({"realtime": True}, True),
        ({"osc": ("127.0.0.1:9000",)}, True),
        ({"websocket": ("8765",)}, True),
        ({"preview": True}, True),
        ({"osc": ("127.0.0.1:9000",), "as_fast_as_possible": True}, False),
    ],
)
def test_files_play_in_real_time_where_somebody_watches(
    given: dict[str, Any], real_time: bool
) -> None:
    assert Options(demo=True, **given).plays_in_real_time is real_time


def test_a_camera_is_always_live_and_a_file_only_in_real_time() -> None:
    assert Options(camera="0").is_live
    assert Options(demo=True, realtime=True).is_live
    assert not Options(demo=True).is_live


def test_a_websocket_without_host_stays_on_this_machine() -> None:
    options = Options(websocket=("8765",))
    assert options.websocket_addresses == (Address("127.0.0.1", 8765),)
    assert Options().websocket_addresses == ()


def test_an_output_may_be_given_any_number_of_times() -> None:
    words = (
        "--camera 0 --osc 10.0.0.2:9000 --osc [::1]:9000 --websocket 1 --websocket 2"
    )
    options = tyro.cli(Options, args=words.split())
    assert options.osc_addresses == (Address("10.0.0.2", 9000), Address("::1", 9000))
    assert [address.port for address in options.websocket_addresses] == [1, 2]


def test_a_demo_without_outputs_gets_its_three_files() -> None:
    files = dict(Options(demo=True).with_demo_outputs().output_files)
    assert files == {
        "overlay video": Path("out/demo.mp4"),
        "take": Path("out/demo.npz"),
        "report": Path("out/demo.json"),
    }


@pytest.mark.parametrize(
    "given",
    [{"report": Path("r.json")}, {"osc": ("127.0.0.1:9000",)}, {"preview": True}],
)
def test_a_demo_with_outputs_gets_no_others(given: dict[str, Any]) -> None:
    options = Options(demo=True, **given)
    assert options.with_demo_outputs() == options


def test_a_video_without_outputs_writes_nothing() -> None:
    assert Options(video=Path("a.mp4")).with_demo_outputs().output_files == ()


def test_origins_of_web_pages_may_be_listed_one_by_one() -> None:
    words = ["--camera", "0", "--websocket", "8765"]
    for origin in ("https://studio.example", "null"):
        words += ["--websocket-origin", origin]
    options = tyro.cli(Options, args=words)
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
        Options(camera="0", **values)


def test_options_for_image_bundles_are_known_by_being_given() -> None:
    words = "--camera 0 --bundle b --attention tracked --head-check soft --part whole"
    options = tyro.cli(Options, args=words.split())
    assert options.image_options == ("--attention", "--head-check", "--part")
    assert Options(camera="0", bundle=Path("b")).image_options == ()
