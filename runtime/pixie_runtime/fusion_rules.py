"""What is done with the experts' features: an input of every image bundle's graphs."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pixie_runtime.types import Float32

HeadCheck = Literal["off", "soft", "release"]
HEAD_CHECKS: tuple[HeadCheck, ...] = ("off", "soft", "release")
"""A check's place here is its number in `FusionRules.row`."""

RULE_NAMES = ("copy_paste", "hand_takeover", "keep_local", "head_check")
"""The columns of `FusionRules.row`."""

_NEVER = 2.0
"""A weight that no softmax reaches."""


@dataclass(frozen=True, slots=True)
class FusionRules:
    """How body-derived and part features become one (spec: pixie-network, section 1).

    The networks compute every variant of their few small layers; the rules choose
    among the results, so that one graph serves the paper, the release and live use.
    """

    copy_paste: bool = False
    """Take the parts' own features as they are, whatever the moderators say."""
    hand_takeover: float | None = 0.7
    """A hand expert's weight above which its feature is taken whole; None: never."""
    keep_local: bool = True
    """Take expression and fingers from the part experts' features alone."""
    head_check: HeadCheck = "soft"
    """What happens to a head turned further than necks turn: nothing, a continuous
    limit, or the release's rule, which sets the offending angle to zero."""
    parts: bool = True
    """Whether head and hands are looked at at all; if not, the body's feature alone
    says how they are."""

    @classmethod
    def release(cls) -> "FusionRules":
        """Return what the official code does by default."""
        return cls(head_check="release")

    @classmethod
    def paper(cls) -> "FusionRules":
        """Return the plain fusion of the paper's section 3.2."""
        return cls(hand_takeover=None, keep_local=False, head_check="release")

    @classmethod
    def pasted(cls) -> "FusionRules":
        """Return the paper's ablation "copy-paste"."""
        return cls(True, None, False, "release")

    @classmethod
    def naive(cls) -> "FusionRules":
        """Return the paper's ablation "naive body": no part experts."""
        return cls(head_check="release", parts=False)

    def row(self) -> Float32:
        """Return the graphs' input `rules` for one person, (4,).

        `parts` is not among them: parts that are not looked at are not `present`.
        """
        takeover = _NEVER if self.hand_takeover is None else self.hand_takeover
        check = HEAD_CHECKS.index(self.head_check)
        row = (self.copy_paste, takeover, self.keep_local, check)
        return np.array(row, np.float32)
