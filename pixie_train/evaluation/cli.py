"""The command `pixie-eval`: `pixie-train evaluate` by a name of its own."""

import sys

import tyro

from pixie_runtime.errors import PixieError
from pixie_train.evaluation.command import EvaluateOptions, run_evaluate


def main() -> None:
    """Entry point: `pixie-eval [options]`."""
    try:
        print(run_evaluate(tyro.cli(EvaluateOptions, prog="pixie-eval")))
    except PixieError as error:
        print(f"pixie-eval: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        print("pixie-eval: stopped; nothing was written", file=sys.stderr)
        raise SystemExit(130) from None
