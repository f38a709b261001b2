"""Starts the commands of the packages that are extras.

Their packages refuse to be imported where their extra is missing; a command then says
so in one sentence instead of showing where the import failed. They are named here, not
imported: the runtime depends on none of them.
"""

import os
import sys
from importlib import import_module

from pixie_runtime.errors import PixieError


def train() -> int:
    """`pixie-train`."""
    return _run("pixie-train", "pixie_train.cli")


def evaluate() -> int:
    """`pixie-eval`."""
    return _run("pixie-eval", "pixie_train.evaluation.cli")


def export() -> int:
    """`pixie-export`."""
    return _run("pixie-export", "pixie_export.cli")


def _run(command: str, module: str) -> int:
    try:
        main = import_module(module).main
    except PixieError as error:
        print(f"{command}: {error}", file=sys.stderr)
        return error.exit_code
    try:
        main()
    except BrokenPipeError:
        # Whoever read our output has gone; say nothing, at the interpreter's end too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
