import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pixie_bench import worker
from pixie_bench.worker_process import WorkerProcess
from pixie_runtime.errors import EngineError, ModelFileError


class Counter:
    """A subject that counts its runs."""

    made: "list[Counter]" = []  # noqa: RUF012  every test empties it

    def __init__(self, *, start: int) -> None:
        self.count = start
        self.description = f"counter from {start}"
        self.made.append(self)

    def run(self) -> None:
        self.count += 1


class Broken:
    """A subject whose file is damaged."""

    def __init__(self) -> None:
        raise ModelFileError("the file is damaged: install it again")


@pytest.fixture(autouse=True)
def subjects(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"counter": (__name__, "Counter"), "broken": (__name__, "Broken")}
    monkeypatch.setattr(worker, "SUBJECTS", here | {"gone": ("no.such", "Class")})
    Counter.made.clear()


def answers(request: Mapping[str, object], asked: str = "") -> list[dict[str, object]]:
    out = io.StringIO()
    worker.serve(request, io.StringIO(asked), out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_worker_runs_as_often_as_it_is_asked() -> None:
    asked = '{"skip": 2, "runs": 3}\n{"skip": 1, "runs": 1}\n'
    request = {"subject": "counter", "settings": {"start": 10}}
    ready, first, second = answers(request, asked)
    assert ready["description"] == "counter from 10"
    assert isinstance(first["milliseconds"], list)
    assert len(first["milliseconds"]) == 3
    assert isinstance(second["milliseconds"], list)
    assert len(second["milliseconds"]) == 1
    (counter,) = Counter.made
    assert counter.count == 10 + 1 + 2 + 3 + 1 + 1, "one run opens it"


def test_what_a_user_can_mend_is_said_instead_of_ready() -> None:
    assert answers({"subject": "broken", "settings": {}}) == [
        {"error": "the file is damaged: install it again"}
    ]


def test_a_missing_package_is_said_too() -> None:
    (answer,) = answers({"subject": "gone", "settings": {}})
    assert "No module named" in str(answer["error"])


TALKER = """
import json, sys
print(json.dumps({"description": "talker", "opened_s": 0.5}), flush=True)
for line in sys.stdin:
    wanted = json.loads(line)
    if wanted["runs"] > 2:
        sys.exit("out of memory")
    answer = {"milliseconds": [1.0] * wanted["runs"], "resident_mb": 7.0}
    print(json.dumps(answer), flush=True)
"""


def test_another_program_can_be_a_contender() -> None:
    with WorkerProcess("talker", [sys.executable, "-c", TALKER]) as process:
        assert (process.description, process.opened_s) == ("talker", 0.5)
        assert process.take(2, skip=1) == [1.0, 1.0]
        assert process.resident_mb == 7.0


def test_a_process_that_dies_says_how() -> None:
    with WorkerProcess("talker", [sys.executable, "-c", TALKER]) as process:
        with pytest.raises(EngineError, match="ended with code 1: out of memory"):
            process.take(3, skip=0)
        with pytest.raises(EngineError, match="talker"):
            process.take(1, skip=0)


def test_a_program_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot run"):
        WorkerProcess("oracle", [str(tmp_path / "python")])


def test_our_own_subjects_run_in_a_process_of_their_own() -> None:
    settings = {"engine": "onnxruntime", "threads": 1}
    with WorkerProcess.of("landmarks", "landmarks", settings) as process:
        assert "ONNX Runtime" in process.description
        assert all(ms > 0 for ms in process.take(2, skip=0))


def test_a_subject_that_cannot_open_is_one_sentence_here(tmp_path: Path) -> None:
    settings = {"bundle": str(tmp_path), "engine": "onnxruntime"}
    with pytest.raises(EngineError, match="is not a bundle"):
        WorkerProcess.of("network", "network", settings)
