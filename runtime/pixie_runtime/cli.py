"""`pixie-live`: the command.

Exit codes: 0 when the material ended, `--max-frames` were done or a signal ended a run
that had processed something; 130 when a signal came before the first frame; otherwise
the code of the error (`pixie_runtime.errors`).
"""

import os
import sys
from collections.abc import Iterator, Sequence, Sized
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

import tyro

from pixie_runtime import __version__
from pixie_runtime.errors import PixieError, SinkError
from pixie_runtime.options import DEMO_FOLDER, Options, with_view_port
from pixie_runtime.threads import leave_the_cores_to_the_networks
from pixie_runtime.wording import counted

if TYPE_CHECKING:
    from pixie_runtime.report import RunReport

_INTERRUPTED = 130


def main(args: Sequence[str] | None = None) -> int:
    """Run the command with `args`, or with the process's own; return its exit code."""
    leave_the_cores_to_the_networks()
    try:
        args = with_view_port(sys.argv[1:] if args is None else args)
        options = tyro.cli(Options, prog="pixie-live", args=args)
        return _capture(options.with_demo_outputs())
    except PixieError as error:
        print(f"pixie-live: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; say nothing, at the interpreter's end too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _capture(options: Options) -> int:
    """Run the pipeline that `options` describe to its end; return the exit code."""
    # Not at the top: OpenCV, PyAV and the engine take a second, which help need not.
    from pixie_runtime.assembly import open_pipeline, open_source
    from pixie_runtime.interrupts import InterruptibleSource
    from pixie_runtime.report import setup_text
    from pixie_runtime.status import StatusLine

    _check_folders(options)
    _check_files(options)
    failure: PixieError | None = None
    opened = open_source(options)
    with InterruptibleSource(opened) as source:
        pipeline = open_pipeline(options, source)
        try:
            with ExitStack() as running:
                running.enter_context(pipeline)
                if options.quiet:
                    pipeline.run(max_frames=options.max_frames)
                else:
                    heading = [setup_text(pipeline.setup), *pipeline.greetings]
                    line = StatusLine(
                        sys.stderr,
                        pipeline.losses,
                        frames=_frames_to_come(opened, options.max_frames),
                        heading="\n".join(heading),
                    )
                    running.enter_context(line)
                    pipeline.run(max_frames=options.max_frames, observe=line.observe)
        except PixieError as error:
            failure = error
    report = pipeline.report()
    report = replace(report, warnings=(*report.warnings, *_gaps(options, report)))
    _conclude(options, report)
    if failure is not None:
        raise failure
    return _INTERRUPTED if source.interrupted and not report.frames else 0


def _frames_to_come(source: object, limit: int | None) -> int | None:
    """Return how many frames there will be; None where the source does not know."""
    if not isinstance(source, Sized):
        return None
    return len(source) if limit is None else min(len(source), limit)


def _gaps(options: Options, report: "RunReport") -> Iterator[str]:
    """Yield what the recording of a file lacks, though nothing forced it to."""
    from_file = options.video is not None or options.demo
    if options.record is not None and from_file and report.source_dropped:
        late = counted(report.source_dropped, "frame was", "frames were")
        yield (
            f"{late} late and {options.record} is without them: in real time a video "
            "waits for nobody; record it with --as-fast-as-possible"
        )


def _conclude(options: Options, report: "RunReport") -> None:
    """Write the report and tell where everything is."""
    if options.report is not None:
        from pixie_runtime.report import write_json

        contents = {
            "version": __version__,
            "options": options.shown(),
            **report.as_dict(),
        }
        write_json(options.report, contents)
    if options.quiet:
        for warning in report.warnings:
            print(f"pixie-live: {warning}", file=sys.stderr)
        return
    files = [
        f"{name}: {path} ({path.stat().st_size / 1e6:.1f} MB)"
        for name, path in options.output_files
        if path.exists()
    ]
    notes = []
    if options.overlay is not None and report.frames and not options.is_live:
        notes = [_overlay_note()]
    # On a terminal the setup is there already, above the status line.
    seen = sys.stderr.isatty() and sys.stdout.isatty()
    _tell("\n".join([report.text(with_setup=not seen), *notes, *files]))


def _overlay_note() -> str:
    if find_spec("numba") is None:
        return (
            "(drawing the overlay slowed this down; less so with "
            'pip install "pixie-live[fast]")'
        )
    return "(drawing the overlay slowed this down: `pixie-bench live` does not)"


def _tell(text: str) -> None:
    """Print to standard output, all of it now."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise SinkError(f"cannot write to standard output: {error.strerror}") from error


def _check_folders(options: Options) -> None:
    """Find out before the work that an output's folder is missing, not after it."""
    for name, path in options.output_files:
        try:
            if options.demo and path.parent == DEMO_FOLDER:
                DEMO_FOLDER.mkdir(exist_ok=True)
        except OSError as error:
            raise SinkError(
                f"cannot make the folder {path.parent} for the {name}: {error.strerror}"
            ) from error
        if not path.parent.is_dir():
            raise SinkError(
                f"cannot write the {name} {path}: there is no folder {path.parent}; "
                "make it first"
            )


def _check_files(options: Options) -> None:
    """Find out before anything is opened that an output would destroy something."""
    from pixie_runtime.output_files import check_outputs
    from pixie_runtime.sources.images import pictures_at
    from pixie_runtime.takes.places import container_of

    outputs = list(options.output_files)
    if options.record is not None:
        container = container_of(options.record)
        if container != options.record:
            outputs += [("recording", container)]
    if not outputs:
        return
    given = (("--video", options.video), ("--body-model", options.body_model))
    inputs = [(option, path) for option, path in given if path is not None]
    if options.images is not None:
        inputs += [("--images", path) for path in pictures_at(options.images)]
    check_outputs(outputs, inputs)
