"""The smoother of one person."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations as rot
from pixie_runtime.body import BodyModel
from pixie_runtime.smoothing.doubt import TurnDoubt, TurnLimits
from pixie_runtime.smoothing.hands import HandKeeper
from pixie_runtime.smoothing.measurement import (
    BODY,
    Measurement,
    Trust,
    measure,
)
from pixie_runtime.smoothing.one_euro import (
    AdaptiveFactor,
    Factor,
    OneEuroNumbers,
    OneEuroRotations,
)
from pixie_runtime.smoothing.parts import (
    IS_LIMB,
    IS_TRUNK,
    neutral_rotations,
    settings_by_joint,
)
from pixie_runtime.smoothing.settings import OneEuroSettings, SmoothingSettings
from pixie_runtime.smoothing.shape import ShapeMean
from pixie_runtime.smplx import JAW, JOINT_COUNT
from pixie_runtime.types import Float32, Float64, Person, SmplxParams

_NEUTRAL = neutral_rotations()


@dataclass(slots=True, eq=False)
class Followed:
    """What is made of one frame's person, and what of it was seen."""

    rotations: Float64
    """Unit quaternions wxyz, (55, 4)."""
    numbers: Float64
    """The pelvis' position, metres, camera frame, and the expression, (3 + n,)."""
    betas: Float32
    """The person's shape so far, (n,)."""
    is_joint_seen: npt.NDArray[np.bool_]
    """Which rotations follow this frame, (55,); others are held or relax."""
    is_number_seen: npt.NDArray[np.bool_]
    """Likewise of the numbers, (3 + n,)."""
    starts: bool
    """Whether this has nothing to do with the frame before."""

    def applied_to(self, person: Person, model: BodyModel) -> Person:
        """Return the person with this motion, its joints computed anew."""
        rotations = self.rotations.astype(np.float32)
        expression = self.numbers[3:].astype(np.float32)
        shaped = model.shaped(self.betas, expression)
        transl = (self.numbers[:3] - shaped.joints[0]).astype(np.float32)
        smoothed = SmplxParams(self.betas, expression, rotations, transl)
        return person.with_params(smoothed, shaped.posed(rotations, transl).joints)


class PersonSmoother:
    """Smooths one person from frame to frame; a smoother of its own for each track.

    Who was away for longer than `forget_s` is taken for somebody else.

    Rotations, the pelvis' position and expressions go through One-Euro filters on the
    frames' own timestamps; the shape becomes the person's mean. A hand or face that is
    not seen keeps its last pose for a moment and then relaxes (a wrist: goes slowly to
    what the arm lets guess), and so do arms and legs outside the picture. A body that
    is not seen stands still, and so does a body or hand that seems to have turned
    faster than people can, until that has lasted (`TurnDoubt`). After a gap, a jump or
    a flip of the body the filters start afresh, so that nothing is smeared across.
    Nothing that is not finite gets in.
    """

    def __init__(
        self,
        settings: SmoothingSettings | None = None,
        *,
        factor: type[Factor] = AdaptiveFactor,
    ) -> None:
        """Begin with nobody.

        Args:
            settings: How much to smooth what.
            factor: How far the filters follow: with speed, or as trust alone says.
        """
        self._settings = settings or SmoothingSettings()
        self._factor = factor
        self.reset()

    @property
    def settings(self) -> SmoothingSettings:
        """How the next frame is smoothed."""
        return self._settings

    def retune(self, settings: SmoothingSettings) -> None:
        """Go on with other settings, from where the filters stand.

        What was seen of the body shape and what is in doubt starts anew only with
        another `shape_frames`, or another person.
        """
        s, speed_hz = settings, settings.speed_cutoff_hz
        self._rotations.retune(settings_by_joint(s), speed_hz)
        self._pelvis.retune(settings_by_axis(s), speed_hz)
        size = len(self._expression.value)
        self._expression.retune([s.expression] * size, speed_hz)
        if s.shape_frames != self._settings.shape_frames:
            self._shape = ShapeMean(s.shape_frames)
        self._settings = settings

    def reset(self) -> None:
        """Forget the person."""
        s, speed_hz = self._settings, self._settings.speed_cutoff_hz
        factor = self._factor
        self._rotations = OneEuroRotations(settings_by_joint(s), speed_hz, factor)
        self._pelvis = OneEuroNumbers(settings_by_axis(s), speed_hz, factor)
        self._expression = OneEuroNumbers([], speed_hz, factor)
        self._shape = ShapeMean(s.shape_frames)
        self._doubt = TurnDoubt(
            TurnLimits(s.sudden_deg, s.fastest_turn_deg_per_s, s.doubt_s, s.gap_s)
        )
        self._hands = HandKeeper(s)
        self._unseen_s = np.zeros(JOINT_COUNT)
        self._track_id: int | None = None
        self._timestamp_s = 0.0
        self._last_root: Float64 | None = None
        self._last_pelvis: Float64 | None = None

    def smooth(self, person: Person, model: BodyModel) -> Person:
        """Return `person` smoothed, its joints computed anew.

        Args:
            person: As estimated; persons of one track, in order of time.
            model: The body model that the person's parameters are for.
        """
        if not self._settings.enabled:
            return person
        return self.follow(person, model).applied_to(person, model)

    def follow(
        self, person: Person, model: BodyModel, *, is_body_believed: bool | None = None
    ) -> Followed:
        """Take a frame in; return what it comes to.

        Args:
            person: As estimated; persons of one track, in order of time.
            model: The body model that the person's parameters are for.
            is_body_believed: Whether the body is turned as the frame says, where
                somebody knows; None: what turns too fast is doubted.
        """
        trust = Trust.of(person, self._settings)
        absent_s = person.timestamp_s - self._timestamp_s
        is_new = person.track_id != self._track_id or absent_s > self._settings.forget_s
        if is_new:
            self.reset()
            self._track_id = person.track_id
        if is_body_believed is None:
            root = person.params.rotations[0]
            is_body_believed = self._doubt.believes(root, person.timestamp_s)
        if not is_body_believed:
            trust = Trust.none()
        betas = self._shape.update(person.params.betas, float(trust.parts[BODY]))
        measured = self._hands.keep(
            measure(person.params, model, betas, trust), trust.parts, person.timestamp_s
        )
        if is_new:
            self._begin(measured, trust)
        dt_s = person.timestamp_s - self._timestamp_s
        self._timestamp_s = person.timestamp_s
        jumped = self._jumped(measured)
        goes_on = 0 < dt_s <= self._settings.gap_s and not jumped and not is_new
        if goes_on:
            self._step(measured, dt_s)
        else:
            self._restart(measured)
        self._relax_unseen(trust, 0.0 if is_new else max(dt_s, 0.0))
        weights = (measured.pelvis_weight, measured.expression_weight)
        return Followed(
            rotations=self._rotations.value,
            numbers=np.concatenate([self._pelvis.value, self._expression.value]),
            betas=betas,
            is_joint_seen=measured.joint_weight > 0,
            is_number_seen=np.concatenate(weights) > 0,
            starts=not goes_on,
        )

    def _begin(self, measured: Measurement, trust: Trust) -> None:
        """Start from the body that is seen, and from neutral in all else."""
        is_body_seen = trust.joints[0] > 0
        is_seen_limb = IS_LIMB & ((trust.joints > 0) | (not is_body_seen))
        is_known = (IS_TRUNK | is_seen_limb)[:, None]
        start = np.where(is_known, measured.rotations, _NEUTRAL)
        self._rotations.restart(start, measured.joint_weight > 0)
        self._pelvis.restart(measured.pelvis, measured.pelvis_weight > 0)
        size, s = len(measured.expression), self._settings
        self._expression = OneEuroNumbers(
            [s.expression] * size, s.speed_cutoff_hz, self._factor
        )

    def _step(self, measured: Measurement, dt_s: float) -> None:
        self._rotations.step(measured.rotations, dt_s, measured.joint_weight)
        self._pelvis.step(measured.pelvis, dt_s, measured.pelvis_weight)
        self._expression.step(measured.expression, dt_s, measured.expression_weight)

    def _restart(self, measured: Measurement) -> None:
        """Take what is trusted as it is and leave the rest where it stands."""
        known = measured.joint_weight > 0
        value = np.where(known[:, None], measured.rotations, self._rotations.value)
        self._rotations.restart(value, known)
        known = measured.pelvis_weight > 0
        self._pelvis.restart(
            np.where(known, measured.pelvis, self._pelvis.value), known
        )
        known = measured.expression_weight > 0
        self._expression.restart(
            np.where(known, measured.expression, self._expression.value), known
        )

    def _jumped(self, measured: Measurement) -> bool:
        """Whether the body flipped or leapt since it was last trusted."""
        jumped = False
        if measured.joint_weight[0] > 0:
            root, last = measured.rotations[0], self._last_root
            self._last_root = root
            if last is not None:
                turned = np.degrees(rot.angle_between(last, root))
                jumped = bool(turned > self._settings.flip_deg)
        if measured.pelvis_weight[0] > 0:
            pelvis, before = measured.pelvis, self._last_pelvis
            self._last_pelvis = pelvis
            if before is not None:
                moved = np.linalg.norm(pelvis - before)
                jumped |= bool(moved > self._settings.jump_m)
        return jumped

    def _relax_unseen(self, trust: Trust, dt_s: float) -> None:
        """Let what was not seen for a while go to its neutral, if it has one.

        Limbs only of a body that is seen otherwise.
        """
        s = self._settings
        waits = IS_TRUNK | (IS_LIMB & (trust.joints[0] == 0))
        unseen_s = self._unseen_s + np.where(waits, 0.0, dt_s)
        self._unseen_s = np.where(trust.joints > 0, 0.0, unseen_s)
        relaxing_s = np.where(waits, 0.0, np.clip(self._unseen_s - s.hold_s, 0.0, dt_s))
        if not relaxing_s.any():
            return
        factor = -np.expm1(-relaxing_s / s.relax_s)
        self._rotations.approach(_NEUTRAL, factor)
        neutral = np.zeros_like(self._expression.value)
        self._expression.approach(neutral, np.full(len(neutral), factor[JAW]))


def settings_by_axis(settings: SmoothingSettings) -> list[OneEuroSettings]:
    """Return the filter settings of the pelvis' x, y and z."""
    return [settings.position, settings.position, settings.depth]
