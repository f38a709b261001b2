import threading
import time

import pytest

from pixie_runtime.newest import NewestSlot


def test_the_newest_item_wins_and_the_rest_is_counted() -> None:
    slot: NewestSlot[int] = NewestSlot()
    for item in range(5):
        slot.put(item)
    assert slot.get() == 4
    assert slot.dropped == 4


def test_getting_waits_for_an_item() -> None:
    slot: NewestSlot[str] = NewestSlot()
    threading.Timer(0.05, slot.put, ["late"]).start()
    assert slot.get(timeout_s=5) == "late"


def test_waiting_in_vain_times_out() -> None:
    start_s = time.monotonic()
    with pytest.raises(TimeoutError):
        NewestSlot[int]().get(timeout_s=0.05)
    assert 0.04 < time.monotonic() - start_s < 1


def test_closing_wakes_whoever_waits() -> None:
    slot: NewestSlot[int] = NewestSlot()
    threading.Timer(0.05, slot.close).start()
    assert slot.get(timeout_s=5) is None
    assert slot.closed


def test_the_last_item_is_delivered_after_closing_and_no_other() -> None:
    slot: NewestSlot[int] = NewestSlot()
    slot.put(1)
    slot.close()
    slot.put(2)
    assert list(slot) == [1]
    assert slot.get() is None
    assert slot.dropped == 0


def test_nothing_is_lost_or_doubled_between_two_threads() -> None:
    slot: NewestSlot[int] = NewestSlot()

    def produce() -> None:
        for item in range(2000):
            slot.put(item)
        slot.close()

    producer = threading.Thread(target=produce)
    producer.start()
    taken = list(slot)
    producer.join()
    assert taken == sorted(set(taken))
    assert taken[-1] == 1999
    assert len(taken) + slot.dropped == 2000
