"""How much to smooth what."""

from dataclasses import dataclass, fields, replace

from pixie_runtime.absence import FORGET_S
from pixie_runtime.errors import UsageError


@dataclass(frozen=True, slots=True)
class OneEuroSettings:
    """One filter: the cut-off frequency is `cutoff_hz + gain * speed`.

    A low cut-off calms what rests and lags by about 0.16 / cut-off seconds; the gain
    raises it with speed, so that what moves fast is followed closely.
    """

    cutoff_hz: float
    """Cut-off at rest, Hz."""
    gain: float
    """Hz per unit of speed: rad/s for rotations, m/s for positions, standard
    deviations a second for expressions."""

    def __post_init__(self) -> None:
        if not (self.cutoff_hz > 0 and self.gain >= 0):
            raise UsageError(
                "smoothing needs a cut-off above 0 Hz and a gain of 0 or more, not "
                f"{self.cutoff_hz} Hz and {self.gain}"
            )

    def quicker(self, factor: float) -> "OneEuroSettings":
        """Return the filter whose cut-off is `factor` times as high, at any speed."""
        return OneEuroSettings(self.cutoff_hz * factor, self.gain * factor)


@dataclass(frozen=True, slots=True)
class Quickness:
    """How quickly each part follows, as a multiple of some settings' cut-offs.

    Above 1 there is less lag and more jitter, below 1 the other way round.
    """

    body: float = 1.0
    """The body's orientation, its joints, and the head."""
    hands: float = 1.0
    """Fingers."""
    face: float = 1.0
    """Expression."""
    position: float = 1.0
    """The pelvis, across the picture and along the view."""

    LOWEST = 0.1
    HIGHEST = 10.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not self.LOWEST <= value <= self.HIGHEST:
                raise UsageError(
                    f"smoothing quickness of {field.name} is {value}, expected "
                    f"{self.LOWEST:g} to {self.HIGHEST:g}"
                )


@dataclass(frozen=True, slots=True)
class SmoothingSettings:
    """How a person is smoothed.

    The defaults were chosen on footage of fast and slow movement, between how late the
    joints are beside smoothing that knows the future and how much they shake
    (`tools/smoothing_delay.py`; docs/accuracy.md, "How late smoothing is"). There most
    of the speed between two frames is noise: a higher cut-off that hardly rises with
    speed is both quicker and calmer than the paper's low one that rises much.
    """

    enabled: bool = True
    """Off: people pass through untouched."""
    root: OneEuroSettings = OneEuroSettings(3.0, 0.75)
    """The body's orientation."""
    body: OneEuroSettings = OneEuroSettings(3.5, 0.75)
    """Hips to shoulders and elbows."""
    wrists: OneEuroSettings = OneEuroSettings(2.5, 0.75)
    hands: OneEuroSettings = OneEuroSettings(2.0, 0.5)
    """Finger joints."""
    head: OneEuroSettings = OneEuroSettings(3.5, 0.75)
    """Neck, head, jaw and eyes."""
    expression: OneEuroSettings = OneEuroSettings(3.5, 0.5)
    position: OneEuroSettings = OneEuroSettings(3.0, 1.0)
    """The pelvis across the picture, metres."""
    depth: OneEuroSettings = OneEuroSettings(1.6, 0.5)
    """The pelvis along the view, metres: by far the noisiest of one camera."""
    speed_cutoff_hz: float = 1.0
    """Cut-off of the speed that the gains are applied to, Hz."""
    gap_s: float = 0.5
    """After a longer pause filtering starts afresh, seconds."""
    flip_deg: float = 60.0
    """A larger turn of the body between two frames is taken at once, degrees."""
    jump_m: float = 1.0
    """A larger move of the pelvis between two frames is taken at once, metres."""
    sudden_deg: float = 12.0
    """A turn of the body between two frames that may be noise, degrees."""
    fastest_turn_deg_per_s: float = 600.0
    """People turn no faster; what does is doubted, degrees a second."""
    doubt_s: float = 0.06
    """How long a doubted turn must last to be believed, seconds; 0: at once."""
    wrist_sudden_deg: float = 40.0
    """A turn of a hand on its arm between two frames that may be noise, degrees."""
    fastest_wrist_deg_per_s: float = 900.0
    """Hands turn no faster; what does is doubted, degrees a second."""
    wrist_doubt_s: float = 0.1
    """How long a doubted turn of a hand must last to be believed, seconds; 0: at
    once."""
    wrist_limit_deg: float = 125.0
    """How far hands turn on their arms, from the rest pose, degrees: a quarter turn
    of the forearm each way and a bend of the wrist. What is further is not followed."""
    guessed_wrist: float = 0.2
    """How far a wrist follows the arm's guess while its hand is not seen, 0 to 1."""
    unseen_below: float = 0.1
    """Confidence at which a part counts as not seen and is held."""
    sure_above: float = 0.4
    """Confidence from which a part is followed fully; between, in proportion."""
    hold_s: float = 0.3
    """How long an unseen hand or face keeps its last pose, seconds."""
    relax_s: float = 1.0
    """Time constant with which it then goes to its neutral pose, seconds."""
    shape_frames: float = 90.0
    """After so many frames of full confidence the body shape stays as it is; 0: the
    shape is not averaged."""
    forget_s: float = FORGET_S
    """After a longer absence it may be another person, seconds: all starts anew."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and not value >= 0:
                raise UsageError(
                    f"smoothing {field.name} is {value}, expected 0 or more"
                )
        if not self.speed_cutoff_hz > 0 or not self.relax_s > 0:
            raise UsageError("smoothing speed_cutoff_hz and relax_s must be above 0")
        if not self.unseen_below < self.sure_above:
            raise UsageError(
                f"smoothing unseen_below ({self.unseen_below}) must be less than "
                f"sure_above ({self.sure_above})"
            )

    def quicker(self, quickness: Quickness) -> "SmoothingSettings":
        """Return these settings with every cut-off multiplied by its part's factor."""
        body = quickness.body
        return replace(
            self,
            root=self.root.quicker(body),
            body=self.body.quicker(body),
            wrists=self.wrists.quicker(body),
            head=self.head.quicker(body),
            hands=self.hands.quicker(quickness.hands),
            expression=self.expression.quicker(quickness.face),
            position=self.position.quicker(quickness.position),
            depth=self.depth.quicker(quickness.position),
        )

    def switched(self, enabled: bool) -> "SmoothingSettings":
        """Return these settings, on or off."""
        return replace(self, enabled=enabled)
