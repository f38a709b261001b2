"""The options of `pixie-live`: one frozen dataclass; its docstrings are the help."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from pixie_runtime.addresses import Address, parse_address
from pixie_runtime.engine_kinds import EngineKind, Precision
from pixie_runtime.errors import UsageError
from pixie_runtime.option_types import optional_choice, optional_count
from pixie_runtime.rates import Rates
from pixie_runtime.stream_options import StreamOptions

DEMO_FOLDER = Path("out")
"""Where a demo without output options leaves its files."""

MOST_PEOPLE = 16
"""Whom `--people` may ask for: each has networks to be run for them alone."""

VIEW_PORT = 8700
"""Where `--view` alone serves its page."""

# Types that read well in the help, whose lines break where they do here: tyro keeps
# the breaks, and 53 characters fit a terminal of 80 columns.
Switch = Annotated[
    bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(help_behavior_hint="")
]
_File = Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")]
_Folder = Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="")]
_Attention = Annotated[
    Literal["tracked", "two-pass"] | None,
    optional_choice("tracked", "two-pass"),
    tyro.conf.arg(metavar="tracked|two-pass", help_behavior_hint=""),
]
_Fusion = Annotated[
    Literal["release", "paper", "copy-paste", "body"] | None,
    optional_choice("release", "paper", "copy-paste", "body"),
    tyro.conf.arg(metavar="release|paper|copy-paste|body", help_behavior_hint=""),
]
_HeadCheck = Annotated[
    Literal["soft", "release", "off"] | None,
    optional_choice("soft", "release", "off"),
    tyro.conf.arg(metavar="soft|release|off", help_behavior_hint=""),
]
_Part = Annotated[
    Literal["whole", "head", "hand"] | None,
    optional_choice("whole", "head", "hand"),
    tyro.conf.arg(metavar="whole|head|hand", help_behavior_hint=""),
]
_Engine = Annotated[
    EngineKind,
    tyro.conf.arg(metavar="auto|onnxruntime|openvino|tensorrt|..."),
]
_Precision = Annotated[Precision, tyro.conf.arg(metavar="auto|float32|bfloat16")]
_Rates = Annotated[
    str | None,
    tyro.conf.arg(metavar="body=N,hands=N,...", help_behavior_hint=""),
]
_Count = Annotated[
    int | None, optional_count(), tyro.conf.arg(metavar="N", help_behavior_hint="")
]


@dataclass(frozen=True, slots=True)
class Options:
    """Live whole-body motion capture: one camera in, SMPL-X parameters out.

    Name one source: --camera, --video, --images or --demo. Ctrl-C ends a run cleanly:
    whatever was begun is written.
    """

    camera: Annotated[str | None, tyro.conf.arg(metavar="N", help_behavior_hint="")] = (
        None
    )
    """Capture from this camera: 0 is the first; a path will
    do."""
    video: _File = None
    """Read this video file."""
    images: _Folder = None
    """Read the pictures of this folder, 30 to the second."""
    demo: Switch = False
    """Read the clip that ships with the program. Without
    any output option, write out/demo.mp4, .npz and
    .json."""

    bundle: _Folder = None
    """Run this network instead of the one that ships: a
    folder that pixie-export wrote, for landmarks or for
    images."""
    body_model: _File = None
    """Use your own SMPL-X model (.npz), not the bundle's or
    the one that ships."""
    attention: _Attention = None
    """Image bundle: cut head and hands where they were
    tracked (default), or where a first pass over the
    body puts them."""
    fusion: _Fusion = None
    """Image bundle: fuse body, head and hands as the
    official code does, as the paper says, or by its
    ablation (default: the official code's, with a soft
    head check)."""
    head_check: _HeadCheck = None
    """Image bundle: what happens to heads turned too far."""
    part: _Part = None
    """Image bundle: look at the whole body (default), or at
    a head or a hand alone."""
    rates: _Rates = None
    """Look at body, hands, head or landmarks only in every
    Nth frame, and keep what was last seen in between:
    faster, less exact."""
    landmarker: Literal["pixie", "mediapipe"] = "pixie"
    """What finds landmarks: our pipeline or Google's
    package (needs the extra "mediapipe")."""
    engine: _Engine = "auto"
    """What runs the networks; auto takes the best that is
    installed and fits this machine, and says which.
    Others: tensorrt-rtx, onnxruntime-cuda,
    onnxruntime-tensorrt."""
    engines: _Folder = None
    """Look for TensorRT's engines in this folder first,
    where pixie-export was told --out."""
    precision: _Precision = "auto"
    """Arithmetic on the CPU: auto is float32, with
    landmarks in less where that is fast and harmless;
    bfloat16 is faster and less exact (extra "openvino",
    a processor that has it)."""
    people: Annotated[int, tyro.conf.arg(metavar="N")] = 1
    """Follow up to so many people; each takes as long as
    one."""
    fov: Annotated[float, tyro.conf.arg(metavar="DEGREES")] = 60.0
    """Field of view of the camera along the longer side of
    the picture."""
    no_smoothing: Switch = False
    """Pass on each frame's estimate as it is."""

    record: _File = None
    """Record a take: TAKE or TAKE.mcap as it is; TAKE.npz,
    .bvh, .glb, .usd or .csv converts it in the end."""
    overlay: _File = None
    """Write a video of the body over the picture (.mp4)."""
    preview: Switch = False
    """Show the body over the picture in a window (needs the
    extra "view")."""
    view: Annotated[
        str | None, tyro.conf.arg(metavar="[[HOST:]PORT]", help_behavior_hint="")
    ] = None
    """Show everything in a web page, in 3D, with buttons:
    on 127.0.0.1 without HOST, on port 8700 without PORT."""
    results: _Folder = None
    """With --images, take each picture by itself and write
    its parameters and the body over it there (.npz,
    .jpg)."""
    report: _File = None
    """Write the numbers of the run to this file (.json)."""

    max_frames: _Count = None
    """Stop after so many frames."""
    loop: Switch = False
    """Start the video again when it ends."""
    realtime: Switch = False
    """Play a video at its own pace, skipping what is late,
    which no recording has then either; the default with
    --preview, --view and every output over the network:
    --osc, --vmc, --live-link-face, --ifacialmocap,
    --ifacialmocap-listen, --websocket."""
    as_fast_as_possible: Switch = False
    """Take every frame of a video, one after the other; the
    default where nobody watches."""
    quiet: Switch = False
    """Say nothing but warnings and errors."""

    streaming: Annotated[StreamOptions, tyro.conf.OmitArgPrefixes] = field(
        default_factory=StreamOptions
    )
    """Outputs over the network."""

    def __post_init__(self) -> None:
        if self.realtime and self.as_fast_as_possible:
            raise UsageError("choose --realtime or --as-fast-as-possible, not both")
        if self.loop and not (self.video or self.demo):
            raise UsageError("--loop is for --video and --demo: nothing else ends")
        if not 5 <= self.fov <= 170:
            raise UsageError(f"--fov {self.fov:g}: expected 5 to 170 degrees")
        if not 1 <= self.people <= MOST_PEOPLE:
            raise UsageError(f"--people {self.people}: expected 1 to {MOST_PEOPLE}")
        if self.people > 1 and self.landmarker == "mediapipe":
            raise UsageError(
                f"--people {self.people}: Google's landmarker finds one person; leave "
                "--landmarker out"
            )
        if self.max_frames is not None and self.max_frames < 1:
            raise UsageError(f"--max-frames {self.max_frames}: expected 1 or more")
        if self.results is not None and self.images is None:
            raise UsageError("--results is for pictures: it needs --images")
        if self.results is not None and self.view is not None:
            raise UsageError(
                "--view shows one person in motion, --results takes each picture by "
                "itself: choose one of them"
            )
        _ = self.view_address
        self._check_image_options()
        _ = self.part_rates

    @property
    def part_rates(self) -> Rates:
        """How often each part is looked at.

        Raises:
            UsageError: `--rates` is not understood.
        """
        return Rates() if self.rates is None else Rates.parse(self.rates)

    @property
    def body_suffices(self) -> bool:
        """Whether hands and face are not looked for where there is a body."""
        return self.attention == "two-pass" or self.fusion == "body"

    @property
    def is_watched(self) -> bool:
        """Whether somebody sees people while they move."""
        return self.streaming.is_sent or self.preview or self.view is not None

    @property
    def view_address(self) -> Address | None:
        """Where the web page is served.

        Raises:
            UsageError: `--view` is not understood.
        """
        if self.view is None:
            return None
        return parse_address(self.view, option="--view", default_host="127.0.0.1")

    @property
    def image_options(self) -> tuple[str, ...]:
        """Which of the options for image bundles are given."""
        given = (
            ("--attention", self.attention),
            ("--fusion", self.fusion),
            ("--head-check", self.head_check),
            ("--part", self.part),
        )
        return tuple(name for name, value in given if value is not None)

    @property
    def plays_in_real_time(self) -> bool:
        """Whether a video keeps its own pace."""
        return self.realtime or (self.is_watched and not self.as_fast_as_possible)

    @property
    def is_live(self) -> bool:
        """Whether the source goes on without us: nothing may make it wait."""
        return self.camera is not None or self.plays_in_real_time

    @property
    def looks_ahead(self) -> bool:
        """Whether frames may wait until it is known what comes after them."""
        from_file = self.video is not None or self.demo
        is_kept = self.record is not None or self.overlay is not None
        return from_file and is_kept and not (self.is_live or self.is_watched)

    @property
    def output_files(self) -> tuple[tuple[str, Path], ...]:
        """What each file that the run writes is, and where."""
        named = (
            ("overlay video", self.overlay),
            ("take", self.record),
            ("report", self.report),
        )
        return tuple((name, path) for name, path in named if path is not None)

    def shown(self) -> dict[str, Any]:
        """Return the options as a report may show them: JSON's types, no token."""
        values = asdict(self)
        values |= values.pop("streaming")
        if values["websocket_token"] is not None:
            values["websocket_token"] = "given"
        return {name: _as_json(value) for name, value in values.items()}

    def with_demo_outputs(self) -> "Options":
        """Return these options; a demo that writes nothing gets its three files."""
        if not self.demo or self.output_files or self.is_watched:
            return self
        return replace(
            self,
            overlay=DEMO_FOLDER / "demo.mp4",
            record=DEMO_FOLDER / "demo.npz",
            report=DEMO_FOLDER / "demo.json",
        )

    def _check_image_options(self) -> None:
        given = self.image_options
        if given and self.bundle is None:
            raise UsageError(
                f"{' and '.join(given)}: only for bundles that look at images; name "
                "one with --bundle"
            )
        if self.part in ("head", "hand") and given != ("--part",):
            others = " and ".join(name for name in given if name != "--part")
            raise UsageError(
                f"{others}: --part {self.part} looks at it alone and fuses nothing; "
                "leave one of them out"
            )


def with_view_port(args: Sequence[str]) -> list[str]:
    """Return a command line in which `--view` never stands without its value."""
    completed = []
    for arg, after in zip_longest(args, args[1:]):
        completed.append(arg)
        if arg == "--view" and (after is None or after.startswith("-")):
            completed.append(str(VIEW_PORT))
    return completed


def _as_json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_as_json(one) for one in value]
    return str(value) if isinstance(value, Path) else value
