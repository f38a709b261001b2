"""Hands stay on their arms: what a wrist is told while its hand is hard to see."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pixie_runtime.smoothing.doubt import TurnDoubt, TurnLimits
from pixie_runtime.smoothing.measurement import Measurement
from pixie_runtime.smoothing.settings import SmoothingSettings
from pixie_runtime.smplx import JOINT_INDEX, LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS
from pixie_runtime.types import PARTS, Float64


@dataclass(slots=True, eq=False)
class _Hand:
    part: int
    """Index in `PARTS`."""
    wrist: int
    fingers: npt.NDArray[np.intp]
    doubt: TurnDoubt
    seen_s: float | None = None
    """When it was last seen; None: not yet."""
    is_guessed: bool = True
    """Whether its wrist follows the arm's guess."""


class HandKeeper:
    """Takes weight from what a frame says of hands where that is not to be followed.

    How a hand is turned on its arm can be seen of the hand alone. Where the hand is not
    seen the network still says something, a guess from the arm that may be half a turn
    away: a hand that is found in every second frame would turn over each time. So a
    wrist keeps what was seen for `hold_s`, as fingers do, and then goes slowly to the
    guess. Small or blurred hands are taken for their backs for a frame: turns that are
    too fast are doubted (`TurnDoubt`), and none beyond `wrist_limit_deg` is followed,
    wrist and fingers alike.
    """

    def __init__(self, settings: SmoothingSettings) -> None:
        self._settings = s = settings
        limits = TurnLimits(
            s.wrist_sudden_deg, s.fastest_wrist_deg_per_s, s.wrist_doubt_s, s.gap_s
        )
        self._hands = [
            _Hand(
                PARTS.index(part),
                JOINT_INDEX[wrist],
                np.array(joints),
                TurnDoubt(limits),
            )
            for part, wrist, joints in (
                ("left_hand", "left_wrist", LEFT_HAND_JOINTS),
                ("right_hand", "right_wrist", RIGHT_HAND_JOINTS),
            )
        ]

    def keep(self, measured: Measurement, trust: Float64, time_s: float) -> Measurement:
        """Return the frame with the weights that wrists and fingers deserve.

        Args:
            measured: What the frame says.
            trust: In each of `PARTS`, (4,).
            time_s: The frame's time.
        """
        weight = measured.joint_weight.copy()
        for hand in self._hands:
            wrist = measured.rotations[hand.wrist]
            if trust[hand.part] > 0:
                hand.seen_s = time_s
                believed = hand.doubt.believes(wrist.astype(np.float32), time_s)
                if not believed or not self._bends_so_far(wrist):
                    weight[hand.wrist] = 0.0
                    weight[hand.fingers] = 0.0
                if hand.is_guessed:
                    # One frame's rest, or the filters take the way from the guess to
                    # what is seen for speed, and leap.
                    weight[hand.wrist] = 0.0
                hand.is_guessed = False
            elif hand.seen_s is not None:
                hand.is_guessed = not 0 <= time_s - hand.seen_s <= self._settings.hold_s
                follows = hand.is_guessed and self._bends_so_far(wrist)
                weight[hand.wrist] *= self._settings.guessed_wrist if follows else 0.0
        return replace(measured, joint_weight=weight)

    def _bends_so_far(self, wrist: Float64) -> bool:
        """Whether people's wrists can be turned like this, wxyz (4,)."""
        angle = np.degrees(2 * np.arccos(min(abs(float(wrist[0])), 1.0)))
        return bool(angle <= self._settings.wrist_limit_deg)
