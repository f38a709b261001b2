"""Everything the official network was seen to compute, computed by ours.

Names are those of the parity cases' README: `body.` the release's default rules,
`soft.` without the 0.7 rule and local parts, `paste.` copy-paste, `bodyonly.` without
part experts, `head_only.` and `hand_only.` pictures of parts alone. The official code's
habits that nobody needs outside this comparison are in `official_names`.
"""

import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np

from pixie_export import official_names
from pixie_export.graph_files import Announce, silent
from pixie_export.image_graphs import image_graphs
from pixie_export.official_case import PARTS, Case
from pixie_export.stages import MixedStages, OnnxStages, Stages, TorchStages
from pixie_runtime.body import load_body_model
from pixie_runtime.fusion_rules import FusionRules
from pixie_runtime.types import Float32
from pixie_train.albedo import ALBEDO_FILE, Albedo, read_albedo
from pixie_train.official import load_official
from pixie_train.utilities import read_utilities

BODY_MODEL_FILE = "SMPLX_NEUTRAL_2020.npz"
Arrays = dict[str, Float32]

_SETTINGS = {
    "body": FusionRules.release(),
    "soft": FusionRules.paper(),
    "paste": FusionRules.pasted(),
}


@contextmanager
def official_stages(
    checkpoint: Path,
    assets: Path,
    engine: Literal["torch", "onnxruntime"],
    *,
    in_torch: Collection[str] = (),
    threads: int = 2,
    announce: Announce = silent,
) -> Iterator[Stages]:
    """Read the official network and make its graphs ready to be run.

    Args:
        checkpoint: `pixie_model.tar`, or a case's random one.
        assets: folder of the body model and the utilities.
        engine: what computes.
        in_torch: graphs that torch runs whatever the engine.
        threads: of the engine.
        announce: is told what is done next.

    Raises:
        BundleError, ModelFileError: a file that cannot be used.
    """
    network, _ = load_official(checkpoint)
    model = load_body_model(assets / BODY_MODEL_FILE)
    tables, _ = read_utilities(assets, model)
    path = assets / ALBEDO_FILE
    albedo = Albedo(read_albedo(path)) if path.exists() else None
    graphs = image_graphs(network, model, tables, albedo)
    # The stages one by one say more than `whole`, which is their sum.
    graphs = tuple(graph for graph in graphs if graph.name != "whole")
    if engine == "torch":
        yield TorchStages(graphs)
        return
    theirs = tuple(graph for graph in graphs if graph.name not in in_torch)
    with (
        tempfile.TemporaryDirectory() as folder,
        OnnxStages(theirs, Path(folder), threads=threads, announce=announce) as stages,
    ):
        yield MixedStages(stages, TorchStages(graphs)) if in_torch else stages


def trace(case: Case, stages: Stages, announce: Announce = silent) -> Arrays:
    """Return all results of a case by their recorded names."""
    return _Tracer(stages).run(case, announce)


class _Tracer:
    """One case through the stages of one engine."""

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._found: Arrays = {}

    def run(self, case: Case, announce: Announce) -> Arrays:
        """Return all results by their recorded names."""
        announce("encoding")
        features = self._encode(case)
        announce("fusing")
        for name, rules in _SETTINGS.items():
            self._fused(name, features, rules)
        self._body_only(features["F_b"])
        announce("parts alone")
        if case.head_images is not None:
            self._head_only(case.head_images)
        if case.hand_images is not None:
            self._hand_only(case.hand_images)
        return self._found

    def _encode(self, case: Case) -> Arrays:
        """Return the features of all crops; note everything on the way."""
        found, run = self._found, self._stages.run
        found |= official_names.squares(case)
        found["body.image"] = image = case.body_crops()
        body = run("body", image=image)
        found["body.F_b"] = F_b = body["F_b"]
        for level in range(1, 5):
            found[f"body.hrnet.layer{level}"] = body[f"map{level}"][:1]
        coarse = run("coarse", F_b=F_b)
        found |= official_names.coarse(coarse)
        found |= official_names.body("body.coarse", self._skin(coarse))
        crops = case.part_crops(coarse["boxes"])
        features: Arrays = {"F_b": F_b}
        for i, part in enumerate(PARTS):
            found[f"body.crop.{part}.box_center_size"] = coarse["boxes"][:, i]
            found[f"body.crop.{part}.image"] = crop = crops[part]
            if part == "head":
                feature = run("head", image=crop)["F_f"]
            else:
                seen = crop[..., ::-1] if part == "left_hand" else crop
                feature = run("hand", image=np.ascontiguousarray(seen))["F_h"]
            found[f"body.F.{part}"] = features[part] = feature
        return features

    def _fused(self, name: str, features: Arrays, rules: FusionRules) -> None:
        count = len(features["F_b"])
        result = self._stages.run(
            "fuse",
            F_b=features["F_b"],
            F_f=features["head"],
            F_left=features["left_hand"],
            F_right=features["right_hand"],
            present=np.ones((count, 3), np.float32),
            rules=np.tile(rules.row(), (count, 1)),
        )
        if name == "body":
            self._found |= official_names.moderation(result)
        self._found |= official_names.fused(name, result)
        self._found |= official_names.params(name, result)
        self._body(name, result, result["camera"])
        self._appearance(name, result)

    def _body_only(self, F_b: Float32) -> None:
        result = self._stages.run("coarse", F_b=F_b)
        self._found |= official_names.params("bodyonly", result)
        self._body("bodyonly", result, result["camera"])
        self._appearance("bodyonly", result)

    def _head_only(self, image: Float32) -> None:
        self._found["head_only.image"] = image
        F_f = self._stages.run("head", image=image)["F_f"]
        result = self._stages.run("head_alone", F_f=F_f)
        self._found |= official_names.head_only(F_f, result)
        self._body("head_only", result, result["camera"])
        self._appearance("head_only", result)
        resting = result | {"rotations": official_names.without_root(result)}
        self._found["head_only.Tpose_vertices"] = self._skin(resting)["vertices"]

    def _hand_only(self, image: Float32) -> None:
        self._found["hand_only.image"] = image
        F_h = self._stages.run("hand", image=image)["F_h"]
        result = self._stages.run("hand_alone", F_h=F_h)
        result = official_names.completed_hand(result)
        self._found |= official_names.hand_only(F_h, result)
        self._body("hand_only", result, result["camera"])
        self._appearance("hand_only", result)

    def _body(self, name: str, result: Arrays, camera: Float32) -> None:
        """Note the mesh and its points, in space and projected."""
        self._found[f"{name}.full_pose"] = result["rotations"]
        skinned = self._skin(result)
        self._found |= official_names.body(name, skinned)
        self._found |= official_names.projected(name, skinned, camera)

    def _skin(self, result: Arrays) -> Arrays:
        transl = np.zeros((len(result["rotations"]), 3), np.float32)
        names = ("betas", "expression", "rotations")
        chosen = {name: np.ascontiguousarray(result[name]) for name in names}
        return self._stages.run("skinning", **chosen, transl=transl)

    def _appearance(self, name: str, result: Arrays) -> None:
        """Note light and albedo; where no face was seen, the mean albedo."""
        if "light" in result:
            self._found[f"{name}.light"] = result["light"].reshape(-1, 9, 3)
        if "albedo" not in self._stages:
            return
        nobody = np.zeros((len(result["rotations"]), 50), np.float32)
        texture = result.get("texture", nobody)
        picture = self._stages.run("albedo", texture=np.ascontiguousarray(texture))
        self._found[f"{name}.albedo"] = picture["albedo"]
