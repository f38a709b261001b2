"""The command `pixie-train`.

Only what a command needs is imported, and nothing for the list of commands.
"""

import os
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import tyro

from pixie_runtime.errors import PixieError


@dataclass(frozen=True)
class Command:
    """A command and where it is."""

    module: str
    """In pixie_train."""
    name: str
    """Of its options there, `NameOptions`."""
    function: str
    """There: takes the options, returns what to tell the user."""
    summary: str
    """The first paragraph of the options' documentation."""

    def options(self) -> Any:
        """Import the class of the options; its fields are the command's."""
        return getattr(import_module(f"pixie_train.{self.module}"), self.name)

    def run(self, options: Any) -> str:
        """Do what the options say."""
        told = getattr(import_module(f"pixie_train.{self.module}"), self.function)
        return str(told(options))


COMMANDS = {
    "landmark": Command(
        "landmark_command",
        "LandmarkOptions",
        "run_landmark",
        "Train the landmark variant of PIXIE on synthetic people.",
    ),
    "expert": Command(
        "picture_training.commands",
        "ExpertOptions",
        "run_expert",
        "Train the body's, head's or hands' expert alone (--stage).",
    ),
    "whole": Command(
        "picture_training.commands",
        "WholeOptions",
        "run_whole",
        "Train everything end to end on whole bodies, best from trained experts.",
    ),
    "evaluate": Command(
        "evaluation.command",
        "EvaluateOptions",
        "run_evaluate",
        "Say how good a network is, as the paper does.",
    ),
    "synthesise": Command(
        "picture_commands",
        "SynthesiseOptions",
        "run_synthesise",
        "Make pictures of synthetic people to train with, and keep them in a folder.",
    ),
    "contact-sheet": Command(
        "picture_commands",
        "ContactSheetOptions",
        "run_contact_sheet",
        "Draw pictures side by side, with key points, boxes and masks.",
    ),
    "detail": Command(
        "detail.commands",
        "DetailOptions",
        "run_detail",
        "Train the detail branch: wrinkles and folds that the mesh is too coarse for.",
    ),
    "detail-mesh": Command(
        "detail.commands",
        "DetailMeshOptions",
        "run_detail_mesh",
        "Write a head or body with its detail, as a fine mesh and as a normal map.",
    ),
    "face-landmarks": Command(
        "faces.commands",
        "FaceLandmarksOptions",
        "run_face_landmarks",
        "Find 68 face landmarks in every picture of a folder, for training without "
        "FAN.",
    ),
    "face-masks": Command(
        "faces.commands",
        "FaceMasksOptions",
        "run_face_masks",
        "Write which pixels are skin of the face for every picture of a folder, as "
        "PNG.",
    ),
    "shape-gaussians": Command(
        "shape_command",
        "ShapeGaussiansOptions",
        "run_shape_gaussians",
        "Compute from people's shapes how women's and men's are distributed.",
    ),
    "distil": Command(
        "distillation.command",
        "DistilOptions",
        "run_distil",
        "Teach a small image network what a large one says of your footage.",
    ),
    "ablate": Command(
        "ablation.command",
        "AblateOptions",
        "run_ablate",
        "Reproduce the paper's claims in the small, on synthetic people.",
    ),
}


def main() -> None:
    """Entry point: `pixie-train COMMAND [options]`."""
    name, *arguments = sys.argv[1:] or [""]
    try:
        if name not in COMMANDS:
            _list(name)
        command = COMMANDS[name]
        prog = f"pixie-train {name}"
        told = command.run(tyro.cli(command.options(), prog=prog, args=arguments))
        if told:  # of several processes one has something to say
            print(told)
    except PixieError as error:
        print(f"pixie-train: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        if os.environ.get("RANK", "0") == "0":
            print("pixie-train: stopped; the same command resumes", file=sys.stderr)
        raise SystemExit(130) from None


def _list(name: str) -> None:
    """Say what commands there are, and end: well if that was asked for."""
    width = max(map(len, COMMANDS))
    told = "\n".join(f"  {n:{width}}  {COMMANDS[n].summary}" for n in COMMANDS)
    if name in {"-h", "--help"}:
        print(f"usage: pixie-train COMMAND [options]\n\n{told}\n")
        print("pixie-train COMMAND --help says what a command takes.")
        raise SystemExit(0)
    found = f'there is no command "{name}"' if name else "no command was given"
    print(f"pixie-train: {found}; expected one of\n{told}", file=sys.stderr)
    raise SystemExit(2)
