"""What the paper leaves open, as fields; each says what was chosen and why."""

from dataclasses import dataclass
from typing import Literal

from pixie_runtime.errors import UsageError

LANDMARK_COUNT = 68
EYELID_PAIRS = ((37, 41), (38, 40), (43, 47), (44, 46))
LIP_PAIRS = ((61, 67), (62, 66), (63, 65))

Elements = Literal["mean", "sum"]
Samples = Literal["all", "known"]


@dataclass(frozen=True)
class Choices:
    """How the losses are computed where the paper's equations do not say it."""

    elements: Elements = "mean"
    """Over what a sample has known of one kind (its points, joints, coefficients,
    pixels): their mean, so that a term's weight does not depend on how many points a
    data set labels; or their sum, as the equations are printed. Priors are sums."""
    samples: Samples = "all"
    """Over samples: the sum of those that are known divided by all of the batch, so
    that each of them weighs the same whatever comes along with it, and processes that
    share a batch add up to one that has it whole; or divided by the known ones."""
    columns: Literal[2, 3] = 3
    """Columns of rotation matrices that are compared: all, or the two that the 6D form
    consists of."""
    eyelid_pairs: tuple[tuple[int, int], ...] = EYELID_PAIRS
    """Upper and lower eyelid landmarks of equation (10), 0-based in iBUG's 68."""
    lip_pairs: tuple[tuple[int, int], ...] = LIP_PAIRS
    """Upper and lower lip landmarks of equation (10)."""
    jaw_opens_about: Literal[0, 1, 2] = 0
    """The jaw's Euler axis that equation (14) lets move one way only: x, about which
    jaws open in SMPL-X's frames, by positive angles. The paper calls it yaw."""
    largest_yaw_deg: float = 90.0
    """From how far a head turned away equation (15) costs something."""
    background: Literal["picture", "black"] = "picture"
    """What surrounds the rendered face that equation (12) compares: the picture's own
    pixels, or nothing in both."""
    detach_fused: bool = False
    """Whether equation (17) moves the body-derived feature only."""

    def __post_init__(self) -> None:
        """Refuse landmarks and angles that there are not."""
        for name in ("eyelid_pairs", "lip_pairs"):
            pairs: tuple[tuple[int, int], ...] = getattr(self, name)
            wrong = [n for pair in pairs for n in pair if not 0 <= n < LANDMARK_COUNT]
            if wrong or not pairs:
                found = wrong[0] if wrong else "nothing"
                raise UsageError(
                    f"{name} has {found}; expected pairs of landmarks from 0 to "
                    f"{LANDMARK_COUNT - 1}"
                )
        if not 0 <= self.largest_yaw_deg <= 180:
            raise UsageError(
                f"largest_yaw_deg is {self.largest_yaw_deg}; expected 0 to 180"
            )
