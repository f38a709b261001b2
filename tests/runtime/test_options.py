import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tyro

from pixie_runtime.cli import main as pixie_live
from pixie_runtime.errors import UsageError
from pixie_runtime.options import Options, with_view_port
from pixie_runtime.stream_options import StreamOptions
from pixie_runtime.takes.cli import Convert, Info, Replay, View
from pixie_runtime.takes.cli import main as pixie_take

_OSC = StreamOptions(osc=("127.0.0.1:9000",))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"realtime": True, "as_fast_as_possible": True}, "choose --realtime or"),
        ({"demo": False, "camera": "0", "loop": True}, "--loop is for --video"),
        ({"fov": 0.0}, "--fov 0: expected 5 to 170 degrees"),
        ({"fov": float("nan")}, "--fov nan: expected 5 to 170 degrees"),
        ({"max_frames": 0}, "--max-frames 0: expected 1 or more"),
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
    ("main", "words", "classes"),
    [
        (pixie_live, [], [Options, StreamOptions]),
        (pixie_take, ["info"], [Info]),
        (pixie_take, ["convert"], [Convert]),
        (pixie_take, ["replay"], [Replay, StreamOptions]),
        (pixie_take, ["view"], [View]),
    ],
)
def test_help_on_80_columns_has_no_line_that_is_broken_twice(
    main: Callable[[list[str]], int],
    words: list[str],
    classes: list[type],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    text = capsys.readouterr().out
    for source in map(inspect.getsource, classes):
        _, *helps = re.findall(r'^    """(.*?)"""$', source, re.MULTILINE | re.DOTALL)
        assert helps
        for line in "\n".join(helps).splitlines():
            assert line.strip() in text


@pytest.mark.parametrize(
    ("main", "words", "sentence"),
    [
        (pixie_live, "--max-frames abc", "--max-frames: expected a whole number, not"),
        (pixie_live, "--vmc-rate abc", "--vmc-rate: expected a number, not 'abc'"),
        (pixie_live, "--part foot", "expected whole, head or hand, not 'foot'"),
        (pixie_take, "convert a --fps 24", "--fps: expected 30 or 60, not '24'"),
        (pixie_take, "convert a --to fbx", "expected npz, bvh, glb, usd or csv, not"),
    ],
)
def test_a_value_of_another_kind_is_one_sentence(
    main: Callable[[list[str]], int],
    words: str,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words.split())
    said = capsys.readouterr().err
    assert sentence in said
    assert "None" not in said


def test_optional_values_are_read() -> None:
    words = (
        "--demo --max-frames 3 --vmc 127.0.0.1 --vmc-rate 2.5 --bundle b --part hand"
    )
    options = tyro.cli(Options, args=words.split())
    assert (options.max_frames, options.part) == (3, "hand")
    assert options.streaming.vmc_rate == 2.5
    assert tyro.cli(Convert, args=["a", "--to", "npz", "--fps", "60"]).fps == 60


@pytest.mark.parametrize(
    ("given", "real_time"),
    [
        ({}, False),
        ({"overlay": Path("a.mp4")}, False),
        ({"realtime": True}, True),
        ({"streaming": _OSC}, True),
        ({"streaming": StreamOptions(websocket=("8765",))}, True),
        ({"streaming": StreamOptions(vmc=("127.0.0.1",))}, True),
        ({"streaming": StreamOptions(live_link_face=("127.0.0.1",))}, True),
        ({"streaming": StreamOptions(ifacialmocap_listen=("0.0.0.0",))}, True),
        ({"preview": True}, True),
        ({"view": "8700"}, True),
        ({"streaming": _OSC, "as_fast_as_possible": True}, False),
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


def test_a_demo_without_outputs_gets_its_three_files() -> None:
    files = dict(Options(demo=True).with_demo_outputs().output_files)
    assert files == {
        "overlay video": Path("out/demo.mp4"),
        "take": Path("out/demo.npz"),
        "report": Path("out/demo.json"),
    }


@pytest.mark.parametrize(
    "given",
    [{"report": Path("r.json")}, {"streaming": _OSC}, {"preview": True}],
)
def test_a_demo_with_outputs_gets_no_others(given: dict[str, Any]) -> None:
    options = Options(demo=True, **given)
    assert options.with_demo_outputs() == options


def test_a_video_without_outputs_writes_nothing() -> None:
    assert Options(video=Path("a.mp4")).with_demo_outputs().output_files == ()


def test_options_for_image_bundles_are_known_by_being_given() -> None:
    words = "--camera 0 --bundle b --attention tracked --head-check soft --part whole"
    options = tyro.cli(Options, args=words.split())
    assert options.image_options == ("--attention", "--head-check", "--part")
    assert Options(camera="0", bundle=Path("b")).image_options == ()


def test_streams_are_named_like_all_other_options() -> None:
    words = "--camera 0 --osc 10.0.0.2:9000 --websocket 1"
    streams = tyro.cli(Options, args=words.split()).streaming
    assert streams == StreamOptions(osc=("10.0.0.2:9000",), websocket=("1",))
    with pytest.raises(UsageError, match="expected HOST:PORT"):
        tyro.cli(Options, args=["--camera", "0", "--osc", "9000"])


def test_a_report_shows_the_options_and_no_token() -> None:
    words = "--demo --websocket 8765 --websocket-token secret-secret --report r.json"
    shown = tyro.cli(Options, args=words.split()).shown()
    assert json.loads(json.dumps(shown)) == shown
    assert (shown["demo"], shown["report"]) == (True, "r.json")
    assert (shown["websocket"], shown["websocket_token"]) == (["8765"], "given")
    assert Options().shown()["websocket_token"] is None


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (["--demo", "--view"], "127.0.0.1:8700"),
        (["--view", "--demo"], "127.0.0.1:8700"),
        (["--demo", "--view", "9001"], "127.0.0.1:9001"),
        (["--demo", "--view", "0.0.0.0:80", "--loop"], "0.0.0.0:80"),
    ],
)
def test_view_may_stand_alone_or_name_its_address(
    typed: list[str], address: str
) -> None:
    options = tyro.cli(Options, args=with_view_port(typed))
    assert str(options.view_address) == address
    assert options.is_watched
    assert options.with_demo_outputs() == options


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"view": "everywhere"}, "--view 'everywhere'"),
        ({"view": "8700", "images": Path("a"), "results": Path("b")}, "--view shows"),
    ],
)
def test_a_view_that_makes_no_sense_is_refused(
    given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(sentence)):
        Options(**given)
