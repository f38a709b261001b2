import json
from pathlib import Path

import pytest

from pixie_bench.cli import main
from pixie_bench.live import LiveResult
from pixie_runtime.report import Spread

FLAT = Spread(20.0, 30.0, 31.0, 40.0)


def result(rss_mb: list[tuple[float, float]]) -> LiveResult:
    return LiveResult(300, 290, 10.0, 30.0, FLAT, {"landmarks": FLAT}, rss_mb)


def test_the_growth_is_the_slope_once_memory_has_settled() -> None:
    settling = [(0.0, 100.0), (10.0, 180.0)]
    growing = [(20.0 + t, 200.0 + t / 60) for t in range(0, 30, 10)]
    assert result(settling + growing).rss_growth_mb_per_minute == pytest.approx(1.0)


def test_without_samples_memory_is_left_out() -> None:
    assert not [line for line in result([]).lines() if line.startswith("rss")]


def test_every_line_is_a_name_and_a_number() -> None:
    lines = dict(line.split() for line in result([(0.0, 100.0), (1.0, 101.0)]).lines())
    assert float(lines["fps"]) == 30.0
    assert float(lines["latency_p95_ms"]) == 30.0
    assert float(lines["landmarks_p50_ms"]) == 20.0
    assert float(lines["rss_last_mb"]) == 101.0


def test_the_whole_chain_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "live.json"
    arguments = f"live --seconds 0.5 --warm-up 2 --json {path}"
    assert main(arguments.split()) == 0

    assert "landmarks_p50_ms" in capsys.readouterr().out
    measured = json.loads(path.read_text())
    assert measured["frames"] == measured["people_frames"] > 0
    assert measured["cores"] >= 1
    assert list(measured["stages_ms"]) == ["landmarks", "estimate", "smooth"]


def test_a_clip_that_is_not_there_is_one_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["live", "--video", "nowhere.mp4"]) == 3
    assert "there is no video nowhere.mp4" in capsys.readouterr().err
