"""`pixie-train detail` and `pixie-train detail-mesh`."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import torch
import tyro
from torch import Tensor
from tqdm import tqdm

from pixie_runtime.body import BodyModel, embedded_body_model, load_body_model
from pixie_runtime.errors import UsageError
from pixie_train.batch import Batch
from pixie_train.data.motion import load_motion_bank
from pixie_train.data.pictures.dataset import PictureDataset, View
from pixie_train.data.pictures.photographer import Photographer
from pixie_train.detail.body import DetailBody
from pixie_train.detail.coarse import CoarseFaces, FaceExpert, TrueFaces
from pixie_train.detail.heads import HELD_OUT_SEED, head_pictures
from pixie_train.detail.mesh import Region, detailed_mesh
from pixie_train.detail.mesh_files import normal_map, write_mesh
from pixie_train.detail.network import trusted
from pixie_train.detail.one_picture import FacePicture
from pixie_train.detail.run_config import DetailRun, HeadPictures
from pixie_train.detail.sources import DecaDetail, DetailSource, TrainedDetail
from pixie_train.detail.state import DetailState
from pixie_train.detail.surface import DetailSurface
from pixie_train.detail.training import train
from pixie_train.detail.trust import head_weights
from pixie_train.evaluation.run_subject import RunSight, recorded_sight
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.official import load_official
from pixie_train.output_files import write_png
from pixie_train.picture_training.config import Machine
from pixie_train.picture_training.log import BOARD, CSV, PLOT, plot
from pixie_train.picture_training.state import load as load_run


@dataclass(frozen=True)
class DetailOptions:
    """Train the detail branch: wrinkles and folds that the mesh is too coarse for.

    On synthetic heads with wrinkles; the coarse face is frozen. Stopped, the same
    command goes on.
    """

    out: Path = Path("runs/detail")
    """Folder of the run: heads, checkpoints, log, plot."""
    head: Path | None = None
    """The official pixie_model.tar, whose face expert gives the coarse faces; default:
    the truth, which synthetic heads know."""
    body_model: Path | None = None
    """Body model file; default: the embedded CC0 body."""
    machine: Annotated[Machine, tyro.conf.arg(name="")] = field(default_factory=Machine)
    """How it is computed, by one process."""
    config: Annotated[DetailRun, tyro.conf.arg(name="")] = field(
        default_factory=DetailRun
    )
    """The run."""


@dataclass(frozen=True)
class DetailMeshOptions:
    """Write a head or body with its detail, as a fine mesh and as a normal map."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Run of `pixie-train detail`, or its checkpoint."""
    out: Path = Path("detail.glb")
    """The mesh to write, .glb or .obj."""
    normals: Path | None = None
    """A normal map for the coarse mesh to write, .png."""
    picture: Path | None = None
    """Whose face; default: a synthetic head that no run has trained on."""
    head: Path | None = None
    """With --picture: the official pixie_model.tar, or a run of `pixie-train whole`,
    which gives the coarse face."""
    trust: float = 0.6
    """With --picture: the face stays smooth unless the head's moderator gives the face
    expert more than this weight; below 0: whatever it says."""
    number: int = 0
    """Which synthetic head."""
    deca: Path | None = None
    """Instead of a run: your deca_model.tar, with --flame-map."""
    flame_map: Path | None = None
    """flame2smplx_tex_1024.npy of the release's utilities."""
    fixed: Path | None = None
    """DECA's fixed_displacement_256.npy, which every face has."""
    body_model: Path | None = None
    """Body model file; default: the embedded CC0 body."""
    region: Region = "head"
    """What is written of the body."""
    steps: int = 4
    """Into how many pieces each edge on the face is cut."""
    smooth: bool = False
    """Leave the detail out, to compare with."""


def run_detail(options: DetailOptions) -> str:
    """Train with progress bars; returns what to tell the user.

    Raises:
        PixieError: a file cannot be read or written, or options do not go together.
    """
    model = _model(options.body_model)
    run = _fitted(options.config, model)
    coarse, name = None, "truth"
    if options.head is not None:
        coarse = FaceExpert(load_official(options.head)[0], model)
        with options.head.open("rb") as file:
            name = hashlib.file_digest(file, "sha256").hexdigest()
    body, out = DetailBody.of(run, model, coarse, name), options.out
    figures: dict[str, float] = {}
    with (
        tqdm(total=run.pictures.count, unit="head", desc="drawing") as heads,
        tqdm(total=run.steps, unit="step", desc="training", smoothing=0.05) as bar,
    ):

        def report(step: int, now: dict[str, float]) -> None:
            figures.update(now)
            _moved(bar)(step, run.steps)
            bar.set_postfix({n: f"{value:.4g}" for n, value in now.items()})

        def show(state: DetailState) -> None:
            plot(state.history, out / PLOT)

        path = train(
            run,
            body,
            load_motion_bank(),
            out,
            report,
            _moved(heads),
            machine=options.machine,
            saved=show,
        )
    said = f"checkpoint: {path}\nlog: {out / CSV}, {out / PLOT}, {out / BOARD}\n"
    if "rmse_um" in figures:
        said += (
            f"displacement of {run.pictures.held_out} heads of other people: "
            f"{figures['rmse_um']:.1f} micrometres off, a smooth face "
            f"{figures['zero_rmse_um']:.1f}; correlation {figures['correlation']:.2f}\n"
        )
    return said + f"next: pixie-train detail-mesh {options.out} --out detail.glb"


def run_detail_mesh(options: DetailMeshOptions) -> str:
    """Write the files; returns what to tell the user.

    Raises:
        PixieError: a file cannot be read or written, or options do not go together.
    """
    model = _model(options.body_model)
    surface = DetailSurface(model)
    source = _source(options, model, surface)
    coarse, batch, weights = _face(options, model, source)
    picture = batch.pictures.image.float() / 255
    displacement = source(picture, coarse.jaw, coarse.expression)
    said_of_trust = ""
    if options.smooth:
        displacement = torch.zeros_like(displacement)
    elif weights is not None:
        displacement = trusted(displacement, weights, above=options.trust)
        weight = float(weights[0, 1])
        found = "is put on" if weight > options.trust else "is left out"
        said_of_trust = (
            f"\nthe moderator trusts the face expert by {weight:.2f}; detail {found} "
            f"(--trust {options.trust:g})"
        )
    # From the camera's axes to those of a viewer: y up, z towards us.
    vertices = (coarse.vertices[0] * torch.tensor([1.0, -1.0, -1.0])).numpy()
    mesh = detailed_mesh(
        model,
        surface,
        vertices,
        displacement,
        steps=options.steps,
        region=options.region,
    )
    write_mesh(mesh, options.out)
    heights = surface.heights(displacement) * 1000
    said = (
        f"mesh: {options.out}, {len(mesh.vertices)} vertices; detail from "
        f"{float(heights.min()):.2f} to {float(heights.max()):.2f} mm{said_of_trust}"
    )
    if options.normals is not None:
        write_png(normal_map(model, surface, vertices, displacement), options.normals)
        said += f"\nnormal map: {options.normals}"
    return said


def _fitted(run: DetailRun, model: BodyModel) -> DetailRun:
    """Let the decoder be told of as many expressions as the body has, at most."""
    told = min(run.network.n_expression, model.n_expression)
    return replace(run, network=replace(run.network, n_expression=told))


def _model(path: Path | None) -> BodyModel:
    return load_body_model(path) if path else embedded_body_model()


def _source(
    options: DetailMeshOptions, model: BodyModel, surface: DetailSurface
) -> DetailSource:
    if options.run is not None and options.deca is None:
        return TrainedDetail.read(options.run, model)
    if options.run is None and options.deca and options.flame_map:
        return DecaDetail.read(
            model,
            surface,
            deca=options.deca,
            flame_map=options.flame_map,
            fixed=options.fixed,
        )
    raise UsageError(
        "detail comes from a run of `pixie-train detail`, or from --deca with "
        "--flame-map; give one of them"
    )


def _face(
    options: DetailMeshOptions, model: BodyModel, source: DetailSource
) -> tuple[CoarseFaces, Batch, Tensor | None]:
    """Return the coarse face, its picture, and how far the moderator trusts it."""
    if options.picture is None:
        pictures = HeadPictures(
            crop_size=source.crop_size, head_scale=source.head_scale
        )
        config = head_pictures(pictures, seed=HELD_OUT_SEED + 1, occluded=0.0)
        photographer = Photographer(config, model, load_motion_bank())
        view = View(
            crop_size=source.crop_size,
            n_betas=model.n_betas,
            n_expression=model.n_expression,
            head_scale=source.head_scale,
        )
        batch = PictureDataset(photographer, view, axes="camera")[options.number]
        return TrueFaces(model)(batch), batch, None
    if options.head is None:
        raise UsageError(
            "a picture's coarse face comes from a network; give --head with the "
            "official pixie_model.tar or a run, and its --body-model"
        )
    network, sight = _network(options.head)
    expert = FaceExpert(network, model)
    size = sight.part_size or sight.body.size
    face = FacePicture.find(options.picture)
    wide = face.cut(scale=sight.body.head_scale, size=size)
    near = face.cut(scale=source.head_scale, size=source.crop_size)
    weights = None
    if options.trust >= 0 and not options.smooth:
        weights = head_weights(network, model, options.picture, sight)
    return expert(wide), near, weights


def _network(path: Path) -> tuple[ImagePixie, RunSight]:
    """Read the official weights, or a run of `pixie-train whole`, and how it looks."""
    if path.suffix == ".tar":
        return load_official(path)[0], RunSight()
    state = load_run(path)
    return state.network_with_average(), recorded_sight(state)


def _moved(bar: tqdm) -> Callable[[int, int], None]:
    def move(done: int, _: int) -> None:
        # What an earlier run had made is no work of this one's.
        if bar.n == 0:
            bar.initial = bar.n = done - 1
        bar.update(done - bar.n)

    return move
