"""`pixie-train expert` and `pixie-train whole`."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import torch
import tyro
from tqdm import tqdm

from pixie_runtime.body import BodyModel, embedded_body_model, load_body_model
from pixie_runtime.errors import UsageError
from pixie_train.batch import Batch, CropKind, join
from pixie_train.checkpoint_file import LAST
from pixie_train.config import ImageConfig
from pixie_train.data.motion import load_motion_bank
from pixie_train.data.pictures.augmentation import Augmentation
from pixie_train.data.pictures.dataset import View
from pixie_train.detail.flame_albedo import flame_albedo
from pixie_train.losses.weights import STAGE_KINDS
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.output_files import made_folder
from pixie_train.picture_training.beginning import Experts, begin_from, begin_upright
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.config import Machine, PartCrops, StageRun
from pixie_train.picture_training.given_files import fingerprints
from pixie_train.picture_training.launching import launch, wanted
from pixie_train.picture_training.loading import Share
from pixie_train.picture_training.log import BOARD, CSV, PLOT
from pixie_train.picture_training.loop import train
from pixie_train.picture_training.machine import prepared
from pixie_train.picture_training.passes import FaceTerms
from pixie_train.picture_training.sources import HELD_OUT_SEED, opened, synthetic
from pixie_train.picture_training.watching import SAMPLES, Watch
from pixie_train.processes import Processes, joined, started
from pixie_train.recognition.embedding import open_embedding
from pixie_train.rendering.faces import FaceRasteriser

_PHOTOMETRIC = 2.0
"""The term's weight in the nearest published run (docs/losses.md)."""
_IDENTITY = 0.2
"""Likewise."""
_SHOWN = 6
_ELSEWHERE = "give another --out"


@dataclass(frozen=True)
class _Common:
    """What both commands are asked for."""

    out: Path
    """Folder of the run: checkpoints, log, plot, overlays. A run there is resumed."""
    data: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """NAME:FOLDER[:SHARE] of what the stage is about; may be given several times.
    Default: synthetic people, made on the spot."""
    synthetic: int = 5000
    """How many synthetic pictures there are of a kind without --data."""
    crop_size: int = 224
    """Side of the encoders' pictures in pixels."""
    hd_size: int = 512
    """Side of the finer picture of a body, of which parts are cut."""
    photometric: bool = False
    """Heads: draw faces and compare them with the pictures, equation (11)."""
    identity: Path | None = None
    """Heads: a face recognition network's file or folder, equation (12); draws faces
    too."""
    albedo: Path | None = None
    """Drawn faces' colours, with --flame-map: your FLAME_albedo_from_BFM.npz, or the
    texture space that comes with FLAME; default: the embedded body's own."""
    flame_map: Path | None = None
    """flame2smplx_tex_1024.npy of the release's utilities."""
    body_model: Path | None = None
    """Body model file; default: the embedded CC0 body."""
    gaussians: Path | None = None
    """File of `pixie-train shape-gaussians`; default: what the body's file says."""
    utilities: Path | None = None
    """Folder of the release's key point files, for its body model."""
    experts: Experts = field(default_factory=Experts)
    """Runs whose weights a new run begins with."""
    network: ImageConfig = field(default_factory=ImageConfig)
    """Encoders and sizes; coefficients that the body lacks are left out."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    """What is done to pictures."""
    machine: Annotated[Machine, tyro.conf.arg(name="")] = field(default_factory=Machine)
    """How it is computed."""


@dataclass(frozen=True)
class ExpertOptions(_Common):
    """Train the body's, head's or hands' expert alone (--stage).

    Stopped, the same command goes on.
    """

    run: Annotated[StageRun, tyro.conf.arg(name="")] = field(default_factory=StageRun)
    """The run."""


@dataclass(frozen=True)
class WholeOptions(_Common):
    """Train everything end to end on whole bodies, best from trained experts.

    Stopped, the same command goes on.
    """

    heads: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """NAME:FOLDER[:SHARE] of heads that come along (--extra-heads)."""
    hands: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """Likewise of hands (--extra-hands)."""
    run: Annotated[StageRun, tyro.conf.arg(name="")] = field(
        default_factory=lambda: StageRun(stage="whole")
    )
    """The run."""


def run_expert(options: ExpertOptions, say: Callable[[str], None] = tqdm.write) -> str:
    """Train with a progress bar; returns what to tell the user.

    Raises:
        PixieError: the options, the data or a folder cannot be used.
    """
    if options.run.stage == "whole":
        raise UsageError(
            "--stage is whole; expected body, head or hand, or use pixie-train whole"
        )
    kind = STAGE_KINDS[options.run.stage]
    return _run(options, options.run, {kind: options.data}, say)


def run_whole(options: WholeOptions, say: Callable[[str], None] = tqdm.write) -> str:
    """Train with a progress bar; returns what to tell the user.

    Raises:
        PixieError: the options, the data or a folder cannot be used.
    """
    if options.run.stage != "whole":
        raise UsageError(
            f"--stage is {options.run.stage}; expected whole, or use pixie-train expert"
        )
    given = {
        CropKind.BODY: options.data,
        CropKind.HEAD: options.heads,
        CropKind.HAND: options.hands,
    }
    return _run(options, options.run, given, say)


def _run(
    options: _Common,
    run: StageRun,
    given: dict[CropKind, tuple[str, ...]],
    say: Callable[[str], None],
) -> str:
    asked = options.machine.processes
    if wanted(asked):
        if code := launch(asked, sys.argv[1:]):
            raise SystemExit(code)
        return ""
    processes = started()
    if asked not in (1, processes.local_world):
        raise UsageError(
            f"--processes is {asked}, but {processes.local_world} were started on this "
            "machine; leave it out under torchrun"
        )
    with joined(processes):
        return _trained(options, run, given, say, processes)


def _trained(
    options: _Common,
    run: StageRun,
    given: dict[CropKind, tuple[str, ...]],
    say: Callable[[str], None],
    processes: Processes,
) -> str:
    if options.synthetic < 1:
        raise UsageError(f"--synthetic is {options.synthetic}; expected at least 1")
    run = _with_crops(run, options.crop_size)
    path = options.body_model
    model = load_body_model(path) if path else embedded_body_model()
    body, network = _begun(options, run, model)
    for note in body.notes if processes.lead else ():
        say(note)
    core = network.config.core
    view = View(
        crop_size=options.crop_size,
        hd_size=options.hd_size,
        n_betas=core.n_betas,
        n_expression=core.n_expression,
    )
    data, held_out = _data(options, run, given, view, body)
    device = prepared(options.machine, processes)
    faces, run = _faces(options, run, model, core.n_texture, device)
    out, hidden = made_folder(options.out, _ELSEWHERE), not processes.lead
    with Watch(run, body, faces, held_out, out, hidden=hidden) as watch:
        state = train(
            run,
            network,
            data,
            body,
            out,
            watch.report,
            machine=options.machine,
            faces=faces,
            saved=watch.show,
            said_of_data=_said(options, given),
            files=fingerprints(
                {
                    "--gaussians": options.gaussians,
                    "--utilities": options.utilities,
                    "--identity": options.identity,
                    "--albedo": options.albedo,
                    "--flame-map": options.flame_map,
                }
            ),
            processes=processes,
        )
    if hidden:
        return ""
    return (
        f"checkpoint: {out / LAST}, {state.step} steps\n"
        f"log: {out / CSV}, {out / PLOT}; samples: {out / SAMPLES}\n"
        f"curves: tensorboard --logdir {out / BOARD}\n"
        f"next: pixie-export run {out / LAST} --out BUNDLE"
    )


def _with_crops(run: StageRun, size: int) -> StageRun:
    """Return the run with all its crops of this size: bundles have no other.

    Raises:
        UsageError: parts are asked for in another one.
    """
    if run.parts.size not in (size, PartCrops().size):
        raise UsageError(
            f"--parts.size is {run.parts.size} and --crop-size {size}; a bundle has "
            "crops of one size: leave --parts.size out"
        )
    return replace(run, parts=replace(run.parts, size=size))


def _begun(
    options: _Common, run: StageRun, model: BodyModel
) -> tuple[TrainingBody, ImagePixie]:
    """Return what training needs of the body, and the network that a run begins with.

    Raises:
        PixieError: a file or an expert's run cannot be used.
    """
    core = replace(
        options.network.core,
        n_betas=min(options.network.core.n_betas, model.n_betas),
        n_expression=min(options.network.core.n_expression, model.n_expression),
    )
    body = TrainingBody.of(
        model, core, utilities=options.utilities, gaussians=options.gaussians
    )
    torch.manual_seed(run.seed)
    network = ImagePixie(replace(options.network, core=core))
    begin_upright(network.core, body)
    begin_from(network, options.experts, body)
    return body, network


def _said(options: _Common, given: dict[CropKind, tuple[str, ...]]) -> dict[str, str]:
    """Return the options that decide what a run sees."""
    said = {
        "--crop-size": str(options.crop_size),
        "--hd-size": str(options.hd_size),
        "--augmentation": repr(options.augmentation),
    }
    for kind, texts in given.items():
        known = " ".join(texts) or f"{options.synthetic} synthetic"
        said[f"data of {kind.value} crops"] = known
    return said


def _data(
    options: _Common,
    run: StageRun,
    given: dict[CropKind, tuple[str, ...]],
    view: View,
    body: TrainingBody,
) -> tuple[dict[CropKind, list[Share]], Batch]:
    """Return what is trained on, and a batch that is only looked at."""
    bank, model = load_motion_bank(), body.model
    how = replace(options.augmentation, seed=run.seed)
    data = {}
    for kind in run.counts:
        if given.get(kind):
            data[kind] = opened(given[kind], kind, view, how, body)
            continue
        made = synthetic(
            kind,
            options.synthetic,
            view,
            model,
            bank,
            seed=run.seed,
            augmentation=how,
        )
        data[kind] = [Share(made)]
    looked_at = synthetic(
        STAGE_KINDS[run.stage],
        _SHOWN,
        view,
        model,
        bank,
        seed=HELD_OUT_SEED,
        augmentation=None,
    )
    return data, join(list(looked_at))


def _faces(
    options: _Common,
    run: StageRun,
    model: BodyModel,
    n_texture: int,
    device: torch.device,
) -> tuple[FaceTerms | None, StageRun]:
    if not options.photometric and options.identity is None:
        return None, run
    if (options.albedo is None) != (options.flame_map is None):
        raise UsageError(
            "--albedo and --flame-map belong together: the one is in FLAME's texture "
            "space, the other says where that is on the body; give both"
        )
    if CropKind.HEAD not in run.counts:
        raise UsageError(
            "--photometric and --identity are about heads, but the stage "
            f"{run.stage} sees none; leave them out, or give --extra-heads"
        )
    head = run.weights.head
    if options.photometric and not head.photometric:
        head = replace(head, photometric=_PHOTOMETRIC)
    if options.identity is not None and not head.identity:
        head = replace(head, identity=_IDENTITY)
    run = replace(run, weights=replace(run.weights, head=head))
    albedo = None
    if options.albedo is not None and options.flame_map is not None:
        albedo = flame_albedo(
            model, options.albedo, options.flame_map, n_texture=n_texture
        )
    renderer = FaceRasteriser(
        model, albedo=albedo, n_texture=n_texture, size=options.crop_size
    )
    path = options.identity
    embed = None if path is None else open_embedding(path).to(str(device))
    return FaceTerms(renderer.to(device), embed), run
