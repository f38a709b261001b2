"""The official network in eager PyTorch, as the release runs it.

Imported in a process of its own only: PyTorch's threads would stand in the engine's
way.
"""

from collections.abc import Mapping
from multiprocessing.connection import Connection

import numpy as np
import torch
from torch import Tensor

from pixie_bench.eager import Form, Ready, Setting, Stopwatch
from pixie_export.sample_crops import demo_samples
from pixie_runtime.body import load_body_model
from pixie_runtime.bundle import CropSpec
from pixie_runtime.errors import PixieError
from pixie_runtime.fusion_rules import FusionRules
from pixie_runtime.types import Float32
from pixie_train.body_model import TorchSurface
from pixie_train.camera import project
from pixie_train.key_points import SurfaceKeyPoints
from pixie_train.networks.decoding import DecodedParams, decode
from pixie_train.networks.pixie import Features, PartFeatures
from pixie_train.official import load_official
from pixie_train.part_boxes import part_boxes
from pixie_train.utilities import read_utilities


class EagerPixie:
    """PIXIE, module after module."""

    def __init__(self, setting: Setting) -> None:
        """Load network and body.

        Raises:
            BundleError, ModelFileError: a file cannot be used.
        """
        torch.set_num_threads(setting.threads)
        self._network, _ = load_official(setting.checkpoint)
        core = self._network.config.core
        model = load_body_model(setting.body_model)
        tables, _ = read_utilities(None, model)
        self._surface = TorchSurface(
            model, n_betas=core.n_betas, n_expression=core.n_expression
        )
        self._points = SurfaceKeyPoints(
            tables, np.arange(model.vertex_count), viewer="release"
        )
        self._rules = torch.from_numpy(FusionRules.release().row()[None])

    @torch.no_grad()
    def run(self, crops: Mapping[str, Float32], form: Form) -> Float32:
        """Return one person's rotations (1, 55, 3, 3).

        Args:
            crops: what the network `whole` takes of pictures, by its names.
            form: see `Form`.
        """
        given = {name: torch.from_numpy(crop) for name, crop in crops.items()}
        network = self._network
        F_b = network.encode_body(given["image_body"])
        hands = [given["image_left_hand"], given["image_right_hand"]]
        if form == "released":
            self._part_boxes(F_b)
            F_h = torch.stack([network.encode_hand(hand) for hand in hands], dim=1)
        else:
            F_h = network.encode_hand(torch.cat(hands))[None]
        parts = PartFeatures(network.encode_head(given["image_head"]), F_h)
        features = Features(F_b, parts, torch.ones(1, 3))
        params = decode(network.core(features, self._rules).fused, self._rules[:, 3])
        if form == "released":
            self._key_points(params)
        rotations: Float32 = params.rotations.numpy()
        return rotations

    def _part_boxes(self, F_b: Tensor) -> Tensor:
        """Place the part crops as the release does, by way of the whole mesh."""
        params = decode(self._network.core.coarse(F_b), self._rules[:, 3])
        flat = project(self._key_points(params), params.camera)[..., :2]
        spec = CropSpec()
        return part_boxes(
            flat,
            hd_size=spec.hd_size,
            head_scale=spec.head_scale,
            hand_scale=spec.hand_scale,
        )

    def _key_points(self, params: DecodedParams) -> Tensor:
        """Pose the whole mesh; return the key points (1, 145, 3)."""
        body = self._surface(
            params.betas, params.expression, params.rotations, torch.zeros(1, 3)
        )
        points: Tensor = self._points(body)
        return points


def serve(connection: Connection, setting: Setting) -> None:
    """Say `Ready`, then answer (crops, form) with (Cost, rotations).

    Ends when asked None. Instead of `Ready` it may say what is wrong with a file.
    """
    try:
        pixie = EagerPixie(setting)
        samples = demo_samples(CropSpec()).given()
    except PixieError as error:
        connection.send(error)
        return
    pictures = {name: a for name, a in samples.items() if name.startswith("image_")}
    connection.send(Ready(f"PyTorch {torch.__version__}", pictures))
    while (question := connection.recv()) is not None:
        stopwatch = Stopwatch()
        rotations = pixie.run(*question)
        connection.send((stopwatch.cost(), rotations))
