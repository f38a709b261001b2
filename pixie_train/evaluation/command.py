"""`pixie-train evaluate`, which is also `pixie-eval`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from pixie_runtime.body import embedded_body_model, load_body_model
from pixie_runtime.bundle import Bundle
from pixie_runtime.errors import UsageError
from pixie_train.evaluation.anatomy import Anatomy
from pixie_train.evaluation.benchmarks.opening import (
    BENCHMARKS,
    WITHHELD,
    open_benchmark,
)
from pixie_train.evaluation.cases import Benchmark
from pixie_train.evaluation.pictures import draw_pictures
from pixie_train.evaluation.report import as_text, counts, table_of, write_report
from pixie_train.evaluation.run_subject import open_run
from pixie_train.evaluation.running import Evaluation, evaluate
from pixie_train.evaluation.subjects import (
    Part,
    Subject,
    open_bundle_subject,
    subject_options,
)
from pixie_train.evaluation.submissions import open_submission
from pixie_train.evaluation.synthetic import HELD_OUT_SEED, SyntheticBenchmark

_PARTS: dict[str, Part] = {"hand": "hand", "face": "head"}
"""Which expert looks at a benchmark's pictures, by its protocol."""


@dataclass(frozen=True)
class EvaluateOptions:
    """Say how good a network is, as the paper does.

    On a benchmark whose files you have, or on synthetic people that nobody trained
    with, which takes no data at all.
    """

    benchmark: str | None = None
    """NAME:FOLDER; names are ehf, 3dpw, agora, now, now-test, freihand."""
    synthetic: int | None = None
    """Instead: so many synthetic people."""
    bundle: Path | None = None
    """The network: a bundle that pixie-export wrote; default: the one that ships."""
    run: Path | None = None
    """Instead of a bundle: a run of `pixie-train expert` or `whole`, its folder or a
    checkpoint."""
    crop_size: int | None = None
    """Of runs: side of the crops; default: that which the run recorded."""
    body_model: Path | None = None
    """Your SMPL-X model (.npz); default: the bundle's, or the one that ships."""
    assets: Path | None = None
    """A folder with what there is of SMPLX_to_J14.pkl, smplx_extra_joints.yaml,
    MANO_SMPLX_vertex_ids.pkl and SMPL-X__FLAME_vertex_ids.npy; for 3dpw also of
    SMPL_to_J14.pkl, SMPL_FEMALE and SMPL_MALE (.npz or .pkl)."""
    out: Path = Path("evaluation")
    """Folder of the report."""
    part: Part | None = None
    """Image bundles and runs: what looks, one part's expert alone or the whole network;
    default: what the benchmark shows."""
    look: Literal["box", "picture"] = "box"
    """Look at the benchmark's box about a person, or at whole pictures."""
    margin: float = 0.25
    """How much more than the box is looked at, on each side, in its longer sides."""
    fov: float = 60.0
    """Degrees along the longer side, where a benchmark does not say its camera."""
    limit: int | None = None
    """The first so many cases only."""
    worst: int = 6
    """How many of the worst pictures are drawn."""
    submission: Path | None = None
    """Also write what the benchmark's server takes: a .zip for agora, a folder for
    now."""
    seed: int = HELD_OUT_SEED
    """Of synthetic people."""
    size: int = 384
    """Side of synthetic pictures in pixels."""


def run_evaluate(options: EvaluateOptions) -> str:
    """Evaluate with a progress bar, write the report; returns what to tell the user.

    Raises:
        PixieError: options, files or networks cannot be used.
    """
    _check(options)
    subject, shown = _open(options)
    try:
        anatomy = Anatomy.of(subject.model, options.assets)
        if options.synthetic is not None:
            shown = SyntheticBenchmark.of(
                subject.model, options.synthetic, seed=options.seed, size=options.size
            )
        assert shown is not None  # one of the two is given
        result = _evaluated(options, subject, shown, anatomy)
    finally:
        subject.close()
    pictures = draw_pictures(result, subject.model, options.out)
    page = write_report(result, options.out, pictures)
    told = [as_text(table_of(result)), "", counts(result), f"report: {page}"]
    if options.submission is not None:
        told.append(f"submission: {options.submission}")
    return "\n".join(told)


def _open(options: EvaluateOptions) -> tuple[Subject, Benchmark | None]:
    """Open what is evaluated and, unless it is synthetic, what it is evaluated on."""
    benchmark, part, folder = None, options.part, Path(".")
    if options.benchmark is not None:
        name, _, place = options.benchmark.partition(":")
        folder = Path(place)
        if name.lower() in WITHHELD and options.submission is None:
            raise UsageError(
                f"the truth of {name} is withheld, and there is nothing to measure; "
                "give --submission, for what its server takes"
            )
        benchmark = open_benchmark(name, folder, options.assets)
        wanted = _PARTS.get(benchmark.protocol)
        _require_shown(part, wanted, name)
        if part is None and wanted is not None and _looks(options, wanted):
            part = wanted
    else:
        _require_shown(part, None, "--synthetic")
    if options.run is not None:
        path = options.body_model
        model = load_body_model(path) if path else embedded_body_model()
        subject = open_run(
            options.run,
            model,
            part=part or "whole",
            crop_size=options.crop_size,
            field_of_view=options.fov,
        )
        return subject, benchmark
    runtime = subject_options(
        options.bundle, options.body_model, folder, part, options.fov
    )
    margin = options.margin if options.look == "box" else None
    return open_bundle_subject(runtime, margin=margin), benchmark


def _require_shown(part: Part | None, shown: Part | None, name: str) -> None:
    """Refuse an expert of a part on pictures of something else."""
    if part not in (None, "whole", shown):
        raise UsageError(
            f"--part is {part}, but {name} shows "
            f"{'whole people' if shown is None else f'a {shown}'}; leave it out"
        )


def _looks(options: EvaluateOptions, part: Part) -> bool:
    """Return whether the network is to look at a part alone."""
    if options.run is not None:
        return True
    if options.bundle is None:
        return False
    manifest = Bundle.open(options.bundle).manifest
    return manifest.kind == "image" and f"{part}_alone" in manifest.networks


def _evaluated(
    options: EvaluateOptions, subject: Subject, shown: Benchmark, anatomy: Anatomy
) -> Evaluation:
    count = len(shown) if options.limit is None else min(options.limit, len(shown))
    submission = None
    if options.submission is not None:
        submission = open_submission(shown.name, options.submission, anatomy)
    with tqdm(total=count, unit="case", smoothing=0.05) as bar:
        result = evaluate(
            subject,
            shown,
            anatomy,
            limit=options.limit,
            keep_worst=options.worst,
            report=lambda done: bar.update(done - bar.n),
            also=submission.add if submission else None,
        )
    if submission is not None:
        submission.close()
    return result


def _check(options: EvaluateOptions) -> None:
    names = ", ".join(BENCHMARKS)
    if (options.benchmark is None) == (options.synthetic is None):
        raise UsageError(
            "expected --synthetic N, which takes no data, or --benchmark NAME:FOLDER "
            f"with a name of {names}, and not both"
        )
    if options.run is not None and options.bundle is not None:
        raise UsageError("--run and --bundle are both given; expected one of them")
    if options.crop_size is not None and options.crop_size < 32:
        raise UsageError(f"--crop-size {options.crop_size}; expected 32 or more")
    if options.synthetic is not None and options.synthetic < 1:
        raise UsageError(f"--synthetic {options.synthetic}; expected at least 1")
    if options.limit is not None and options.limit < 1:
        raise UsageError(f"--limit {options.limit}; expected at least 1")
    if not 0 <= options.margin <= 4 or options.worst < 0:
        raise UsageError(
            f"--margin {options.margin} --worst {options.worst}; expected 0 to 4, and "
            "0 or more"
        )
