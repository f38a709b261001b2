import subprocess
import sys
import time

import numpy as np
import pytest

from pixie_bench.machine import Bystanders, machine
from pixie_bench.timing import Clock, TimedEngine
from pixie_runtime.engines import AnyArray
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from tests.runtime.image_bundle import network


def test_a_timed_engine_is_the_engine_and_a_note_of_every_run() -> None:
    clock = Clock()
    engine = OnnxRuntimeEngine(network("head_alone"), threads=1)
    with TimedEngine("head", engine, clock) as timed:
        assert timed.input_shapes == engine.input_shapes
        assert timed.output_names == engine.output_names
        inputs = {name: _zeros(shape) for name, shape in timed.input_shapes.items()}
        before_ns = time.monotonic_ns()
        assert timed.infer(inputs).keys() == engine.infer(inputs).keys()
    (run,) = clock.take()
    assert run.name == "head"
    assert before_ns <= run.began_ns <= run.ended_ns <= time.monotonic_ns()
    with pytest.raises(RuntimeError, match="closed"):
        engine.infer(inputs)


def test_notes_are_taken_once() -> None:
    clock = Clock()
    with clock.running("first"):
        pass
    assert [run.name for run in clock.take()] == ["first"]
    assert clock.take() == ()


def test_what_fails_is_not_noted() -> None:
    clock = Clock()
    with pytest.raises(ValueError, match="broken"), clock.running("never"):
        raise ValueError("broken")
    assert clock.take() == ()


def test_our_own_work_is_not_that_of_others() -> None:
    with Bystanders() as bystanders:
        began_s = time.process_time()
        while time.process_time() - began_s < 0.2:
            pass
    if bystanders.cores is None:
        assert "not known" in bystanders.text()
    else:
        assert bystanders.cores >= 0
        assert f"{bystanders.cores:.2f} cores" in bystanders.text()


def test_the_machine_has_cores() -> None:
    assert int(machine().split()[0]) >= 1


def _zeros(shape: tuple[int | str, ...]) -> AnyArray:
    return np.zeros([1, *(n for n in shape[1:] if isinstance(n, int))], np.float32)


def test_a_process_of_ours_is_no_bystander() -> None:
    busy = [sys.executable, "-c", "while True: pass"]
    with subprocess.Popen(busy) as process:
        try:
            with Bystanders() as all_others, Bystanders(process.pid) as others:
                time.sleep(0.5)
        finally:
            process.kill()
    if all_others.cores is not None and others.cores is not None:
        assert others.cores < all_others.cores
