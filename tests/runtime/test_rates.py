import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixie_runtime.errors import UsageError
from pixie_runtime.rates import RatedPart, Rates

PARTS: tuple[RatedPart, ...] = ("body", "hands", "head", "landmarks")
every = st.integers(1, 10)
some_rates = st.builds(Rates, every, every, every, every)


@given(some_rates)
def test_rates_are_read_as_they_are_written(rates: Rates) -> None:
    assert Rates.parse(str(rates)) == rates


def test_what_is_not_named_is_looked_at_in_every_frame() -> None:
    assert Rates.parse("hands=3") == Rates(body=1, hands=3, head=1)
    assert Rates.parse(" head = 2 , body=4 ") == Rates(body=4, hands=1, head=2)


@pytest.mark.parametrize(
    "text",
    ["", "hands", "hands=", "hands=-1", "feet=2", "hands=2,hands=3", "hands=2;head=2"],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="as in body=2,hands=1,head=2"):
        Rates.parse(text)


@pytest.mark.parametrize("text", ["hands=0", "body=11"])
def test_a_rate_that_follows_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected every 1st to 10th frame"):
        Rates.parse(text)


@given(some_rates)
def test_everything_is_looked_at_in_the_first_frame(rates: Rates) -> None:
    assert all(rates.due(part, 0) for part in PARTS)


@given(some_rates, st.sampled_from(PARTS), st.integers(0, 50))
def test_no_part_waits_longer_than_its_rate(
    rates: Rates, part: RatedPart, start: int
) -> None:
    rate = getattr(rates, part)
    looks = [rates.due(part, frame) for frame in range(start, start + rate)]
    assert sum(looks[1:] if start == 0 else looks) <= 1
    assert any(rates.due(part, frame) for frame in range(start, start + rate))


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("hands=2,head=2", ["hands", "head", "hands", "head"]),
        ("body=2,hands=2,head=2", ["hands head", "body", "hands head", "body"]),
        ("body=3,hands=3,head=3", ["hands", "head", "body", "hands"]),
    ],
)
def test_parts_that_do_not_run_in_every_frame_take_turns(
    text: str, turns: list[str]
) -> None:
    rates = Rates.parse(text)
    rated = [part for part in PARTS if getattr(rates, part) > 1]
    found = [
        " ".join(part for part in rated if rates.due(part, frame))
        for frame in range(1, 5)
    ]
    assert found == turns


def test_parts_are_looked_at_where_fresh_landmarks_say_they_are() -> None:
    rates = Rates.parse("hands=2,head=4,landmarks=2")
    fresh = [frame for frame in range(40) if rates.due("landmarks", frame)]
    for part in ("hands", "head"):
        looks = [frame for frame in range(40) if rates.due(part, frame)]
        assert set(looks) <= set(fresh)
