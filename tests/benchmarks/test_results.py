import json
from pathlib import Path

import pytest

from pixie_bench.results import Findings, Report, Result, compared, timing_results
from pixie_bench.spreads import Turns
from pixie_runtime.errors import SourceError

OURS = Turns(((10.0, 12.0), (10.0, 14.0)))
PEER = Turns(((44.0,), (48.0,)))


def report(*results: Result) -> Report:
    return Report(
        machine={"description": "2 cores", "load": "quiet"},
        commit="abc",
        versions={"numpy": "2"},
        results=results,
        left_out=("network-fp16-tensorrt: needs an NVIDIA GPU",),
        notes={"skinning": "numba"},
        date="2026-01-01T00:00:00+00:00",
    )


def test_a_comparison_has_peer_and_ratio_and_others_have_neither() -> None:
    first, *others = timing_results("skinning", OURS, ("smplx", PEER))
    assert first.as_dict() == {
        "case": "skinning",
        "metric": "p50",
        "value": 11.0,
        "unit": "ms",
        "peer": "smplx",
        "ratio": 4.0,
    }
    assert [one.metric for one in others] == ["p95", "p99", "peer_p50"]
    for one in (*others, *timing_results("skinning", OURS)):
        assert one.as_dict().keys() == {"case", "metric", "value", "unit"}


def test_a_ratio_without_a_peer_is_refused() -> None:
    with pytest.raises(ValueError, match="a peer needs a ratio"):
        Result("skinning", "p50", 1.0, "ms", ratio=2.0)


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = report(*timing_results("skinning", OURS, ("smplx", PEER)))
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(written.as_dict()))
    assert Report.read(path) == written
    assert {"machine", "commit", "versions", "results"} <= written.as_dict().keys()


@pytest.mark.parametrize("text", ["", "[]", '{"format": "other"}', "{}"])
def test_another_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bench.json"
    path.write_text(text)
    with pytest.raises(SourceError, match="not what pixie-bench --json writes"):
        Report.read(path)
    with pytest.raises(SourceError, match="cannot read"):
        Report.read(tmp_path / "nowhere.json")


def test_the_table_shows_every_number_and_what_was_left_out() -> None:
    results = timing_results("skinning", OURS, ("smplx", PEER))
    lines = list(report(*results).markdown())
    rows = [line for line in lines if line.startswith("| skinning")]
    assert len(rows) == len(results)
    assert rows[0] == "| skinning | p50 | 11 ms | smplx | 4.00 |"
    assert "* skinning: numba" in lines
    assert lines[-1] == "* network-fp16-tensorrt: needs an NVIDIA GPU"


def test_findings_add_up() -> None:
    one = Result("memory", "landmark", 300.0, "MB")
    both = Findings((one,), ("a",), {"x": "1"}) + Findings((), ("b",), {"y": "2"})
    assert both == Findings((one,), ("a", "b"), {"x": "1", "y": "2"})


@pytest.mark.parametrize(
    ("unit", "metric", "before", "now", "verdict"),
    [
        ("ms", "p50", 10.0, 12.0, "worse"),
        ("ms", "p50", 10.0, 8.0, "better"),
        ("ms", "p50", 10.0, 10.3, ""),
        ("1/s", "fps", 30.0, 40.0, "better"),
        ("1/s", "fps", 30.0, 20.0, "worse"),
        ("GB/s", "copy", 20.0, 30.0, "better"),
        ("MB", "landmark", 300.0, 400.0, "worse"),
    ],
)
def test_a_comparison_says_which_way_is_better(
    unit: str, metric: str, before: float, now: float, verdict: str
) -> None:
    old, new = Result("a", metric, before, unit), Result("a", metric, now, unit)
    row = list(compared([old], [new]))[2]
    assert row.split("|")[-2].strip() == verdict


def test_ratios_are_compared_where_both_have_the_same_peer() -> None:
    old = Result("skinning", "p50", 1.0, "ms", "smplx", 20.0)
    slower_machine = Result("skinning", "p50", 2.0, "ms", "smplx", 20.0)
    row = list(compared([old], [slower_machine]))[2]
    assert "20 times as fast | 20 times as fast | +0.0 %" in row
    other = Result("skinning", "p50", 2.0, "ms", "another", 20.0)
    assert "1 ms | 2 ms | +100.0 % | worse" in list(compared([old], [other]))[2]


def test_what_only_one_run_has_is_named() -> None:
    a, b = Result("a", "p50", 1.0, "ms"), Result("b", "p50", 1.0, "ms")
    lines = list(compared([a], [b]))
    assert "only before: a p50" in lines
    assert "only now: b p50" in lines
