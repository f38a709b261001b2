"""`pixie-bench bundles`: random-weight bundles for the network cases."""

import subprocess
import sys
from pathlib import Path

from pixie_bench.cases import BUNDLES, BundleRecipe
from pixie_bench.settings import Announce
from pixie_runtime.errors import EngineError, SinkError

_PROGRAM = "import sys; from pixie_runtime.launch import export; sys.exit(export())"


def command(recipe: BundleRecipe, folder: Path) -> list[str]:
    """Return the arguments of pixie-export that make a bundle below `folder`."""
    verb, *options = recipe.arguments
    base = [] if recipe.base is None else [str(folder / recipe.base)]
    return [verb, *base, *options, "--out", str(folder / recipe.name)]


def make_bundles(folder: Path, only: str, announce: Announce) -> None:
    """Make the bundles that are not there yet.

    Args:
        folder: gets one folder for each.
        only: make those whose names contain this, and what they are made of.
        announce: is told each command.

    Raises:
        EngineError: pixie-export failed; what it said is above.
        SinkError: the folder cannot be made.
    """
    wanted = {recipe.name for recipe in BUNDLES if only in recipe.name}
    wanted |= {r.base for r in BUNDLES if r.name in wanted and r.base is not None}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(
            f"cannot make the folder {folder}: {error.strerror}; name another"
        ) from error
    for recipe in BUNDLES:
        if recipe.name not in wanted or (folder / recipe.name).is_dir():
            continue
        arguments = command(recipe, folder)
        announce(f"pixie-export {' '.join(arguments)}")
        done = subprocess.run([sys.executable, "-c", _PROGRAM, *arguments], check=False)
        if done.returncode != 0:
            raise EngineError(
                f"pixie-export {recipe.arguments[0]} failed with code "
                f"{done.returncode}: see above"
            )
