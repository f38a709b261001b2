"""Loops shared out among threads: everything is done, once, whoever does it."""

import subprocess
import sys
import threading
from collections import Counter

import pytest

from pixie_runtime.skinning.crew import Crew


class Ledger:
    """Counts how often each index was done, and by whom."""

    def __init__(self) -> None:
        self.done: Counter[int] = Counter()
        self.threads: set[str] = set()

    def loop(self, begin: int, end: int) -> None:
        self.done.update(range(begin, end))
        self.threads.add(threading.current_thread().name)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 7, 1000])
def test_everything_is_done_once(threads: int, count: int) -> None:
    ledger = Ledger()

    Crew(threads).run(ledger.loop, count)

    assert ledger.done == Counter(range(count))


def test_helpers_take_their_share() -> None:
    both_are_here = threading.Barrier(2, timeout=10)
    names: set[str] = set()

    def loop(begin: int, end: int) -> None:
        if begin == 0:
            both_are_here.wait()
        elif threading.current_thread().name not in names:
            names.add(threading.current_thread().name)
            both_are_here.wait()

    Crew(2).run(loop, 8)

    assert len(names) == 1


def test_a_helper_that_is_busy_elsewhere_is_not_waited_for() -> None:
    crew, leave = Crew(2), threading.Event()
    both_are_busy = threading.Barrier(3, timeout=10)
    ledger = Ledger()

    def held(begin: int, end: int) -> None:
        if begin < 2:
            both_are_busy.wait()
            leave.wait(10)

    other = threading.Thread(target=crew.run, args=(held, 8))
    other.start()
    both_are_busy.wait()

    crew.run(ledger.loop, 100)

    assert ledger.done == Counter(range(100))
    assert ledger.threads == {threading.current_thread().name}
    leave.set()
    other.join()


def test_a_helpers_error_reaches_the_caller() -> None:
    here = threading.current_thread().name
    helper_failed = threading.Event()

    def loop(begin: int, end: int) -> None:
        if threading.current_thread().name == here:
            helper_failed.wait(10)
        else:
            helper_failed.set()
            raise FloatingPointError

    with pytest.raises(FloatingPointError):
        Crew(2).run(loop, 8)


def test_a_loop_is_done_even_while_the_interpreter_ends() -> None:
    script = (
        "import atexit\n"
        "from pixie_runtime.skinning.crew import Crew\n"
        "done = []\n"
        "def at_the_end():\n"
        "    Crew(2).run(lambda begin, end: done.extend(range(begin, end)), 100)\n"
        "    print(done == list(range(100)))\n"
        "atexit.register(at_the_end)"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert (said.stdout, said.stderr) == ("True\n", "")
