import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixie_runtime.errors import SinkError
from pixie_runtime.report import Durations, RunReport, Spread, write_json
from pixie_runtime.sinks import Traffic

REPORT = RunReport(
    source="clip.mp4",
    frames=90,
    people_frames=45,
    source_dropped=3,
    seconds=3.0,
    latency_ms=Spread(20.0, 30.0, 40.0, 50.0),
    stages_ms={"landmarks": Spread(15.0, 20.0, 25.0, 30.0)},
    outputs={
        "osc 127.0.0.1:9000": Traffic(sent=270, dropped=1),
        "websocket 127.0.0.1:8765": Traffic(89, 0, clients=0, connections=1),
        "take a.npz": Traffic(sent=None, dropped=0),
        "preview": Traffic(sent=None, dropped=4),
    },
    warnings=("the receiver is gone",),
    setup={"bundle": "tiny", "head_check": "soft"},
    summaries=("results: a folder",),
)


@given(
    st.lists(st.floats(0.01, 1e5), min_size=1, max_size=50),
    st.sampled_from([1, 25, 50, 95, 99, 100]),
)
def test_percentiles_are_those_of_the_durations_to_one_percent(
    durations: list[float], percent: float
) -> None:
    histogram = Durations()
    for duration in durations:
        histogram.add(duration)
    exact = np.percentile(durations, percent, method="inverted_cdf")
    assert histogram.percentile(percent) == pytest.approx(exact, rel=0.0101)


def test_no_durations_have_no_spread() -> None:
    assert Durations().spread() == Spread(0.0, 0.0, 0.0, 0.0)


def test_a_duration_beyond_the_last_bin_is_counted_there() -> None:
    histogram = Durations()
    histogram.add(1e12)
    histogram.add(0.0)
    assert histogram.spread().max == 1e12
    assert histogram.percentile(1) == pytest.approx(0.001, rel=0.01)


def test_the_text_says_rates_latencies_losses_and_warnings() -> None:
    text = REPORT.text()
    for expected in (
        "90 frames of clip.mp4 in 3.0 s: 30.0 fps, somebody in 50% of them",
        "with bundle tiny, head check soft",
        "grab to send 20.0 ms (median), 30.0 ms (95%)",
        "landmarks 15.0",
        "dropped: 3 frames\n"
        "osc 127.0.0.1:9000: 270 messages sent, 1 dropped\n"
        "websocket 127.0.0.1:8765: 89 messages sent to 1 client, 0 dropped\n"
        "preview: 4 dropped\n",
        "warning: the receiver is gone",
        "results: a folder",
    ):
        assert expected in text


@pytest.mark.parametrize(
    ("frames", "seconds", "fps"), [(0, 0.0, 0.0), (1, 0.5, 2.0), (90, 3.0, 30.0)]
)
def test_the_rate_is_that_of_the_whole_run(
    frames: int, seconds: float, fps: float
) -> None:
    assert replace(REPORT, frames=frames, seconds=seconds).fps == fps


def test_where_what_ran_was_said_before_the_text_leaves_it_out() -> None:
    assert "bundle tiny" not in REPORT.text(with_setup=False)


def test_of_a_run_without_frames_it_says_only_that() -> None:
    nothing = replace(REPORT, frames=0, people_frames=0, stages_ms={})
    text = nothing.text()
    assert text.startswith("no frame of clip.mp4 was read\nwith bundle tiny")
    assert "warning: the receiver is gone" in text
    assert "fps" not in text
    assert "median" not in text


def test_json_keeps_every_number(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_json(path, REPORT.as_dict())
    read = json.loads(path.read_text())
    assert read["fps"] == 30.0
    assert read["latency_ms"] == {"p50": 20.0, "p95": 30.0, "p99": 40.0, "max": 50.0}
    assert read["stages_ms"]["landmarks"]["p50"] == 15.0


def test_a_report_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "report.json"
    with pytest.raises(SinkError, match=r"cannot write .*report\.json: No such file"):
        write_json(path, {})
