from hypothesis import given
from hypothesis import strategies as st

from pixie_train.gender import Gender, by_identity, gender_of, majority

FEMALE, MALE, NON_BINARY, UNKNOWN = Gender
genders = st.lists(st.sampled_from(Gender))


def test_labels_are_read_as_data_sets_write_them() -> None:
    for word in ("F", "f", "female", " Female\n"):
        assert gender_of(word) is FEMALE
    for word in ("m", "MALE"):
        assert gender_of(word) is MALE
    for word in ("n", "Non-Binary", "non_binary", "nonbinary", "neutral"):
        assert gender_of(word) is NON_BINARY
    for word in ("", "?", "unknown", "femal"):
        assert gender_of(word) is UNKNOWN


def test_more_than_half_of_the_pictures_decide() -> None:
    assert majority([FEMALE, FEMALE, MALE]) is FEMALE
    assert majority([NON_BINARY]) is NON_BINARY
    assert majority([MALE, MALE, FEMALE, NON_BINARY]) is UNKNOWN
    assert majority([FEMALE, MALE]) is UNKNOWN


def test_pictures_without_a_label_abstain() -> None:
    assert majority([UNKNOWN, UNKNOWN, MALE]) is MALE
    assert majority([UNKNOWN]) is UNKNOWN
    assert majority([]) is UNKNOWN


@given(genders)
def test_the_order_of_pictures_does_not_matter(votes: list[Gender]) -> None:
    assert majority(reversed(votes)) is majority(votes)


@given(genders)
def test_repeating_every_picture_changes_nothing(votes: list[Gender]) -> None:
    assert majority(votes * 3) is majority(votes)


@given(genders)
def test_another_vote_for_the_winner_does_not_unseat_it(votes: list[Gender]) -> None:
    winner = majority(votes)
    if winner is not UNKNOWN:
        assert majority([*votes, winner]) is winner


def test_each_person_is_counted_apart() -> None:
    pictures = [("n1", FEMALE), ("n2", MALE), ("n1", MALE), ("n1", FEMALE)]
    assert by_identity(pictures) == {"n1": FEMALE, "n2": MALE}
