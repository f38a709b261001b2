r"""A table of how far our PIXIE is from the recorded one, stage by stage, in Markdown.

    python tools/parity_table.py "seed 0, torch" reference.npz ours.npz \
        "seed 0, ONNX Runtime" reference.npz ours_onnx.npz ...

`ours` is what `pixie-export trace` writes. An error is the largest difference of a
quantity over its root mean square, and a stage's is that of its worst quantity.
"""

import re
import sys
from pathlib import Path

import numpy as np

STAGES = {
    "crops of body and parts": r"full\.|nocrop|.*\.image$|.*\.box_center_size$",
    "body feature F_b, HRNet's maps": r"body\.F_b$|body\.hrnet",
    "body-derived part features": r"body\.F_b\.",
    "coarse body": r"body\.coarse|bodyonly",
    "part features": r"body\.F\.|.*_only\.F$",
    "part regressions": r"body\.part\.raw|.*_only\.raw",
    "moderators": r"body\.moderator",
    "fused features": r".*\.fused\.(head|left_hand|right_hand)$",
    "fused regressions": r".*\.fused\.raw",
    "head check": r".*head_(rel|euler)_before_check$",
    "pose": r".*full_pose$|.*\.param\.(?!shape|exp|tex|light).*",
    "coefficients": r".*\.param\.(shape|exp|tex|light)$|.*\.light$",
    "mesh, joints, key points": r".*(vertices|joints|_kpt)$",
    "albedo": r".*\.albedo$",
}
"""Each quantity belongs to the first stage whose pattern its name matches."""

USAGE = 'usage: parity_table.py "TITLE" REFERENCE.npz OURS.npz ...'


def stage_of(name: str) -> str:
    """Return the stage that a recorded quantity belongs to."""
    return next(stage for stage, form in STAGES.items() if re.match(form, name))


def worst_by_stage(reference: Path, ours: Path) -> dict[str, tuple[float, str]]:
    """Return each stage's largest error and the quantity that has it."""
    worst: dict[str, tuple[float, str]] = {}
    with np.load(reference) as recorded, np.load(ours) as found:
        for name in recorded.files:
            expected = recorded[name].astype(np.float64)
            scale = 1e-6 + np.sqrt(np.square(expected).mean())
            error = float(np.abs(found[name] - expected).max() / scale)
            stage = stage_of(name)
            worst[stage] = max(worst.get(stage, (0.0, "")), (error, name))
    return worst


def main() -> int:
    """Print the table."""
    arguments = sys.argv[1:]
    if not arguments or len(arguments) % 3:
        print(USAGE, file=sys.stderr)
        return 2
    titles = arguments[::3]
    pairs = zip(arguments[1::3], arguments[2::3], strict=True)
    columns = [worst_by_stage(Path(a), Path(b)) for a, b in pairs]
    print("| stage | " + " | ".join(titles) + " |")
    print("|---|" + "---|" * len(titles))
    for stage in STAGES:
        cells = [f"{c[stage][0]:.1e}" if stage in c else "" for c in columns]
        print(f"| {stage} | " + " | ".join(cells) + " |")
    overall = [max(column.values()) for column in columns]
    print("| **worst** | " + " | ".join(f"{e:.1e} ({n})" for e, n in overall) + " |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
