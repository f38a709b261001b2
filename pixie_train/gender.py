"""Gender labels of people in pictures, and how several pictures agree on one.

The paper labels people female, male or non-binary and lets the label choose which
bodies are likely; everybody else is compared with all people (section 3.4).
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from enum import IntEnum
from typing import TypeVar

Identity = TypeVar("Identity", bound=Hashable)


class Gender(IntEnum):
    """A person's label; its number is what batches hold."""

    FEMALE = 0
    MALE = 1
    NON_BINARY = 2
    UNKNOWN = 3


_WORDS = {
    "f": Gender.FEMALE,
    "female": Gender.FEMALE,
    "woman": Gender.FEMALE,
    "m": Gender.MALE,
    "male": Gender.MALE,
    "man": Gender.MALE,
    "n": Gender.NON_BINARY,
    "nonbinary": Gender.NON_BINARY,
    "neutral": Gender.NON_BINARY,
}


def gender_of(word: str) -> Gender:
    """Read a label as data sets write it (F, m, female, Non-Binary), else unknown."""
    key = word.strip().lower().replace("-", "").replace("_", "").replace(" ", "")
    return _WORDS.get(key, Gender.UNKNOWN)


def majority(votes: Iterable[Gender]) -> Gender:
    """Return the label that more than half of the votes are for.

    The paper takes the majority over a person's pictures and is silent on ties:
    pictures without a label abstain, and without a majority the person is unknown.
    """
    counted = Counter(vote for vote in votes if vote is not Gender.UNKNOWN)
    if not counted:
        return Gender.UNKNOWN
    label, count = counted.most_common(1)[0]
    return label if 2 * count > counted.total() else Gender.UNKNOWN


def by_identity(
    pictures: Iterable[tuple[Identity, Gender]],
) -> dict[Identity, Gender]:
    """Give each person one label out of (identity, label of one picture) pairs."""
    votes: dict[Identity, list[Gender]] = defaultdict(list)
    for identity, vote in pictures:
        votes[identity].append(vote)
    return {identity: majority(cast) for identity, cast in votes.items()}
